/** A run that is executed again by code that does not fit its journal: it waits, says what differs, and goes on with code that fits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { binaryChoice, type Context, text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { engineOf } from '../../support/in-process.ts';

const serving = (run: (ctx: Context) => unknown, more: { readonly version?: string } = {}) =>
  workflow({ name: 'changing', ...more, run: async (_input: unknown, ctx) => run(ctx) });

const ask = (ctx: Context, words = 'Go on?') => ctx.prompt(text({ text: words }));

const original = serving(async (ctx) => {
  const paid = await ctx.step('pay', () => 1);
  ctx.now();
  const { text: said } = await ask(ctx);
  return `${paid} ${said}`;
});

const yesOrNo = binaryChoice({
  text: 'Go on?',
  options: [
    { id: 'y', label: 'Yes', value: true },
    { id: 'n', label: 'No', value: false },
  ],
});

/** How long it may take a run to do again what the journal has, where something else has come; and where nothing has. */
const [DIVERGED_MS, STALL_MS] = [2_000, 60_000];

const changes: readonly [string, (ctx: Context) => unknown, expected: string, came: string][] = [
  [
    'makes calls in another order',
    async (ctx) => {
      ctx.now();
      await ctx.step('pay', () => assert.fail('it was paid twice'));
    },
    'step "pay"',
    'now',
  ],
  [
    'makes a step of another name',
    (ctx) => ctx.step('refund', () => assert.fail('it was refunded')),
    'step "pay"',
    'step "refund"',
  ],
  [
    'makes a prompt of another kind',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      ctx.now();
      await ctx.prompt(yesOrNo);
    },
    'prompt (text) "Go on?"',
    'prompt (binary_choice) "Go on?"',
  ],
  [
    'asks in other words',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      ctx.now();
      await ask(ctx, 'Shall we go on?');
    },
    'prompt (text) "Go on?"',
    'prompt (text) "Shall we go on?"',
  ],
  ['returns earlier', (ctx) => ctx.step('pay', () => 1), 'now', 'the end of the function'],
  [
    'throws an error that was not there',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      throw new RangeError('It broke.');
    },
    'now',
    'the end of the function, by RangeError: It broke.',
  ],
];

for (const [what, run, expected, came] of changes) {
  test(`a workflow that ${what} is blocked, and it is told what was expected and what came`, async (t) => {
    const world = await DurableWorld.open(t, [original]);
    const id = await world.start({ workflow: 'changing' });

    await world.crashAndReopen(serving(run));
    await world.answer(id);
    const before = world.facts(id);
    await world.pass(DIVERGED_MS - 1);
    assert.deepEqual(world.facts(id), before, 'nothing new is done before it is known whether the code fits');
    await world.pass(1);

    const { status, context } = world.get(id);
    const { since, ...blocked } = context.blocked!;
    assert.deepEqual([status, since], ['running', world.clock.now()]);
    assert.deepEqual(blocked, { expected, came, version: '1' });
    assert.deepEqual(world.facts(id), [...before, 'execution.blocked']);
    const { slots } = world.runtime.builders('changing').get(null)!;
    assert.deepEqual([slots.held, slots.queued], [0, 0], 'it holds no slot');
  });
}

test('a workflow that does not make the next call, and makes no other, is blocked after a minute', async (t) => {
  const both = (then: (ctx: Context) => unknown) =>
    serving((ctx) => Promise.all([ask(ctx).then(() => then(ctx)), ask(ctx, 'And then?')]));
  const world = await DurableWorld.open(t, [both((ctx) => ctx.now())]);
  const id = await world.start({ workflow: 'changing' });
  await world.answer(id);

  await world.crashAndReopen(both(() => new Promise(() => {})));
  await world.answer(id);
  await world.pass(STALL_MS - 1);
  assert.equal(world.get(id).context.blocked, null);
  await world.pass(1);

  const { expected, came } = world.get(id).context.blocked!;
  assert.deepEqual([expected, came], ['now', 'nothing yet']);
});

test('an answer that is given while an execution is blocked is kept, and found when it goes on', async (t) => {
  const reader = (name: string) =>
    serving(async (ctx) => {
      await ctx.step(name, () => 1);
      const answers = await Promise.all([ask(ctx, 'One?'), ask(ctx, 'Two?')]);
      return answers.map(({ text: said }) => said);
    });
  const world = await DurableWorld.open(t, [reader('read')]);
  const id = await world.start({ workflow: 'changing' });
  await world.crashAndReopen(reader('read it'));
  await world.answer(id, 0, 'first');
  await world.pass(DIVERGED_MS);
  assert.equal(world.get(id).context.blocked?.expected, 'step "read"');

  await world.answer(id, 0, 'second');
  assert.equal(world.get(id).status, 'running');
  await world.reopen(reader('read'));

  assert.deepEqual(world.get(id).context.result, ['first', 'second']);
});

