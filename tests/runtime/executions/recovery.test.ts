/** What becomes of executions whose process is gone, or that have left memory while they waited. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExecutionContext } from '../../../machines/execution.ts';
import { text, workflow } from '../../../runtime/index.ts';
import { foldJournal } from '../../../runtime/journal/fold-journal.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice, bob } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { start } from '../../support/start.ts';

const stuck = (name: string, more: object = {}) => {
  const state = { runs: 0 };
  const served = workflow({
    name,
    ...more,
    run: async (_input: unknown, ctx) => {
      state.runs += 1;
      await ctx.step('never ends', () => new Promise(() => {}));
    },
  });
  return { served, state };
};

const asking = (more: object = {}) =>
  workflow({
    name: 'asking',
    ...more,
    run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
  });

test('a run that may not be executed again ends as interrupted when its process is lost', async (t) => {
  const { served, state } = stuck('once', { recover: 'fail' });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'once' });

  await world.crashAndReopen(served);

  assert.deepEqual([world.get(id).context.error?.code, state.runs], ['interrupted', 1]);
});

test('a run that brings its process down again and again is given up after so many times', async (t) => {
  const { served, state } = stuck('deadly');
  const world = await DurableWorld.open(t, [served], { options: { maxRecoveries: 3 } });
  const id = await world.start({ workflow: 'deadly' });

  for (let crash = 0; crash < 4; crash += 1) {
    await world.crashAndReopen(served);
    assert.equal(world.get(id).status, 'running');
  }
  await world.crashAndReopen(served);

  assert.deepEqual(
    [world.get(id).context.error?.code, state.runs],
    ['interrupted', 5],
    'once with all, and 3 times alone',
  );
});

test('an execution of a workflow that is not served waits, can be looked at, and goes on when it is served', async (t) => {
  const { served } = stuck('other');
  const world = await DurableWorld.open(t, [asking(), served]);
  const [waiting, working] = [await world.start({ workflow: 'asking' }), await world.start({ workflow: 'other' })];

  await world.crashAndReopen(workflow({ name: 'none of them', run: () => 1 }));
  assert.deepEqual([world.get(waiting).status, world.get(working).status], ['awaiting_interaction', 'running']);
  await world.answer(waiting);
  assert.equal(world.get(waiting).isSettled, false);
  const reported = world.logged.filter(({ message }) => message?.includes('not served'));
  assert.equal(reported.length, 2);

  await world.crashAndReopen(
    asking(),
    workflow({ name: 'other', run: async (_, ctx) => ctx.step('never ends', () => 2) }),
  );

  assert.deepEqual([world.get(waiting).context.result, world.get(working).status], ['yes', 'completed']);
});

test('open executions of a version that is not served are reported, and blocked when they have work to do', async (t) => {
  const world = await DurableWorld.open(t, [asking({ version: '1' })]);
  const id = await world.start({ workflow: 'asking' });

  await world.crashAndReopen(asking({ version: '2' }));
  await world.answer(id);

  const [reported] = world.logged.filter(({ message }) => message?.includes('a version that is not served'));
  assert.deepEqual(
    { ...reported, message: '' },
    { workflow: 'asking', open: 1, startedWith: '1', served: '2', message: '' },
  );
  const { status, context } = world.get(id);
  const { expected, came, version } = context.blocked!;
  assert.deepEqual(
    [status, expected, came, version],
    ['running', 'version 1 of workflow asking', 'version 2, and no other', '2'],
  );
});

test('those that are executed again wait for a slot as all others do', async (t) => {
  const { served } = stuck('busy');
  const world = await DurableWorld.open(t, [served], { options: { maxConcurrency: 2 } });
  for (let count = 0; count < 5; count += 1) await world.start({ workflow: 'busy' });

  await world.crashAndReopen(served);

  const { slots } = world.runtime.builders('busy').get(null)!;
  assert.deepEqual([slots.held, slots.queued], [2, 3]);
});

test('the resources of a user are opened again for a run that goes on', async (t) => {
  const built: string[] = [];
  const served = workflow({
    name: 'personal',
    perUser: { build: (user) => ({ user, place: built.push(user) }) },
    run: async (_input: unknown, ctx, { user }) => `${user} said ${(await ctx.prompt(text({ text: 'Well?' }))).text}`,
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'personal', by: alice });
  await world.start({ workflow: 'personal', by: bob });

  await world.crashAndReopen(served);
  await world.answer(id);

  assert.equal(world.get(id).context.result, 'alice said yes');
  assert.deepEqual(built, ['alice', 'bob', 'alice'], 'bob waits, and nothing is opened for him yet');
});

const hibernation = { options: { hibernateAfterMs: 10_000, promptGraceMs: 0 } };

test('a parked execution leaves memory, and an answer brings it back', async (t) => {
  const served = asking();
  const world = await DurableWorld.open(t, [served], hibernation);
  const id = await world.start({ workflow: 'asking' });
  assert.equal(world.isInMemory(id), true);

  await world.pass(10_000);
  assert.equal(world.isInMemory(id), false);
  await world.answer(id);

  assert.equal(world.get(id).context.result, 'yes');
});

test('an execution that is looked at comes back, and leaves again; one that is watched stays', async (t) => {
  const world = await DurableWorld.open(t, [asking()], hibernation);
  const id = await world.start({ workflow: 'asking' });
  await world.pass(10_000);

  const unwatch = immediate(world.runtime.get(id, alice))!.watch(() => {});
  await world.pass(30_000);
  assert.equal(world.isInMemory(id), true);
  unwatch();
  await world.pass(20_000);

  assert.equal(world.isInMemory(id), false);
});

test('the deadline of an execution that has left memory wakes it', async (t) => {
  const served = workflow({
    name: 'patient',
    run: async (_input: unknown, ctx) =>
      (await ctx.prompt(text({ text: 'Well?', timeoutS: 60, default: 'nobody' }))).text,
  });
  const world = await DurableWorld.open(t, [served], hibernation);
  const id = await world.start({ workflow: 'patient' });
  await world.pass(59_999);
  assert.equal(world.isInMemory(id), false);

  await world.pass(1);

  assert.deepEqual([world.get(id).context.result, world.get(id).context.settledAt], ['nobody', world.clock.now()]);
});

test('a start that is sent twice while the first is being kept is one start', async (t) => {
  const world = await DurableWorld.open(t, [asking()]);
  const ask = () => world.start({ workflow: 'asking', idempotencyKey: 'k1' });

  const ids = await Promise.all([ask(), ask(), ask()]);

  assert.equal(new Set(ids).size, 1);
});

test('a journal that has dropped output is replayed without repeating any', async (t) => {
  const served = workflow({
    name: 'wordy',
    run: async (_input: unknown, ctx) => {
      const at = ctx.now();
      for (let word = 0; word < 50; word += 1) ctx.emit(word);
      await ctx.prompt(text({ text: 'More?' }));
      ctx.emit('last');
      return at === ctx.now() || 'done';
    },
  });
  const world = await DurableWorld.open(t, [served], { maxJournalFacts: 20 });
  const id = await world.start({ workflow: 'wordy' });

  await world.crashAndReopen(served);
  await world.answer(id);

  const { entries } = world.store.read(id)!;
  assert.equal(world.get(id).status, 'completed', world.facts(id).join(' '));
  const words = entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : []));
  assert.deepEqual([world.get(id).status, world.get(id).context.error], ['completed', null]);
  assert.deepEqual(words.at(-1), 'last');
  assert.equal(new Set(words).size, words.length);
});

type Move = 'prompt' | 'step' | 'sleep' | 'emit' | 'now' | 'both';
const moves = fc.array(fc.constantFrom<Move>('prompt', 'step', 'sleep', 'emit', 'now', 'both'), { maxLength: 8 });

test('any part of a journal, from its beginning, is folded to what the execution was then', async (t) => {
  const served = workflow({
    name: 'moving',
    run: async (input: unknown, ctx) => {
      for (const move of input as Move[]) {
        if (move === 'prompt') await ctx.prompt(text({ text: 'Well?' }));
        if (move === 'step') await ctx.step('step', () => 1);
        if (move === 'sleep') await ctx.sleep(1_000);
        if (move === 'emit') ctx.emit('a part');
        if (move === 'now') ctx.now();
        if (move === 'both') await Promise.all([ctx.prompt(text({ text: 'And?' })), ctx.step('also', () => 2)]);
      }
    },
  });
  const world = await DurableWorld.open(t, [served]);

  await fc.assert(
    fc.asyncProperty(moves, async (input) => {
      const stood: ExecutionContext[] = [];
      const { execution } = await start(world.runtime, { workflow: 'moving', input });
      const see = () => stood.push(world.get(execution.id).context);
      execution.watch(see);
      const first = execution.context.seq;
      for (let left = 20; left > 0 && !execution.isSettled; left -= 1) {
        await world.quiet();
        if (execution.context.pauses[0]?.kind === 'interaction') await world.answer(execution.id);
        else await world.pass(1_000);
      }

      const { entries } = world.store.read(execution.id)!;
      assert.equal(execution.isSettled, true);
      for (const [index, context] of stood.entries()) {
        const snapshot = foldJournal(execution.id, entries.slice(0, first + index + 1));
        assert.deepEqual({ ...snapshot.context }, JSON.parse(JSON.stringify(context)));
      }
    }),
    { numRuns: 15 },
  );
});
