/** Lists of a file with many executions: no request may hold the others up for long, whatever it filters by. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Database from 'libsql';
import { andThen } from '../../../runtime/index.ts';
import { openStore, temporaryDirectory } from '../../support/durable.ts';

const COUNT = 60_000;

/** Settled executions of ten owners in turn, started a millisecond apart; the oldest one has failed. */
const given = async (t: TestContext) => {
  const path = temporaryDirectory(t);
  await (await openStore(path)).close();
  const database = new Database(join(path, 'fermata.db'));
  database.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${COUNT})
    INSERT INTO executions (n, id, owner, workflow, version, started_at, stand, unfinished, settled_at, outline)
    SELECT n, 'e' || n, 'user' || (n % 10), 'any', '1', n, iif(n = 1, 'failed', 'completed'), 0, n, '{"phase":"settled"}'
    FROM numbers`);
  database.close();
  const store = await openStore(path);
  t.after(() => store.close());
  return Object.assign(store, { path });
};

/** Turns of the event loop until the promise is settled. */
const turnsDuring = async (promise: unknown): Promise<number> => {
  let turns = 0;
  let beat = setImmediate(function next() {
    turns += 1;
    beat = setImmediate(next);
  });
  await promise;
  clearImmediate(beat);
  return turns;
};

test('a filter that fits one of many executions finds it, with turns of the event loop in between', async (t) => {
  const store = await given(t);

  const page = store.page(undefined, { status: 'failed', limit: 10 });
  const turns = await turnsDuring(page);

  const { rows, next } = await page;
  assert.deepEqual([rows.map(({ id }) => id), next], [['e1'], undefined]);
  assert.ok(turns >= 10, `${turns} turns`);
});

test('lists with filters are complete and in order, over pages of any size', async (t) => {
  const store = await given(t);

  const found: string[] = [];
  let before: string | undefined;
  do {
    const page = await store.page('user7', { status: 'completed', workflow: 'any', limit: 999, before });
    found.push(...page.rows.map(({ id }) => id));
    before = page.next;
  } while (before !== undefined);

  const expected = Array.from({ length: COUNT }, (_, index) => COUNT - index).filter((n) => n % 10 === 7);
  assert.deepEqual(
    found,
    expected.map((n) => `e${n}`),
  );
});

test('many lists that have to search share the event loop one after another', async (t) => {
  const store = await given(t);
  const lists = Array.from({ length: 20 }, () => store.page(undefined, { workflow: 'none', limit: 10 }));

  const turns = await turnsDuring(Promise.all(lists));

  assert.ok(turns >= 200, `${turns} turns`);
});

test('a cursor of an execution that was deleted is found by its time, without reading all rows', async (t) => {
  const store = await given(t);

  for (const [startedAt, first] of [
    [COUNT + 5, `e${COUNT}`],
    [30_000, 'e30000'],
    [1, 'e1'],
    [0, undefined],
  ] as const) {
    const page = await andThen(store.page(undefined, { limit: 1, before: `${startedAt}.deleted` }), (read) => read);
    assert.equal(page.rows[0]?.id, first);
  }
});

test('a search by the beginning of an id finds it among all, at once', async (t) => {
  const store = await given(t);

  const page = store.page(undefined, { id: 'e1234', limit: 5 });

  assert.ok(!(page instanceof Promise));
  assert.deepEqual(
    [page.rows.map(({ id }) => id), page.next?.split('.')[1]],
    [['e12349', 'e12348', 'e12347', 'e12346', 'e12345'], 'e12345'],
  );
});

test('the inbox of an owner of many executions reads an index, in the order of waiting', async (t) => {
  const store = await given(t);

  const database = new Database(join(store.path, 'fermata.db'));
  const plan = database
    .prepare(
      `EXPLAIN QUERY PLAN SELECT id FROM executions WHERE awaiting_since IS NOT NULL AND owner = 'user7'
      ORDER BY awaiting_since LIMIT 10`,
    )
    .all() as { detail: string }[];
  database.close();

  assert.deepEqual(
    plan.map(({ detail }) => detail),
    ['SEARCH executions USING INDEX executions_inbox (owner=? AND awaiting_since>?)'],
  );
});
