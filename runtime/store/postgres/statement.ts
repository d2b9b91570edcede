/**
 * The write: one statement, one round trip and one transaction for everything that a process has to keep at this moment.
 *
 * L1  Compared by number: a write says which number it builds on. It is taken if that is the last one, and if the owner is
 *     this process or none. Otherwise nothing of that execution is written, and the others of the batch are.
 * L2  The owner is a column of the same row, written by the same statement: a fact that leads to work sets it to this
 *     process, and one that leads to waiting or to the end sets it to null.
 * L3  A takeover is a fact: the process that takes an execution over appends `execution.recovered`. So the next write of
 *     the former owner builds on a number that is over.
 *
 * No time is compared. Under READ COMMITTED, an update that waited for another one looks at the new row.
 */
import { crc32 } from 'node:zlib';
import type { Change, JournalChange } from '../changes.ts';
import { valuesOf } from './values.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Its rows are the ids of the executions that were written. What it does not name has lost. */
export const writeOf = (node: string, changes: readonly Change[]): Statement => {
  const journals = changes.filter((one) => one.change === 'journal');
  const values = changes.filter((one) => one.change === 'value');
  const names = journals.flatMap(namesOf);
  const parameters: unknown[] = [node, ...COLUMNS.map(([, read]) => journals.map(read))];
  const parts: string[] = [];
  if (names.length > 0) {
    parts.push(NAMES(parameters.length));
    parameters.push(
      names.map(({ name }) => name),
      names.map(({ place }) => place),
      names.map(({ fingerprint }) => fingerprint),
      names.map(({ isUnique }) => isUnique),
    );
  }
  if (values.length > 0) {
    const { text, parameters: more } = valuesOf(values, parameters.length);
    parts.push(text);
    parameters.push(...more);
  }
  const letters = journals.flatMap(({ id, letters = [] }) => letters.map((key) => ({ key, id })));
  if (letters.length > 0) {
    parts.push(LETTERS(parameters.length));
    parameters.push(
      letters.map(({ key }) => key),
      letters.map(({ id }) => id),
    );
  }
  const name = `write${names.length > 0 ? ' names' : ''}${values.length > 0 ? ' values' : ''}${letters.length > 0 ? ' letters' : ''}`;
  const text = `${JOURNALS}${parts.map((part) => `,${part}`).join('')} ${WRITTEN}`;
  return { name, text, values: parameters };
};

/** Which of them are there, after a reply was lost. */
export const foundOf = (changes: readonly JournalChange[]): Statement => ({
  name: 'found',
  text: `
    SELECT b.id FROM unnest($1::text[], $2::int[], $3::bigint[]) AS b(id, seq, sum)
    JOIN executions e ON e.id = b.id JOIN journal j ON j.n = e.n AND j.seq = b.seq AND j.sum = b.sum`,
  values: [
    changes.map(({ id }) => id),
    changes.map(({ expected }) => expected + 1),
    changes.map(({ facts }) => crc32(facts)),
  ],
});

export const removalOf = (ids: readonly string[]): Statement => ({
  name: 'remove',
  text: `
    WITH gone AS (DELETE FROM executions WHERE id = ANY($1) RETURNING n),
    facts AS (DELETE FROM journal USING gone WHERE journal.n = gone.n),
    letters AS (DELETE FROM mail USING gone WHERE mail.n = gone.n)
    DELETE FROM names USING gone WHERE names.n = gone.n`,
  values: [ids],
});

/** `place`: of the execution in the batch. */
const namesOf = ({ expected, record }: JournalChange, place: number) =>
  expected > 0
    ? []
    : record.origin.names.map(({ name, fingerprint, isUnique = false }) => {
        return { name, place: place + 1, fingerprint, isUnique };
      });

type Column = readonly [type: string, read: (change: JournalChange) => unknown, name: string];

