/** A journal that fills names the step and the setting: before it is full, and when it is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { immediate } from '../../support/in-process.ts';

const paying = workflow({
  name: 'paying',
  run: async (input: unknown, ctx) => {
    const { count, bytes, outputs = 0 } = input as { count: number; bytes: number; outputs?: number };
    for (let output = 0; output < outputs; output += 1) ctx.emit('x'.repeat(bytes));
    for (let step = 0; step < count; step += 1) await ctx.step('pay', () => 'x'.repeat(bytes));
    return 'done';
  },
});

const given = async (t: Parameters<typeof DurableWorld.open>[0], input: object) => {
  const world = await DurableWorld.open(t, [paying], { maxJournalFacts: 1_000, options: { maxJournalFacts: 1_000 } });
  const id = await world.start({ workflow: 'paying', input });
  await world.runtime.waitUntil(immediate(world.runtime.get(id, { userId: 'alice' }))!, ({ isSettled }) => isSettled);
  const warned = world.logged.filter(({ message }) => message?.startsWith('the journal is nearly full'));
  return { error: world.get(id).context.error, warned };
};

test('a value of five megabytes ends the run, and the step and the setting are named', async (t) => {
  const { error } = await given(t, { count: 1, bytes: 5_000_000 });

  assert.equal(error?.code, 'journal_full');
  assert.match(error.message, /has 50\d{5} bytes, and fermata\.max_journal_bytes is 4194304\..*step "pay": 50\d{5}\.$/);
});

test('at four fifths of the bytes operators are warned, once, by the name of the step', async (t) => {
  const { error, warned } = await given(t, { count: 37, bytes: 100_000 });

  assert.equal(error, null);
  assert.equal(warned.length, 1);
  assert.match(warned[0]?.message ?? '', /bytes, and fermata\.max_journal_bytes is 4194304\..*step "pay"/);
});

test('at four fifths of the facts operators are warned, once', async (t) => {
  const { error, warned } = await given(t, { count: 450, bytes: 1 });

  assert.equal(error, null);
  assert.equal(warned.length, 1);
  assert.match(warned[0]?.message ?? '', /facts, and fermata\.max_journal_facts is 1000\..*step "pay"/);
});

test('output that is dropped when there is no room is no reason to warn', async (t) => {
  const { error, warned } = await given(t, { count: 3, bytes: 100_000, outputs: 100 });

  assert.deepEqual([error, warned], [null, []]);
});

test('an input of eight megabytes counts for neither limit nor warning', async (t) => {
  const { error, warned } = await given(t, { count: 10, bytes: 100, padding: 'x'.repeat(8_000_000) });

  assert.deepEqual([error, warned], [null, []]);
});

test('a journal that is full is read once to say so, however much was recorded by then', async (t) => {
  const noisy = workflow({
    name: 'noisy',
    run: async (_, ctx) => {
      for (let count = 0; count < 1_500; count += 1) void ctx.notify(`note ${count}`);
      await ctx.sleep(60_000);
    },
  });
  const world = await DurableWorld.open(t, [noisy], { maxJournalFacts: 1_000, options: { maxJournalFacts: 1_000 } });
  const { store } = world;
  const read = store.read.bind(store);
  let reads = 0;
  store.read = (...given) => {
    reads += 1;
    return read(...given);
  };

  const id = await world.start({ workflow: 'noisy' });

  assert.equal(world.get(id).context.error?.code, 'journal_full');
  assert.ok(reads < 10, `${reads} reads`);
});
