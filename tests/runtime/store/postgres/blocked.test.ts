/** Blocked executions in a database: the next process that serves matching code continues them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trials } from '../../../../runtime/executions/trials.ts';
import { type Context, workflow } from '../../../../runtime/index.ts';
import { alice } from '../../../support/callers.ts';
import { turns } from '../../../support/given.ts';
import { withoutPostgres } from '../../../support/postgres.ts';
import { PostgresNodes } from '../../../support/postgres-nodes.ts';
import { start } from '../../../support/start.ts';

const serving = (run: (ctx: Context) => Promise<unknown>) => ({
  workflows: [workflow({ name: 'w', run: async (_: unknown, ctx) => run(ctx) })],
});

test('a blocked execution is continued by the next process that serves its code', {
  skip: withoutPostgres,
}, async (t) => {
  const nodes = await PostgresNodes.open(t);
  const busy = async (ctx: Context) => {
    await ctx.step('first', () => 1);
    return ctx.step('pay', () => new Promise(() => {}));
  };
  const first = await nodes.add(serving(busy));
  const { execution } = await start(first.runtime, { workflow: 'w' });
  await nodes.quiet();
  await nodes.expire(first);
  const second = await nodes.add(serving((ctx) => ctx.step('refund', () => 'refunded')));
  await nodes.pass(10_000);
  await nodes.until(async () => (await second.runtime.get(execution.id, alice))?.context.blocked != null);

  const served = serving(async (ctx) => {
    await ctx.step('first', () => 1);
    return ctx.step('pay', () => 'paid');
  });
  // A blocked execution leaves memory at once, also while the process looks whether it has killed others.
  const { open } = Trials.prototype;
  t.mock.method(Trials.prototype, 'open', async function (this: Trials, found: Parameters<typeof open>[0]) {
    await open.call(this, found);
    for (let turn = 0; turn < 20; turn += 1) {
      nodes.clock.advance(1);
      await turns(1);
    }
  });
  const third = await nodes.add({ ...served, options: { hibernateAfterMs: 0, restAfterMs: 0 } });
  await third.runtime.get(execution.id, alice); // a client that polls, while the other process still has it
  await nodes.expire(second);
  await nodes.pass(10_000);

  await nodes.until(async () => (await third.runtime.get(execution.id, alice))?.isSettled === true);
  assert.equal((await third.runtime.get(execution.id, alice))!.context.result, 'paid');
});
