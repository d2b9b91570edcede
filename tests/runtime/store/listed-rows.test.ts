/** Lists read the rows of executions, not their journals: what an execution has said and returned stays in the file. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import Database from 'libsql';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';

const MB = 1024 * 1024;

const large = workflow({
  name: 'large',
  run: async (input: { says?: boolean; asks?: string; returns?: boolean }, ctx) => {
    if (input.says === true) ctx.emit('x'.repeat(3 * MB));
    if (input.asks !== undefined) await ctx.prompt(text({ text: input.asks }));
    return input.returns === true ? { text: 'x'.repeat(3 * MB) } : { text: 'done' };
  },
});

/** Counts the bytes that all files give from now on. */
const countReads = (t: TestContext): (() => number) => {
  let bytes = 0;
  const { prepare } = Database.prototype;
  t.after(() => {
    Database.prototype.prepare = prepare;
  });
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql);
    const all = statement.all.bind(statement) as (parameters: unknown) => Record<string, unknown>[];
    statement.all = (parameters?: unknown) => {
      const rows = all(parameters);
      for (const row of rows)
        for (const value of Object.values(row)) bytes += value instanceof ArrayBuffer ? value.byteLength : 8;
      return rows;
    };
    return statement as never;
  };
  return () => bytes;
};

/** Executions of the process before, of which none is in memory. */
const given = async (t: TestContext) => {
  const world = await DurableWorld.open(t, [large]);
  const start = (input: object) => world.start({ workflow: 'large', input });
  const ids = [
    await start({ says: true, asks: 'After an output?' }),
    await start({ returns: true }),
    await start({ says: true }),
    await start({ asks: 'At once?' }),
  ];
  await world.reopen(large);
  return { world, ids };
};

test('a list of executions with outputs and results of 3 MB reads their rows only', async (t) => {
  const read = countReads(t);
  const { world, ids } = await given(t);

  const before = read();
  const { executions } = await world.runtime.list(alice, { limit: 100 });
  const bytes = read() - before;

  assert.deepEqual(
    executions.map(({ id, context }) => [id, context.pauses.length, context.result]),
    [
      [ids[3], 1, null],
      [ids[2], 0, { text: 'done' }],
      [ids[1], 0, undefined],
      [ids[0], 1, null],
    ],
  );
  assert.ok(bytes < 10_000, `${bytes} bytes`);
  assert.deepEqual(
    ids.map((id) => world.isInMemory(id)),
    [false, false, false, false],
  );
});

test('an inbox of executions with outputs of 3 MB reads their rows only', async (t) => {
  const read = countReads(t);
  const { world, ids } = await given(t);

  const before = read();
  const open = await world.runtime.inbox(alice, 100);
  const bytes = read() - before;

  assert.deepEqual(
    open.map(({ executionId, pause }) => [executionId, pause.kind === 'interaction' && pause.prompt.text]),
    [
      [ids[0], 'After an output?'],
      [ids[3], 'At once?'],
    ],
  );
  assert.ok(bytes < 10_000, `${bytes} bytes`);
});
