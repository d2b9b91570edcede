/** A run that is executed again by another workflow than the one that began it: it waits, and says what differs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binaryChoice, type Context, text, workflow } from '../../runtime/index.ts';
import { DurableWorld } from '../support/durable.ts';

const serving = (run: (ctx: Context) => unknown) =>
  workflow({ name: 'changing', run: async (_input: unknown, ctx) => run(ctx) });

const ask = (ctx: Context) => ctx.prompt(text({ text: 'Go on?' }));

const original = serving(async (ctx) => {
  await ctx.step('pay', () => 1);
  ctx.now();
  await ask(ctx);
  return 'done';
});

const yesOrNo = binaryChoice({
  text: 'Go on?',
  options: [
    { id: 'y', label: 'Yes', value: true },
    { id: 'n', label: 'No', value: false },
  ],
});

const changes: readonly [string, (ctx: Context) => unknown, expected: string, came: string][] = [
  [
    'calls in another order',
    async (ctx) => {
      ctx.now();
      await ctx.step('pay', () => assert.fail('it was paid twice'));
    },
    'step "pay"',
    'now',
  ],
  [
    'a step of another name',
    (ctx) => ctx.step('refund', () => assert.fail('it was refunded')),
    'step "pay"',
    'step "refund"',
  ],
  [
    'a prompt of another kind',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      ctx.now();
      await ctx.prompt(yesOrNo);
    },
    'prompt (text) "Go on?"',
    'prompt (binary_choice) "Go on?"',
  ],
  ['an earlier end', (ctx) => ctx.step('pay', () => 1), 'now', 'the end of the function'],
  [
    'an error that was not there',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      throw new RangeError('It broke.');
    },
    'now',
    'the end of the function, by RangeError: It broke.',
  ],
];

for (const [what, run, expected, came] of changes) {
  test(`a workflow that makes ${what} blocks the execution, which says what was expected and what came`, async (t) => {
    const world = await DurableWorld.open(t, [original]);
    const id = await world.start({ workflow: 'changing' });

    await world.crashAndReopen(serving(run));
    await world.answer(id);
    await world.pass(3_000);

    const { status, context } = world.get(id);
    assert.deepEqual([status, context.blocked?.expected, context.blocked?.came], ['running', expected, came]);
  });
}

test('a workflow that does not make the next call, and waits, blocks the execution after a minute or two', async (t) => {
  const both = (then: (ctx: Context) => unknown) =>
    serving((ctx) => Promise.all([ask(ctx).then(() => then(ctx)), ask(ctx)]));
  const world = await DurableWorld.open(t, [both((ctx) => ctx.now())]);
  const id = await world.start({ workflow: 'changing' });
  await world.answer(id);

  await world.crashAndReopen(both(() => 'nothing'));
  const [pause] = world.get(id).context.pauses;
  await world.runtime.answer(id, pause!.id, { kind: 'text', text: 'yes' }, { userId: 'alice' });
  await world.quiet();
  assert.equal(world.get(id).context.blocked, null);
  await world.pass(61_000);
  await world.pass(61_000);

  const { blocked } = world.get(id).context;
  assert.deepEqual([blocked?.expected, blocked?.came], ['now', 'nothing yet']);
});

test('a prompt with a key may say things in other words, and more may be done after what has been done', async (t) => {
  const keyed = (words: string, then: (ctx: Context, said: string, paid: unknown) => unknown) =>
    serving(async (ctx) => {
      const paid = await ctx.step('pay', () => 1);
      const { text: said } = await ctx.prompt(text({ text: words }), { key: 'go-on' });
      return then(ctx, said, paid);
    });
  const world = await DurableWorld.open(t, [keyed('Go on?', () => 'done')]);
  const id = await world.start({ workflow: 'changing' });

  await world.crashAndReopen(keyed('Shall we go on?', (ctx, said, paid) => ctx.step('thank', () => `${paid} ${said}`)));
  await world.answer(id);

  assert.equal(world.get(id).context.result, '1 yes');
});

test('a call that comes late, after the execution was blocked, lets it go on', async (t) => {
  let isSlow = false;
  let release!: () => void;
  const served = serving(async (ctx) => {
    if (isSlow)
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    await ctx.step('pay', () => 1);
    return (await ask(ctx)).text;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'changing' });

  isSlow = true;
  await world.crashAndReopen(served);
  await world.answer(id);
  await world.pass(30_000);
  await world.pass(31_000);
  const { blocked } = world.get(id).context;
  release();
  await world.quiet();

  assert.equal(blocked?.expected, 'step "pay"');
  assert.equal(world.get(id).context.result, 'yes');
});
