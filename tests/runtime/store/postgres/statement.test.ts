/** The write (L1, L2, L3), by several processes at once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Change, JournalChange } from '../../../../runtime/store/changes.ts';
import { Database, type Session } from '../../../../runtime/store/postgres/database.ts';
import { migrate } from '../../../../runtime/store/postgres/schema.ts';
import { removalOf, writeOf } from '../../../../runtime/store/postgres/statement.ts';
import { record } from '../../../contracts/store.ts';
import { postgres, withoutPostgres } from '../../../support/postgres.ts';

const row = { stand: 'running', awaitingSince: null, dueAt: null, settledAt: null, outline: null };

/** `facts`: how many there are. */
const change = (
  id: string,
  expected: number,
  { works = false, facts = 1, by = '', names = [] as string[], truncatedThrough = 0 } = {},
): JournalChange => {
  const { origin, ...executed } = record(id);
  return {
    change: 'journal',
    id,
    n: 0,
    record: { ...executed, origin: { ...origin, names: names.map((name) => ({ name, fingerprint: '' })) } },
    row: { ...row, isUnfinished: works, works },
    expected,
    last: expected + facts,
    facts: JSON.stringify([{ by, expected }]),
    truncatedThrough,
  };
};

const opened = async (t: TestContext, count = 2) => {
  const database = await Database.at(await (await postgres()).database());
  const sessions: Session[] = [];
  for (let number = 0; number <= count; number += 1) sessions.push(await database.connect('test'));
  t.after(() => Promise.all(sessions.map((session) => session.close())));
  await migrate(sessions[0]!, 'test');
  /** The ids that won. */
  const write = async (node: number, ...changes: Change[]): Promise<unknown[]> =>
    (await sessions[node]!.query(writeOf(`node ${node}`, changes))).map(({ id }) => id).sort();
  const rows = (text: string) => sessions[count]!.query({ text });
  return { sessions, write, rows };
};

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

it('a write on a number that is over changes nothing, and the others of its batch are written (L1)', async (t) => {
  const { write, rows } = await opened(t);
  await write(0, change('a', 0), change('b', 0));
  await write(0, change('a', 1, { by: 'first' }));

  const won = await write(1, change('a', 1, { by: 'late', facts: 3 }), change('b', 1), change('c', 0));

  assert.deepEqual(won, ['b', 'c']);
  assert.deepEqual(await rows("SELECT seq, stand FROM executions WHERE id = 'a'"), [{ seq: 2, stand: 'running' }]);
  const facts = await rows(
    "SELECT j.seq, facts FROM journal j JOIN executions USING (n) WHERE id = 'a' ORDER BY j.seq",
  );
  assert.deepEqual(
    facts.map(({ facts }) => JSON.parse(facts as string)[0].by),
    ['', 'first'],
  );
  assert.deepEqual(await write(1, change('a', 7), change('never', 1)), [], 'numbers that have not been, either');
});

it('what works belongs to the process that has written it, what waits to none, in the same row (L2)', async (t) => {
  const { write, rows } = await opened(t);
  const owner = async () => (await rows("SELECT node FROM executions WHERE id = 'a'"))[0]?.node;
  await write(0, change('a', 0, { works: true }));
  assert.equal(await owner(), 'node 0');

  assert.deepEqual(await write(1, change('a', 1, { works: true })), [], 'although its number is right');
  assert.deepEqual(await write(0, change('a', 1)), ['a']);
  assert.equal(await owner(), null);

  assert.deepEqual(await write(1, change('a', 2, { works: true })), ['a']);
  assert.equal(await owner(), 'node 1');
  assert.deepEqual(await write(0, change('a', 3)), []);
});

it('a former owner that wakes up after a takeover writes nothing, at any number (L3)', async (t) => {
  const { write, sessions, rows } = await opened(t);
  await write(0, change('a', 0, { works: true }));
  await sessions[1]!.exec("UPDATE executions SET node = 'node 1'");
  assert.deepEqual(await write(0, change('a', 1)), [], 'before the fact of the takeover');

  await write(1, change('a', 1, { works: true }));

  for (const expected of [1, 2, 3]) assert.deepEqual(await write(0, change('a', expected)), []);
  await write(1, change('a', 2)); // it waits, and has no owner
  assert.deepEqual(await write(0, change('a', 1, { works: true })), [], 'the number is over');
  assert.deepEqual(await rows('SELECT seq, node FROM executions'), [{ seq: 3, node: null }]);
});

it('of writes at the same time one wins, whatever else is in their batches', async (t) => {
  const { write, rows } = await opened(t, 3);
  const all = Array.from({ length: 20 }, (_, number) => `e${number}`);
  await write(0, ...all.map((id) => change(id, 0)));

  for (let round = 1; round <= 10; round += 1) {
    const batches = [all, all.toReversed(), all.filter((_, number) => number % 2 === 0)];
    const won = await Promise.all(
      batches.map((ids, node) =>
        write(node, ...ids.map((id) => change(id, round, { by: `${node}` }))).catch((error: { code: string }) => {
          assert.equal(error.code, '40P01', 'a deadlock, after which a batch is repeated in parts');
          return [];
        }),
      ),
    );
    const missing = all.filter((id) => !won.flat().includes(id));
    await write(0, ...missing.map((id) => change(id, round)));
    assert.equal(new Set(won.flat()).size, won.flat().length, 'no number has two winners');
  }

  const counts = await rows(
    'SELECT e.seq, count(*)::int AS rows FROM executions e JOIN journal j USING (n) GROUP BY e.n',
  );
  assert.deepEqual(counts, Array(20).fill({ seq: 11, rows: 11 }));
});

