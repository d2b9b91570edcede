/** A run that is executed again by another workflow than the one that began it: it ends, and says what differs. */
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
    'call 0, step "pay"',
    'call 0, now',
  ],
  [
    'a step of another name',
    (ctx) => ctx.step('refund', () => assert.fail('it was refunded')),
    'call 0, step "pay"',
    'call 0, step "refund"',
  ],
  [
    'a prompt of another kind',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      ctx.now();
      await ctx.prompt(yesOrNo);
    },
    'call 2, prompt (text) "Go on?"',
    'call 2, prompt (binary_choice) "Go on?"',
  ],
  ['an earlier end', (ctx) => ctx.step('pay', () => 1), 'call 1, now', 'its end'],
  [
    'an error that was not there',
    async (ctx) => {
      await ctx.step('pay', () => 1);
      throw new RangeError('It broke.');
    },
    'call 1, now',
    'RangeError: It broke.',
  ],
];

for (const [what, run, expected, came] of changes) {
  test(`a workflow that makes ${what} ends the run, and is told what was expected and what came`, async (t) => {
    const world = await DurableWorld.open(t, [original]);
    const id = await world.start({ workflow: 'changing' });

    await world.crashAndReopen(serving(run));
    await world.answer(id);

    const { error } = world.get(id).context;
    assert.equal(error?.code, 'workflow_changed');
    assert.ok(error?.message.includes(`its journal has ${expected}; now came ${came}.`), error?.message);
  });
}

test('a workflow that does not make the next call, and waits, ends after a minute or two', async (t) => {
  const both = (then: (ctx: Context) => unknown) =>
    serving((ctx) => Promise.all([ask(ctx).then(() => then(ctx)), ask(ctx)]));
  const world = await DurableWorld.open(t, [both((ctx) => ctx.now())]);
  const id = await world.start({ workflow: 'changing' });
  await world.answer(id);

  await world.crashAndReopen(both(() => 'nothing'));
  const [pause] = world.get(id).context.pauses;
  await world.runtime.answer(id, pause!.id, { kind: 'text', text: 'yes' }, { userId: 'alice' });
  await world.quiet();
  assert.equal(world.get(id).isSettled, false);
  await world.pass(60_000);
  await world.pass(60_000);

  const { error } = world.get(id).context;
  assert.equal(error?.code, 'workflow_changed');
  assert.ok(error?.message.includes('call 2, now; now came nothing'), error?.message);
});

test('a workflow may say things in other words, and do more after what it has done', async (t) => {
  const world = await DurableWorld.open(t, [original]);
  const id = await world.start({ workflow: 'changing' });
  const reworded = serving(async (ctx) => {
    const paid = await ctx.step('pay', () => assert.fail('it was paid twice'));
    ctx.now();
    const { text: said } = await ctx.prompt(text({ text: 'Shall we go on?' }));
    return ctx.step('thank', () => `${paid} ${said}`);
  });

  await world.crashAndReopen(reworded);
  await world.answer(id);

  assert.equal(world.get(id).context.result, '1 yes');
});