const COLUMNS: readonly Column[] = [
  ['text', ({ id }) => id, 'id'],
  ['int', ({ expected }) => expected, 'expected'],
  ['int', ({ last }) => last, 'last'],
  ['text', ({ record }) => record.applied.context.owner, 'owner'],
  ['text', ({ record }) => record.applied.context.workflow, 'workflow'],
  ['text', ({ record }) => record.applied.context.version ?? record.origin.version, 'version'],
  ['bool', ({ record }) => record.origin.recover === 'replay', 'replays'],
  ['float8', ({ record }) => record.applied.context.startedAt, 'started_at'],
  ['text', ({ row }) => row.stand, 'stand'],
  ['bool', ({ row }) => row.isUnfinished, 'unfinished'],
  ['bool', ({ row }) => row.works, 'works'],
  ['float8', ({ row }) => row.awaitingSince, 'awaiting_since'],
  ['float8', ({ row }) => row.dueAt, 'due_at'],
  ['float8', ({ row }) => row.settledAt, 'settled_at'],
  ['text', ({ row }) => row.outline, 'outline'],
  ['int', ({ truncatedThrough }) => truncatedThrough, 'truncated'],
  ['text', ({ facts }) => facts, 'facts'],
  ['bigint', ({ facts }) => crc32(facts), 'sum'],
];

const arrays = COLUMNS.map(([type], place) => `$${place + 2}::${type}[]`).join(', ');
const list = (names: readonly string[], of: (name: string) => string = (name) => name): string =>
  names.map(of).join(', ');
const columns = COLUMNS.map(([, , name]) => name);
/** Columns that never change, and those that each write sets. */
const FIXED = ['id', 'owner', 'workflow', 'replays', 'started_at'];
const SET = ['version', 'stand', 'unfinished', 'works', 'awaiting_since', 'due_at', 'settled_at', 'outline'];

/** A start whose id is there is an error, so all starts of a batch that has no error are written. */
const JOURNALS = `
  WITH b AS (
    SELECT *, CASE WHEN expected = 0 THEN nextval('starts') END AS n
    FROM unnest(${arrays}) WITH ORDINALITY AS b(${list(columns)}, place)
  ),
  fresh AS (
    INSERT INTO executions (n, ${list(FIXED)}, ${list(SET)}, seq, node, truncated)
    SELECT n, ${list(FIXED)}, ${list(SET)}, last, CASE WHEN works THEN $1 END, truncated FROM b WHERE expected = 0
  ),
  moved AS (
    UPDATE executions e SET ${list(SET, (name) => `${name} = b.${name}`)}, seq = b.last,
      node = CASE WHEN b.works THEN $1 END, truncated = greatest(e.truncated, b.truncated)
    FROM b WHERE b.expected > 0 AND e.id = b.id AND e.seq = b.expected AND (e.node IS NULL OR e.node = $1)
    RETURNING e.id, e.n, b.expected, b.truncated, b.facts, b.sum
  ),
  dropped AS (
    DELETE FROM journal j USING moved m WHERE m.truncated > 0 AND j.n = m.n AND j.seq <= m.expected
  ),
  kept AS (
    INSERT INTO journal (n, seq, facts, sum)
    SELECT n, expected + 1, facts, sum FROM b WHERE expected = 0
    UNION ALL SELECT n, expected + 1, facts, sum FROM moved
  )`;
const WRITTEN = 'SELECT id FROM b WHERE expected = 0 UNION ALL SELECT id FROM moved';

/** A unique name that is there is an error. Of another name, the last execution of the batch takes it. */
const NAMES = (before: number): string => `
  numbers AS (SELECT array_agg(n ORDER BY place) AS n FROM b),
  m AS (
    SELECT name, (SELECT n FROM numbers)[place] AS n, fingerprint, is_unique, place
    FROM unnest($${before + 1}::text[], $${before + 2}::int[], $${before + 3}::text[], $${before + 4}::bool[])
      AS m(name, place, fingerprint, is_unique)
  ),
  named AS (INSERT INTO names (name, n, fingerprint) SELECT name, n, fingerprint FROM m WHERE is_unique),
  renamed AS (
    INSERT INTO names (name, n, fingerprint)
    SELECT DISTINCT ON (name) name, n, fingerprint FROM m WHERE NOT is_unique ORDER BY name, place DESC
    ON CONFLICT (name) DO UPDATE SET n = EXCLUDED.n, fingerprint = EXCLUDED.fingerprint
  )`;

/** A letter is accepted if its fact is written. */
const LETTERS = (before: number): string => `
  answered AS (
    UPDATE mail SET outcome = true
    FROM unnest($${before + 1}::text[], $${before + 2}::text[]) AS l(key, id) JOIN moved USING (id)
    WHERE mail.key = l.key
  )`;
