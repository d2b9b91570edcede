/** What holds of all executions at all times, whatever their runs, people and time do, in any order. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { controlledWorkflow } from '../support/controlled-workflow.ts';
import { DelayedStore } from '../support/delayed-store.ts';
import { given } from '../support/given.ts';
import { type ScriptLine, script } from '../support/script.ts';
import { ScriptedExecutions } from '../support/scripted-executions.ts';

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

const play = async (t: TestContext, limited: object, lines: readonly ScriptLine[], isLate: boolean) => {
  const { workflow, runs } = controlledWorkflow();
  const options = { ...limited, parkedTimeoutMs: 200_000, promptGraceMs: 1_000, retentionMs: 1e12, maxSettled: 1e6 };
  const store = isLate ? new DelayedStore({ maxJournalFacts: 1e6, maxJournalBytes: 1e9 }) : undefined;
  const world = await given.runtime(t, { workflows: [workflow], options, ...(store && { store }) });
  const theatre = new ScriptedExecutions(world, runs, store);

  for (const line of lines) await theatre.perform(line);
  await theatre.finish();

  await world.runtime.stop();
  return theatre.facts;
};

for (const [store, isLate, numRuns] of [
  ['', false, 300],
  ['with a store that takes its time, ', true, 800],
] as const) {
  test(`${store}whatever happens: one answer per prompt, one end, no slot too many, nothing lost`, async (t) => {
    const happened = new Map<string, number>();

    await fc.assert(
      fc.asyncProperty(limits, script, async (limited, lines) => {
        const facts = await play(t, limited, lines, isLate);
        for (const [type, count] of facts) happened.set(type, (happened.get(type) ?? 0) + count);
      }),
      { numRuns },
    );

    t.diagnostic([...happened].map(([type, count]) => `${type} ${count}`).join(', '));
    for (const type of expected) assert.ok((happened.get(type) ?? 0) > 20, `${type} has hardly happened`);
  });
}
