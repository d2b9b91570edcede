/** Appends that the store refuses, because another process has changed the execution. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { RemoteStore } from '../../support/remote-store.ts';

const asks = workflow({
  name: 'asks',
  run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
});
const yes = { kind: 'text', text: 'yes' } as const;

const overtaken = async (t: TestContext) => {
  let store!: RemoteStore;
  const world = await DurableWorld.open(t, [asks], { behind: (durable) => (store = new RemoteStore(durable)) });
  const id = await world.start({ workflow: 'asks' });
  const prompt = world.get(id).context.pauses[0]!.id;
  /** So many of the next appends are refused. */
  const refuse = (times: number) => {
    let left = times;
    store.isOvertaken = () => left-- > 0;
  };
  return { world, id, prompt, refuse };
};

test('an answer that another process was ahead of is applied to what the store has, and the run goes on', async (t) => {
  const { world, id, prompt, refuse } = await overtaken(t);
  const before = world.get(id);
  let isGone = false;
  before.watch(
    () => {},
    () => (isGone = true),
  );
  refuse(1);

  const outcome = await world.runtime.answer(id, prompt, yes, alice);
  await world.quiet();

  assert.equal(outcome, 'accepted');
  assert.equal(world.get(id), before, 'subscribers stay');
  assert.ok(!isGone);
  assert.equal(world.get(id).context.result, 'yes');
  const seqs = world.store.read(id)?.entries.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    Array.from({ length: seqs?.length ?? 0 }, (_, index) => index + 1),
  );
});

test('a cancellation is tried again in the same way', async (t) => {
  const { world, id, refuse } = await overtaken(t);
  refuse(2);

  await world.runtime.cancel(id, alice);

  assert.equal(world.get(id).context.error?.code, 'cancelled');
});

test('a request that loses each time is refused as unavailable, and the prompt stays open', async (t) => {
  const { world, id, prompt, refuse } = await overtaken(t);
  refuse(5);

  await assert.rejects(world.runtime.answer(id, prompt, yes, alice), { code: 'store_unavailable' });

  assert.equal(await world.runtime.answer(id, prompt, yes, alice), 'accepted');
});