test('a blocked execution that is retried goes on if the code fits now, and is blocked again if it does not', async (t) => {
  let step = 'pay';
  const world = await DurableWorld.open(t, [serving(async (ctx) => [await ctx.step(step, () => 1), await ask(ctx)])]);
  const id = await world.start({ workflow: 'changing' });
  step = 'refund';
  await world.reopen(serving(async (ctx) => [await ctx.step(step, () => 2), await ask(ctx)]));
  await world.answer(id);
  await world.pass(DIVERGED_MS);
  const retry = async () => {
    const isTried = await engineOf(world.runtime).continued.retry(world.get(id));
    await world.quiet();
    return isTried;
  };

  assert.equal(await retry(), true);
  assert.equal(world.get(id).context.blocked, null);
  await world.pass(DIVERGED_MS);
  assert.equal(world.get(id).context.blocked?.came, 'step "refund"');
  step = 'pay';
  assert.equal(await retry(), true);

  assert.equal(world.get(id).status, 'completed');
  assert.equal(await retry(), false, 'it is not blocked');
});

test('a blocked execution can be cancelled', async (t) => {
  const world = await DurableWorld.open(t, [original]);
  const id = await world.start({ workflow: 'changing' });
  await world.reopen(serving(() => 'at once'));
  await world.answer(id);
  await world.pass(DIVERGED_MS);

  await world.runtime.cancel(id, { userId: 'alice' });

  assert.deepEqual([world.get(id).context.error?.code, world.get(id).context.blocked], ['cancelled', null]);
});

test('a call that comes after all lets a blocked execution go on by itself', async (t) => {
  let come = (): void => {};
  const serve = (late: Promise<void>) =>
    serving(async (ctx) => {
      await late;
      return [await ctx.step('pay', () => 1), (await ask(ctx)).text];
    });
  const world = await DurableWorld.open(t, [serve(Promise.resolve())]);
  const id = await world.start({ workflow: 'changing' });
  await world.crashAndReopen(serve(new Promise((resolve) => (come = resolve))));
  await world.answer(id);
  await world.pass(STALL_MS);
  assert.equal(world.get(id).context.blocked?.came, 'nothing yet');

  come();
  await world.quiet();

  assert.deepEqual(world.get(id).context.result, [1, 'yes']);
  assert.equal(world.facts(id).includes('execution.unblocked'), true);
});

test('a prompt with a key is found again whatever its words, and more may be done after what was done', async (t) => {
  const keyed = (words: string, then: (ctx: Context, said: string) => unknown) =>
    serving(async (ctx) => {
      const paid = await ctx.step('pay', () => 1);
      const { text: said } = await ctx.prompt(text({ text: words }), { key: 'go-on' });
      return then(ctx, `${paid} ${said}`);
    });
  const world = await DurableWorld.open(t, [keyed('Go on?', (_ctx, said) => said)]);
  const id = await world.start({ workflow: 'changing' });

  await world.crashAndReopen(keyed('Shall we go on?', (ctx, said) => ctx.step('thank', () => `${said}, thanks`)));
  await world.answer(id);

  assert.equal(world.get(id).context.result, '1 yes, thanks');
});

test('an execution goes on with the version that it was started with, and new ones with the one listed last', async (t) => {
  const versioned = (version: string) => serving(async (ctx) => `${(await ask(ctx)).text} ${version}`, { version });
  const world = await DurableWorld.open(t, [versioned('1')]);
  const first = await world.start({ workflow: 'changing' });
  await world.crashAndReopen(versioned('1'), versioned('2'));
  const second = await world.start({ workflow: 'changing' });

  await world.answer(first);
  await world.answer(second);

  assert.deepEqual([world.get(first).context.result, world.get(second).context.result], ['yes 1', 'yes 2']);
});

test('an execution of a version that is not served is blocked, and goes on with that version or, when retried, with the newest', async (t) => {
  const versioned = (version: string) => serving(async (ctx) => `${(await ask(ctx)).text} ${version}`, { version });
  const world = await DurableWorld.open(t, [versioned('1')]);
  const [one, other] = [await world.start({ workflow: 'changing' }), await world.start({ workflow: 'changing' })];
  await world.crashAndReopen(versioned('2'));
  assert.deepEqual([world.get(one).status, world.get(one).context.blocked], ['awaiting_interaction', null]);
  await world.answer(one);
  await world.answer(other);
  const { expected, came, version } = world.get(one).context.blocked!;
  assert.deepEqual([expected, came, version], ['version 1 of workflow changing', 'version 2, and no other', '2']);

  await engineOf(world.runtime).continued.retry(world.get(one));
  await world.quiet();
  await world.reopen(versioned('1'), versioned('2'));

  assert.deepEqual([world.get(one).context.result, world.get(other).context.result], ['yes 2', 'yes 1']);
});

test('an input that the schema does not take any more blocks the execution', async (t) => {
  const taking = (input: z.ZodType) =>
    workflow({ name: 'changing', input, run: async (_input, ctx) => (await ask(ctx)).text });
  const world = await DurableWorld.open(t, [taking(z.object({ amount: z.number() }))]);
  const id = await world.start({ workflow: 'changing', input: { amount: 1 } });

  await world.crashAndReopen(taking(z.object({ amount: z.string() })));
  await world.answer(id);

  const { expected, came } = world.get(id).context.blocked!;
  assert.equal(expected, 'the input as it came');
  assert.match(came, /^a schema that does not take it: .*expected string/);
});
