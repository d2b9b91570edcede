/** How long the records of settled executions are kept, and how many of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Execution } from '../../../runtime/executions/execution.ts';
import { workflow } from '../../../runtime/index.ts';
import { controlledWorkflow } from '../../support/controlled-workflow.ts';
import { alice, given, turns } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';

/** Fails before its first turn is over. */
const instant = workflow({
  name: 'instant',
  run: () => {
    throw new Error('at once');
  },
});
const retentionMs = 1_000;

type Command = 'settle' | { readonly settlesFor: number } | { readonly passes: number } | { readonly expire: number };
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('settle' as const) },
  { weight: 2, arbitrary: fc.constantFrom(1, 500, 1_000, 3_000).map((settlesFor) => ({ settlesFor })) },
  { weight: 3, arbitrary: fc.constantFrom(1, 300, 999, 1_000).map((passes) => ({ passes })) },
  { weight: 1, arbitrary: fc.nat(20).map((expire) => ({ expire })) },
);

test('a record is kept until its time is over, there are too many, or it is deleted, and not longer', async (t) => {
  const commands = fc.array(command, { maxLength: 40, size: 'max' });

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 4 }), commands, async (maxSettled, commanded) => {
      const options = { retentionMs, maxSettled };
      const { runtime, clock, start } = await given.runtime(t, { workflows: [instant], options });
      const all: Execution[] = [];
      let kept: { readonly execution: Execution; readonly until: number }[] = [];

      for (const next of commanded) {
        if (next === 'settle' || 'settlesFor' in next) {
          const forMs = next === 'settle' ? retentionMs : next.settlesFor;
          clock.advance(1); // which of two is older is not said of those that have settled at the same time
          const execution = await start(next === 'settle' ? { by: alice } : { by: alice, retentionMs: forMs });
          all.push(execution);
          kept.push({ execution, until: clock.now() + forMs });
        } else if ('passes' in next) clock.advance(next.passes);
        else if (all.length > 0) {
          const execution = all[next.expire % all.length]!;
          engineOf(runtime).expire(execution);
          kept = kept.filter((one) => one.execution !== execution);
        }
        kept = kept.filter(({ until }) => until > clock.now());
        kept = kept.slice(-maxSettled || kept.length + 1);

        for (const execution of all) {
          const isKept = kept.some((one) => one.execution === execution);
          assert.equal(immediate(runtime.get(execution.id, alice)) !== undefined, isKept);
          assert.equal((await runtime.facts(execution.id, 0, alice)) !== undefined, isKept);
        }
        const { executions } = immediate(runtime.list(alice, { limit: 100 }));
        assert.deepEqual(
          executions.map(({ id }) => id),
          kept.map(({ execution }) => execution.id).reverse(),
        );
      }
      await runtime.stop();
    }),
    { numRuns: 100 },
  );
});

test('a live execution is kept however old it is, and however many others have settled', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const options = { retentionMs, maxSettled: 2 };
  const { runtime, clock, start } = await given.runtime(t, { workflows: [served, instant], options });
  const live = await start({ by: alice });

  for (let count = 0; count < 10; count += 1) await start({ workflow: 'instant', by: alice });
  clock.advance(100 * retentionMs);

  assert.deepEqual(
    immediate(runtime.list(alice, { limit: 100 })).executions.map(({ id }) => id),
    [live.id],
  );
  runs.get(live.id)!.complete('done');
  await turns();
  assert.equal(immediate(runtime.get(live.id, alice))?.status, 'completed', 'its time begins with its end');
});

test('however many records there are, one timer is set for them', async (t) => {
  const { runtime, start } = await given.runtime(t, { workflows: [instant], options: { retentionMs } });
  await turns();
  const before = runtime.pendingTimers;

  for (let count = 0; count < 500; count += 1) await start();

  assert.ok(runtime.pendingTimers <= before + 2, 'one for them, and one for the builder which is idle again');
});

test('who watches a record learns that its time is over, and finds nothing any more', async (t) => {
  const { runtime, clock, start } = await given.runtime(t, { workflows: [instant], options: { retentionMs } });
  const execution = await start({ by: alice });
  const told: string[] = [];
  const unwatch = execution.watch(({ type }) => {
    told.push(`${type}, ${immediate(runtime.get(execution.id, alice)) === undefined ? 'unknown' : 'known'}`);
  });

  clock.advance(retentionMs);
  await turns();

  unwatch();
  assert.deepEqual(told, ['retention.elapsed, unknown']);
  assert.equal(execution.status, 'idle-expiring');
});

test('a page that begins where a record was goes on there, although the record is gone', async (t) => {
  const { runtime, clock, start } = await given.runtime(t, { workflows: [instant], options: { retentionMs } });
  const ids: string[] = [];
  for (let count = 0; count < 6; count += 1) {
    ids.unshift((await start({ by: alice })).id);
    clock.advance(100);
  }
  const first = immediate(runtime.list(alice, { limit: 2 }));
  assert.deepEqual(
    first.executions.map(({ id }) => id),
    ids.slice(0, 2),
  );

  runtime.expire(first.executions[1]!.id);
  const second = immediate(runtime.list(alice, { limit: 2, before: first.next }));

  assert.deepEqual(
    second.executions.map(({ id }) => id),
    ids.slice(2, 4),
  );
});

test('pages give every record once, in order, whatever has been started in the same moment', async (t) => {
  const { runtime, start } = await given.runtime(t, { workflows: [instant] });
  const ids: string[] = [];
  for (let count = 0; count < 23; count += 1) ids.unshift((await start({ by: alice })).id);

  for (const limit of [1, 2, 7, 22, 23, 24]) {
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = immediate(runtime.list(alice, { limit, before }));
      seen.push(...page.executions.map(({ id }) => id));
      before = page.next;
    } while (before !== undefined);
    assert.deepEqual(seen, ids, `pages of ${limit}`);
  }
  assert.throws(() => immediate(runtime.list(alice, { limit: 1, before: ids[0] })), { code: 'request_invalid' });
});
