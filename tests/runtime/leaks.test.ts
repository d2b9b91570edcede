/** What has been and is forgotten costs nothing any more. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Caller, text, workflow } from '../../runtime/index.ts';
import { alice, given, turns } from '../support/given.ts';
import { heapUsed } from '../support/heap.ts';
import { immediate } from '../support/in-process.ts';

const mixed = workflow({
  name: 'mixed',
  run: async (input: unknown, ctx) => {
    ctx.emit('a part');
    if (input === 'asks') return (await ctx.prompt(text({ text: 'Which?', timeoutS: 60 }))).text;
    if (input === 'sleeps') await ctx.sleep(1_000);
    if (input === 'works') return ctx.step('work', () => 'done');
    if (input === 'fails') throw new Error('It broke.');
    if (input === 'waits') return new Promise(() => {});
    return 'done';
  },
});
const inputs = ['returns', 'returns', 'returns', 'asks', 'sleeps', 'works', 'fails', 'waits'] as const;
const ROUND = 1_000;

/** Does something a thousand times, fifty times at once. */
const inParts = async (once: (count: number) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < ROUND; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => once(from + index)));
  }
};

/** Rounds of a thousand executions each: answered, cancelled, run to their end, and forgotten when their time is over. */
const rounds = async (t: TestContext) => {
  const world = await given.runtime(t, { workflows: [mixed], options: { maxConcurrency: 0 } });
  const { runtime, clock, start } = world;
  const live = async (count: number): Promise<void> => {
    const input = inputs[count % inputs.length];
    const by: Caller = count % 2 === 0 ? alice : { userId: `user ${count % 97}` };
    const idempotencyKey = `${runtime.now()}-${count}`;
    const { id, context } = await start({ input, by, ...(count % 3 === 0 && { idempotencyKey }) });
    if (input === 'asks') await runtime.answer(id, context.pauses[0]!.id, { kind: 'text', text: 'This.' }, by);
    if (input === 'waits') await runtime.cancel(id, by);
  };
  const round = async (): Promise<void> => {
    await inParts(live);
    clock.advance(1_000);
    await turns();
    clock.advance(runtime.options.retentionMs);
    await turns();
  };
  return { ...world, round };
};

test('after a hundred thousand executions that are forgotten the heap is as it was', async (t) => {
  const { runtime, round } = await rounds(t);
  for (let count = 0; count < 10; count += 1) await round();
  const before = heapUsed();

  for (let count = 0; count < 100; count += 1) await round();

  const after = heapUsed();
  t.diagnostic(`heap ${(before / 2 ** 20).toFixed(1)} MB before, ${(after / 2 ** 20).toFixed(1)} MB after`);
  assert.ok(after < before * 1.1);
  assert.equal(immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 1 })).executions.length, 0);
});

test('after ten thousand users who came once the heap is as it was', async (t) => {
  const personal = workflow({
    name: 'personal',
    perUser: { build: (user, scope) => scope.defer(() => user.length) },
    run: () => 'done',
  });
  const { runtime, clock, start } = await given.runtime(t, { workflows: [personal] });
  let user = 0;
  const round = async (): Promise<void> => {
    await inParts(() => {
      user += 1;
      return start({ by: { userId: `user ${user}` } });
    });
    await turns();
    clock.advance(runtime.options.builderIdleMs + 1);
    await turns();
  };
  for (let count = 0; count < 3; count += 1) await round();
  const before = heapUsed();

  for (let count = 0; count < 10; count += 1) await round();

  const after = heapUsed();
  t.diagnostic(`heap ${(before / 2 ** 20).toFixed(1)} MB before, ${(after / 2 ** 20).toFixed(1)} MB after`);
  assert.ok(after < before * 1.1);
  assert.equal(runtime.builders('personal').list().length, 0);
});
