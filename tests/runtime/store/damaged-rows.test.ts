/** Rows that are damaged: the execution is named, and everything else goes on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { StoredExecutions } from '../../../runtime/store/stored-executions.ts';
import { execute } from '../../support/database.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { start } from '../../support/start.ts';

const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});
const working = workflow({
  name: 'working',
  run: async (_input: unknown, ctx) => ctx.step('never ends', () => new Promise(() => {})),
});

/** One bad byte, one flipped bit, one lost bracket, and so on, in the facts of an execution. */
const damages: Readonly<Record<string, string>> = {
  'a byte that is not UTF-8': `facts = CAST(CAST(replace(facts, 'slot', 'sl') AS BLOB) || X'FF' AS TEXT)`,
  'a byte that is not UTF-8 in a string': `facts = replace(facts, 'granted', CAST(X'67FF' AS TEXT))`,
  'a letter that has become another': `facts = replace(facts, 'slot.granted', 'slot.grantee')`,
  'a value that has become another': `facts = replace(facts, 'alice', 'alicf')`,
  'no JSON': `facts = substr(facts, 2)`,
  'another JSON': `facts = '{}', sum = NULL`,
  'no facts': `facts = '[null]', sum = NULL`,
  'a value that is nested too deeply': `facts = replace(facts, '"interactive":', '"deep":${'['.repeat(50_000)}${']'.repeat(50_000)},"interactive":'), sum = NULL`,
  'numbers that repeat': `facts = replace(facts, '"seq":2', '"seq":1'), sum = NULL`,
};

for (const [what, damage] of Object.entries(damages)) {
  for (const name of ['asking', 'working']) {
    test(`${what}: an execution of ${name} is named as damaged, once, and others go on`, async (t) => {
      const world = await DurableWorld.open(t, [asking, working]);
      const [bad, good] = [await world.start({ workflow: name }), await world.start({ workflow: 'asking' })];
      await world.crash();
      execute(world.directory, `UPDATE journal SET ${damage} WHERE n = 1`);

      await world.open(asking, working);
      await world.pass(1_000);

      const expected = { code: 'execution_damaged', message: new RegExp(bad) };
      assert.throws(() => immediate(world.runtime.get(bad, alice)), expected);
      assert.throws(() => immediate(world.runtime.get(bad, alice)), expected);
      assert.deepEqual(
        immediate(world.runtime.list(alice, { limit: 9 })).executions.map(({ id }) => id),
        [good],
      );
      assert.deepEqual(
        (await world.runtime.inbox(alice, 9)).map(({ executionId }) => executionId),
        [good],
      );
      await world.answer(good);
      assert.equal(world.get(good).context.result, 'yes');
      const named = world.logged.filter((line) => 'executionId' in line && line.executionId === bad);
      assert.deepEqual(
        named.filter(({ message }) => message?.includes('damaged')).map(({ message }) => message),
        ['the stored data of an execution is damaged: it is left alone'],
      );
      const stored = new StoredExecutions(world.directory);
      t.after(() => stored.close());
      assert.throws(() => stored.journal(bad), expected);
    });
  }
}

for (const column of ['id', 'owner', 'workflow', 'version', 'stand']) {
  test(`a byte that is not UTF-8 in the column ${column} ends nothing`, async (t) => {
    const world = await DurableWorld.open(t, [asking, working]);
    await world.start({ workflow: 'working' });
    const good = await world.start({ workflow: 'asking' });
    await world.crash();
    execute(world.directory, `UPDATE executions SET ${column} = CAST(X'61FF62' AS TEXT) WHERE n = 1`);

    await world.open(asking, working);
    await world.pass(1_000);

    assert.ok(
      immediate(world.runtime.list({ ...alice, isOperator: true }, { limit: 9 })).executions.some(
        ({ id }) => id === good,
      ),
    );
    await world.answer(good);
    assert.equal(world.get(good).context.result, 'yes');
  });
}

test('a byte that is not UTF-8 among what is kept of users ends nothing', async (t) => {
  const world = await DurableWorld.open(t, [asking]);
  const good = await world.start({ workflow: 'asking' });
  await world.crash();
  execute(world.directory, `INSERT INTO vault (kind, key, value) VALUES ('builder', 'x', CAST(X'FF' AS TEXT))`);
  execute(world.directory, `UPDATE names SET name = CAST(X'FF' AS TEXT)`);

  await world.open(asking);
  assert.equal(typeof world.store.vault.get('builder', 'x'), 'string');
  await world.answer(good);

  assert.equal(world.get(good).context.result, 'yes');
});

test('two hundred damaged executions whose time has come do not hold up the one behind them', async (t) => {
  const sleeping = workflow({
    name: 'sleeping',
    run: async (_input: unknown, ctx) => {
      await ctx.sleep(60_000);
      return 'rested';
    },
  });
  const world = await DurableWorld.open(t, [sleeping]);
  for (let count = 0; count < 210; count += 1) await start(world.runtime, { workflow: 'sleeping' });
  const last = await world.start({ workflow: 'sleeping' });
  await world.crash();
  execute(world.directory, `UPDATE journal SET facts = '[' WHERE n <= 210`);

  await world.open(sleeping);
  for (let second = 0; second < 63; second += 1) world.clock.advance(1_000);
  for (let round = 0; round < 5; round += 1) await world.pass(200);

  assert.equal(world.get(last).context.result, 'rested');
});
