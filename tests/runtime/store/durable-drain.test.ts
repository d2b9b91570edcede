/** How a runtime whose store outlives it stops: what it leaves to the next one, and what it waits for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';

const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
});

const sleeping = workflow({
  name: 'sleeping',
  run: async (_input: unknown, ctx) => {
    await ctx.sleep(3_600_000);
    return 'awake';
  },
});

/** Does not end before it is told to. */
const working = (more: object = {}) => {
  let finish = (): void => {};
  const work = new Promise<string>((resolve) => {
    finish = () => resolve('done');
  });
  const served = workflow({ name: 'working', ...more, run: (_input: unknown, ctx) => ctx.step('work', () => work) });
  return { served, finish };
};

test('a runtime of which everything waits or sleeps stops at once, and leaves it all to the next one', async (t) => {
  const world = await DurableWorld.open(t, [asking, sleeping]);
  const [asked, slept] = [await world.start({ workflow: 'asking' }), await world.start({ workflow: 'sleeping' })];

  await world.runtime.stop(); // and no time passes
  await world.open(asking, sleeping);
  await world.answer(asked);
  await world.pass(3_600_000);

  assert.deepEqual([world.get(asked).context.result, world.get(slept).context.result], ['yes', 'awake']);
});

test('who watches an execution that is left is told at once', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const id = await world.start({ workflow: 'asking' });
  let isGone = false;
  world.get(id).watch(
    () => assert.fail('nothing happens to it'),
    () => {
      isGone = true;
    },
  );

  await world.runtime.stop();

  assert.ok(isGone);
});

test('a run that ends within the grace is waited for', async (t) => {
  const { served, finish } = working();
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'working' });

  const stopped = world.runtime.stop();
  finish();
  await stopped;
  await world.open(served);

  assert.equal(world.get(id).context.result, 'done');
});

test('a run that does not end within the grace goes on in the next runtime', async (t) => {
  const world = await DurableWorld.open(t, [working().served]);
  const id = await world.start({ workflow: 'working' });
  const next = working();

  await world.reopen(next.served);
  assert.equal(world.get(id).status, 'running');
  next.finish();
  await world.quiet();

  assert.equal(world.get(id).context.result, 'done');
  assert.ok(world.facts(id).includes('execution.recovered'));
});

test('a run that may not be executed again ends as interrupted when the grace is over', async (t) => {
  const { served } = working({ recover: 'fail' });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'working' });

  await world.reopen(served);

  assert.equal(world.get(id).context.error?.code, 'interrupted');
  assert.equal(world.facts(id).includes('execution.recovered'), false);
});
