/** Something is due for an execution that is asked to look by more than its own timer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';

test('an execution that is asked again and again to look for what is due has one timer all the same', async (t) => {
  const served = workflow({
    name: 'w',
    run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Well?', timeoutS: 600 }))).text,
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  const before = world.runtime.pendingTimers;

  for (let times = 0; times < 20; times += 1) world.get(id).due();

  assert.equal(world.runtime.pendingTimers, before);
});