it('random writes of three processes leave what the three rules say', async (t) => {
  const { write, rows } = await opened(t, 3);
  let run = 0;
  const step = fc.record({
    node: fc.nat(2),
    of: fc.constantFrom('a', 'b'),
    offset: fc.constantFrom(-1, 0, 0, 0, 0, 1),
    works: fc.boolean(),
    facts: fc.integer({ min: 1, max: 3 }),
  });

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      run += 1;
      const model = new Map<string, { seq: number; node: string | null; rows: number }>();
      for (const { node, of, offset, works, facts } of steps) {
        const id = `${run}${of}`;
        const before = model.get(id) ?? { seq: 0, node: null, rows: 0 };
        const expected = Math.max(before.seq === 0 ? 0 : 1, before.seq + offset);
        if (before.seq === 0 && expected > 0) continue;
        const wins = expected === before.seq && (before.node === null || before.node === `node ${node}`);

        const won = await write(node, change(id, expected, { works, facts }));

        assert.deepEqual(won, wins ? [id] : []);
        if (!wins) continue;
        model.set(id, { seq: expected + facts, node: works ? `node ${node}` : null, rows: before.rows + 1 });
      }
      for (const [id, expected] of model) {
        const found = await rows(
          `SELECT e.seq, node, count(*)::int AS rows FROM executions e JOIN journal j USING (n) WHERE id = '${id}' GROUP BY e.n`,
        );
        assert.deepEqual(found, [expected]);
      }
    }),
    { numRuns: 30 },
  );
});

it('a truncated journal takes the place of its rows, and a lost truncation removes none', async (t) => {
  const { write, rows } = await opened(t);
  await write(0, change('a', 0));
  await write(0, change('a', 1));
  assert.deepEqual(await write(0, change('a', 1, { truncatedThrough: 1 })), []);
  const numbers = async () => (await rows('SELECT seq FROM journal ORDER BY seq')).map(({ seq }) => seq);
  assert.deepEqual(await numbers(), [1, 2]);

  await write(0, change('a', 2, { truncatedThrough: 2 }));

  assert.deepEqual(await numbers(), [3]);
  await write(0, change('a', 3));
  assert.deepEqual(await rows('SELECT seq, truncated FROM executions'), [{ seq: 4, truncated: 2 }]);
});

it('names, values and removals go with the batch', async (t) => {
  const { write, rows, sessions } = await opened(t);
  await write(
    0,
    change('a', 0, { names: ['x', 'y'] }),
    { change: 'value', kind: 'flow', key: 'k', text: '1' },
    change('b', 0, { names: ['y'] }),
    { change: 'value', kind: 'flow', key: 'k', text: '2' },
    { change: 'value', kind: 'flow', key: 'gone', text: undefined },
  );
  const named = 'SELECT name, id FROM names JOIN executions USING (n) ORDER BY name';
  assert.deepEqual(await rows(named), [
    { name: 'x', id: 'a' },
    { name: 'y', id: 'b' },
  ]);
  assert.deepEqual(await rows('SELECT kind, key, value FROM vault'), [{ kind: 'flow', key: 'k', value: '2' }]);

  await sessions[0]!.query(removalOf(['a', 'never']));
  await write(1, { change: 'value', kind: 'flow', key: 'k', text: undefined });

  assert.deepEqual(await rows(named), [{ name: 'y', id: 'b' }]);
  assert.deepEqual(await rows('SELECT 1 FROM vault UNION ALL SELECT 1 FROM journal WHERE n = 1'), []);
});

it('a value that replaces another one is not written over a newer one', async (t) => {
  const { write, rows } = await opened(t);
  const value = { change: 'value', kind: 'flow' } as const;
  await write(
    0,
    { ...value, key: 'a', text: '1' },
    { ...value, key: 'b', text: '1' },
    { ...value, key: 'c', text: '1' },
  );
  await write(0, { ...value, key: 'a', text: '2' });

  await write(
    1,
    { ...value, key: 'a', text: '3', replaced: '1' },
    { ...value, key: 'b', text: '3', replaced: '1' },
    { ...value, key: 'c', text: undefined, replaced: '2' },
    { ...value, key: 'never', text: '3', replaced: '1' },
  );

  assert.deepEqual(await rows('SELECT key, value FROM vault ORDER BY key'), [
    { key: 'a', value: '2' },
    { key: 'b', value: '3' },
    { key: 'c', value: '1' },
  ]);
});

it('a start whose id is there is an error of its batch, and changes nothing', async (t) => {
  const { write, rows } = await opened(t);
  await write(0, change('a', 0));

  await assert.rejects(write(1, change('b', 0), change('a', 0)), { code: '23505' });

  assert.deepEqual(await rows('SELECT id FROM executions'), [{ id: 'a' }]);
});
