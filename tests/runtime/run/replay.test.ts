/** A run that is executed again: each call of `ctx` gives what it gave before, and what was done is not done twice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { type Context, type Runtime, text, workflow } from '../../../runtime/index.ts';
import { RunTrace } from '../../../runtime/nat/run-metadata.ts';
import { DurableWorld } from '../../support/durable.ts';
import { operator } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const ways = { stopped: 'reopen', lost: 'crashAndReopen' } as const;

/** Does something, asks, and gives back what it had done before, in each of its lives. */
const asking = (done: (ctx: Context, input: unknown) => Promise<unknown> | unknown, more: object = {}) => {
  const lives: unknown[] = [];
  const served = workflow({
    name: 'asking',
    ...more,
    run: async (input: unknown, ctx) => {
      const before = await done(ctx, input);
      lives.push(before);
      const { text: said } = await ctx.prompt(text({ text: 'Go on?' }));
      return { before, said };
    },
  });
  return { served, lives };
};

for (const [how, again] of Object.entries(ways)) {
  test(`a step that was done is not done again when its process was ${how}, and gives the same`, async (t) => {
    let count = 0;
    const { served, lives } = asking((ctx) => ctx.step('count', () => ({ count: (count += 1) })));
    const world = await DurableWorld.open(t, [served]);
    const id = await world.start({ workflow: 'asking' });

    await world[again](served);
    await world.answer(id);

    assert.deepEqual(world.get(id).context.result, { before: { count: 1 }, said: 'yes' });
    assert.deepEqual([count, lives], [1, [{ count: 1 }, { count: 1 }]]);
  });
}

const calls: Record<string, (ctx: Context) => Promise<unknown> | unknown> = {
  now: (ctx) => ctx.now(),
  random: (ctx) => ctx.random(),
  'a step without a value': (ctx) => ctx.step('nothing', () => undefined),
  'a step whose value is more than JSON': (ctx) => ctx.step('date', () => ({ at: new Date(0), none: undefined })),
  'a step that fails': (ctx) =>
    ctx
      .step('fails', () => Promise.reject(new RangeError(`It broke at ${Math.random()}.`)))
      .catch((error) => {
        const { name, message } = error as Error;
        return { name, message };
      }),
  'an acknowledgement': (ctx) => ctx.notify('By the way.'),
  'the id of a span': (ctx) => ctx.span('TOOL', 'tool').id,
  'the idempotency key': (ctx) => ctx.idempotencyKey,
  'what was observed': (ctx) => ctx.observe('trace-1'),
  'the trace, and who asked': ({ trace, user, conversationId, userMessageId, streaming }) => [
    [trace.traceId, trace.runId, trace.parentId],
    [user, conversationId, userMessageId, streaming],
  ],
};

for (const [what, call] of Object.entries(calls)) {
  test(`${what}: the same in both lives of a run, and recorded once`, async (t) => {
    const { served, lives } = asking(call);
    const world = await DurableWorld.open(t, [served]);
    const trace = new RunTrace({ traceId: 'a'.repeat(32) });
    const id = await world.start({ workflow: 'asking', conversationId: 'c1', userMessageId: 'm1', trace });
    const before = world.facts(id);

    await world.crashAndReopen(served);
    await world.answer(id);

    assert.equal(lives.length, 2);
    assert.deepEqual(JSON.stringify(lives[1]), JSON.stringify(lives[0]));
    const news = ['interaction.answered', 'slot.granted', 'execution.completed'];
    assert.deepEqual(world.facts(id), [...before, ...news]);
  });
}

test('what was emitted and yielded is not repeated', async (t) => {
  const served = workflow({
    name: 'streaming',
    async *run(_input: unknown, ctx) {
      ctx.emit('one');
      yield 'two';
      await ctx.prompt(text({ text: 'More?' }));
      yield 'three';
    },
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'streaming', streaming: true });

  await world.crashAndReopen(served);
  await world.answer(id);

  const emitted = world.store
    .read(id)!
    .entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : []));
  assert.deepEqual(emitted, ['one', 'two', 'three']);
  assert.equal(world.get(id).status, 'completed');
});

