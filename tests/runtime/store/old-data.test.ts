/** Files of older versions are migrated, and files of other programs refused by name. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createRuntime, text, workflow } from '../../../runtime/index.ts';
import { execute, openDatabase } from '../../support/database.ts';
import { openStore, temporaryDirectory } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { viewsOf } from '../../support/in-process.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';
import { start } from '../../support/start.ts';

const FIRST = new URL('../../support/first-data.sql', import.meta.url);

const fileWith = (t: TestContext, sql: string): string => {
  const path = temporaryDirectory(t);
  execute(path, sql);
  return path;
};

const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => {
    const seen = await ctx.step('look', () => assert.fail('it was done before'));
    ctx.emit('a part');
    return [seen, (await ctx.prompt(text({ text: 'Name?' }))).text];
  },
});

const yielding = workflow({
  name: 'asking',
  async *run(_input: unknown, ctx) {
    const seen = await ctx.step('look', () => assert.fail('it was done before'));
    yield 'a part';
    return [seen, (await ctx.prompt(text({ text: 'Name?' }))).text];
  },
});

for (const [form, served] of Object.entries({ function: asking, generator: yielding })) {
  test(`the data of the first version with a store is migrated: what waited in a ${form} goes on, what had ended is shown`, async (t) => {
    const path = fileWith(t, readFileSync(FIRST, 'utf8'));
    const clock = new SimulatedClock();
    const runtime = await createRuntime({ workflows: [served], store: await openStore(path), clock });
    t.after(() => runtime.stop());

    const executions = viewsOf(runtime);
    assert.deepEqual(
      executions.map(({ status }) => status),
      ['completed', 'awaiting_interaction'],
    );
    const [completed, waiting] = executions;
    assert.deepEqual(completed!.context.result, { hello: 'Ada' });
    const { execution, isNew } = await start(runtime, { workflow: 'asking', input: 'Ada', idempotencyKey: 'first' });
    assert.deepEqual([execution.id, isNew], [waiting!.id, false]);
    await runtime.answer(execution.id, execution.context.pauses[0]!.id, { kind: 'text', text: 'Ada' }, alice);
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    assert.deepEqual(execution.context.result, [1, 'Ada']);
  });
}

test('a database of another program is refused by name, and is left as it is', async (t) => {
  const path = fileWith(t, 'CREATE TABLE executions (id TEXT); PRAGMA user_version = 1');

  await assert.rejects(openStore(path), { code: 'options_invalid', message: /fermata\.db .*not .*Fermata/ });

  const database = openDatabase(path);
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all([]);
  database.close();
  assert.deepEqual(tables, [{ name: 'executions' }]);
});

test('a file that is migrated twice is the same', async (t) => {
  const path = temporaryDirectory(t);
  await (await openStore(path)).close();
  await (await openStore(path)).close();
});
