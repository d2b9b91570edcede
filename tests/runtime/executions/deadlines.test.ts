/** A prompt ends at its own time, and by its own default: later than executions may be parked, and after any downtime. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Context, text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';

const DAY = 86_400_000;

const asking = (timeoutS: number | undefined, more: (ctx: Context) => Promise<unknown>[] = () => []) =>
  workflow({
    name: 'asking',
    run: async (_input: unknown, ctx) => {
      const fallback = timeoutS === undefined ? {} : { default: 'in time' };
      const asked = ctx.prompt(text({ text: 'Name?', timeoutS, ...fallback }));
      return Promise.race([asked.then((answer) => answer.text), ...more(ctx)]);
    },
  });

const given = async (t: TestContext, served: ReturnType<typeof asking>) => {
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'asking' });
  const days = async (count: number) => {
    for (let day = 0; day < count; day += 1) await world.pass(DAY);
    for (let second = 0; second < 10; second += 1) await world.pass(1_000);
  };
  return { world, id, days };
};
const endOf = ({ context: { error, result } }: ReturnType<DurableWorld['get']>) => error?.code ?? result;

test('a prompt of two weeks ends by its default after two weeks, though a week is what an execution may be parked', async (t) => {
  const { world, id, days } = await given(t, asking((14 * DAY) / 1000));

  await days(13);
  assert.equal(world.get(id).status, 'awaiting_interaction');
  await days(1);

  assert.equal(endOf(world.get(id)), 'in time');
});

test('a prompt of a minute ends by its default after a week of downtime', async (t) => {
  const served = asking(60);
  const { world, id } = await given(t, served);
  await world.crash();
  world.clock.block(8 * DAY);

  await world.open(served);
  for (let second = 0; second < 5; second += 1) await world.pass(1_000);

  assert.equal(endOf(world.get(id)), 'in time');
});

test('a run that is woken by a sleep of its own is not abandoned before', async (t) => {
  const served = asking(undefined, (ctx) => [ctx.sleep(10 * DAY).then(() => 'woken')]);
  const { world, id, days } = await given(t, served);

  await days(9);
  assert.equal(world.get(id).status, 'awaiting_interaction');
  await days(1);

  assert.equal(endOf(world.get(id)), 'woken');
});

test('a prompt without a time of its own is abandoned after a week', async (t) => {
  const { world, id, days } = await given(t, asking(undefined));

  await days(7);

  assert.equal(endOf(world.get(id)), 'abandoned');
});
