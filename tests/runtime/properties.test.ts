/** What holds of all executions at all times, whatever their runs, people and time do, in any order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { given } from '../support/given.ts';
import { puppetry } from '../support/puppet.ts';
import { script } from '../support/script.ts';
import { Theatre } from '../support/theatre.ts';

const expected = [
  'slot.granted',
  'execution.parked',
  'step.completed',
  'step.failed',
  'interaction.requested',
  'interaction.answered',
  'interaction.expired',
  'sleep.elapsed',
  'execution.completed',
  'execution.failed',
];

const limits = fc.record({ maxConcurrency: fc.integer({ min: 1, max: 3 }), maxQueued: fc.integer({ min: 0, max: 3 }) });

test('whatever happens in whichever order: one answer per prompt, one end, no slot too many, nothing lost', async (t) => {
  const happened = new Map<string, number>();

  await fc.assert(
    fc.asyncProperty(limits, script, async (limited, lines) => {
      const { workflow, puppets } = puppetry();
      const options = {
        ...limited,
        parkedTimeoutMs: 200_000,
        promptGraceMs: 1_000,
        retentionMs: 1e12,
        maxSettled: 1e6,
      };
      const world = await given.runtime(t, { workflows: [workflow], options });
      const theatre = new Theatre(world, puppets);

      for (const line of lines) await theatre.perform(line);
      await theatre.finish();
      for (const [type, count] of theatre.facts) happened.set(type, (happened.get(type) ?? 0) + count);

      await world.runtime.stop();
    }),
    { numRuns: 300 },
  );

  t.diagnostic([...happened].map(([type, count]) => `${type} ${count}`).join(', '));
  for (const type of expected) assert.ok((happened.get(type) ?? 0) > 20, `${type} has hardly happened`);
});
