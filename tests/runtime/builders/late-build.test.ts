/** Executions that wake when what their workflow needs cannot be opened: they wait until it can. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';

/** `database.isDown`: then nothing can be built. */
const givenBank = (isPerUser: boolean) => {
  const database = { isDown: false, attempts: 0 };
  const build = () => {
    database.attempts += 1;
    if (database.isDown) throw new Error('the database is down');
    return 'bank';
  };
  const bank = workflow({
    name: 'bank',
    ...(isPerUser ? { perUser: { build } } : { build }),
    run: async (_: unknown, ctx, resources) => `${resources}: ${(await ctx.prompt(text({ text: 'Pay?' }))).text}`,
  });
  return { database, bank };
};

test('an execution that is answered while its resources cannot be opened waits for them, later and later, and completes', async (t) => {
  const { database, bank } = givenBank(true);
  const world = await DurableWorld.open(t, [bank]);
  const id = await world.start({ workflow: 'bank' });
  await world.reopen(bank);
  database.isDown = true;
  database.attempts = 0;

  await world.answer(id);
  const attempts = [database.attempts];
  for (const ms of [999, 1, 1_999, 1]) {
    await world.pass(ms);
    attempts.push(database.attempts);
  }
  const { status } = world.get(id);
  const warnings = world.logged.filter(({ message }) => message?.includes('are not available yet'));
  database.isDown = false;
  await world.pass(4_000);

  assert.deepEqual(attempts, [1, 1, 2, 2, 3]);
  assert.equal(status, 'running');
  assert.deepEqual(
    warnings.map((fields) => [Reflect.get(fields, 'executionId'), Reflect.get(fields, 'retryInMs')]),
    [
      [id, 1_000],
      [id, 2_000],
      [id, 4_000],
    ],
  );
  assert.equal(world.get(id).context.result, 'bank: yes');
});

test('an execution that waits for its resources is ended by its owner as any other', async (t) => {
  const { database, bank } = givenBank(true);
  const world = await DurableWorld.open(t, [bank]);
  const id = await world.start({ workflow: 'bank' });
  await world.reopen(bank);
  database.isDown = true;
  await world.answer(id);

  await world.runtime.cancel(id, alice);
  await world.pass(60_000);

  assert.equal(world.get(id).context.error?.code, 'cancelled');
  assert.equal(database.attempts, 2, 'one at the start, one for the answer');
});