test('a sleep goes on where it was, and a prompt expires when it would have', async (t) => {
  const served = workflow({
    name: 'waiting',
    run: async (_input: unknown, ctx) => {
      await ctx.sleep(10_000);
      return (await ctx.prompt(text({ text: 'Well?', timeoutS: 10, default: 'nobody' }))).text;
    },
  });
  const world = await DurableWorld.open(t, [served], { options: { promptGraceMs: 0 } });
  const id = await world.start({ workflow: 'waiting' });
  await world.pass(6_000);
  await world.crashAndReopen(served);
  await world.pass(3_999);
  assert.equal(world.facts(id).includes('sleep.elapsed'), false);
  await world.pass(1);
  assert.equal(world.get(id).status, 'awaiting_interaction');

  await world.crash();
  world.clock.advance(20_000);
  await world.open(served);
  await world.pass(1);

  assert.deepEqual([world.get(id).status, world.get(id).context.result], ['completed', 'nobody']);
});

test('branches that were answered in one order hear it in that order again', async (t) => {
  const heard: string[] = [];
  const served = workflow({
    name: 'branching',
    run: async (_input: unknown, ctx) => {
      const branch = async (name: string) => {
        const { text: said } = await ctx.prompt(text({ text: name }));
        heard.push(name);
        return ctx.step(name, () => `${name} ${said}`);
      };
      return Promise.all(['a', 'b', 'c'].map(branch));
    },
  });
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    for (const crashes of [[0], [1], [2], [0, 1, 2]]) {
      heard.length = 0;
      const world = await DurableWorld.open(t, [served]);
      const id = await world.start({ workflow: 'branching' });
      const pauses = world.get(id).context.pauses.map((pause) => pause.id);
      const names = order.map((place) => 'abc'[place]);

      for (const [turn, place] of order.entries()) {
        if (crashes.includes(turn)) await world.crashAndReopen(served);
        const open = world.get(id).context.pauses.findIndex((pause) => pause.id === pauses[place]);
        await world.answer(id, open, String(turn));
      }

      assert.equal(world.get(id).status, 'completed', `${order} ${crashes}: ${world.get(id).context.error?.message}`);
      assert.deepEqual(heard.slice(-3), names);
      await world.crash();
      await world.open(served);
    }
  }
});

test('an input that a schema has made is made again, and the log does not say twice what it has said', async (t) => {
  const said: string[] = [];
  const { served, lives } = asking(
    (ctx, input) => {
      ctx.log.info({}, 'began');
      return (input as { at: Date }).at.getTime();
    },
    { input: z.object({ at: z.coerce.date() }) },
  );
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'asking', input: { at: new Date(5).toISOString() } });

  await world.crashAndReopen(served);
  await world.answer(id);

  said.push(...world.logged.flatMap(({ message }) => (message === 'began' ? [message] : [])));
  assert.deepEqual([lives, said, world.get(id).status], [[5, 5], ['began'], 'completed']);
});

test('a run that was given no input is given none again, and what JSON has for an object in every life', async (t) => {
  const optional = z.object({ at: z.iso.datetime() }).optional();
  const { served, lives } = asking((_ctx, input) => input ?? 'none', { input: optional });
  const world = await DurableWorld.open(t, [served]);
  const none = await world.start({ workflow: 'asking', input: undefined });
  const dated = await world.start({ workflow: 'asking', input: { at: new Date(5) } });

  await world.crashAndReopen(served);
  await world.answer(none);
  await world.answer(dated);

  const at = new Date(5).toISOString();
  assert.deepEqual(lives, ['none', { at }, 'none', { at }]);
  assert.deepEqual([world.get(none).status, world.get(dated).status], ['completed', 'completed']);
});

test('an input that JSON would lose is refused by name', async (t) => {
  const { served } = asking((_ctx, input) => input);
  const world = await DurableWorld.open(t, [served]);

  await assert.rejects(world.start({ workflow: 'asking', input: { ids: new Set([1]) } }), {
    code: 'input_invalid',
    message: /^The input cannot be written as JSON: at \.ids: it is a Set/,
  });
});

test('a start and an answer with the same key are the same after a crash', async (t) => {
  const { served } = asking(() => 1);
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'asking', idempotencyKey: 'k1' });
  const [pause] = world.get(id).context.pauses;
  const answer = (runtime: Runtime, said: string) =>
    runtime.answer(id, pause!.id, { kind: 'text', text: said }, { userId: 'alice' }, 'a1');
  await answer(world.runtime, 'yes');

  await world.crashAndReopen(served);

  assert.equal(await world.start({ workflow: 'asking', idempotencyKey: 'k1' }), id);
  assert.equal(await answer(world.runtime, 'yes'), 'accepted');
  await assert.rejects(answer(world.runtime, 'no'), { code: 'idempotency_key_reused' });
  await assert.rejects(world.start({ workflow: 'asking', idempotencyKey: 'k1', input: 2 }), {
    code: 'idempotency_key_reused',
  });
  assert.equal(immediate(world.runtime.list(operator, { limit: 9 })).executions.length, 1);
});
