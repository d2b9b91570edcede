/** Reads the database. Every query uses an index, and costs as much as its result. Every row is checked here. */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { Archive, ListedRow, PageOfRows } from '../archive.ts';
import { damaged } from '../damage.ts';
import { explained } from '../explain.ts';
import type { Named } from '../named.ts';
import { readOutline } from '../outline.ts';
import { type ExecutionFilter, readCursor } from '../query.ts';
import { readJournal, type StoredFacts } from '../stored-facts.ts';
import { type Database, isReply, type Row, type Session } from './database.ts';

export interface Stored extends StoredFacts {
  /** The number of the last fact. */
  readonly seq: number;
  readonly truncated: number;
}

/** An execution without facts has nulls. */
const journalRow = z.object({
  id: z.string(),
  last: z.int(),
  truncated: z.int(),
  seq: z.int().nullable(),
  facts: z.string().nullable(),
  sum: z.int().nullable(),
});
type JournalRow = z.infer<typeof journalRow>;
const numberRow = z.object({ id: z.string(), seq: z.int() });
const idRow = z.object({ id: z.string() });
const placeRow = z.object({ n: z.int() });
const namedRow = z.object({ id: z.string(), fingerprint: z.string() });
const listedRow = z.object({
  id: z.string(),
  owner: z.string().nullable(),
  workflow: z.string(),
  startedAt: z.number(),
  settledAt: z.number().nullable(),
  outline: z.string().nullable(),
});
const dueRow = z.object({ id: z.string(), settled_at: z.number().nullable() });
const nextRow = z.object({ due_at: z.number() });
const openRow = z.object({ workflow: z.string(), version: z.string(), count: z.int() });

type Asked = { resolve(found: Stored | undefined): void; reject(error: unknown): void };

export class PostgresReader {
  readonly #database: Database;
  #session: Promise<Session> | undefined;
  /** Executions that are asked for in this turn of the event loop: one statement reads them. */
  #asked: Map<string, Asked[]> | undefined;
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Rejects with `execution_damaged` if it cannot be read, and with `store_unavailable`. */
  find(id: string): Promise<Stored | undefined> {
    return new Promise((resolve, reject) => {
      if (!isText(id)) return resolve(undefined);
      if (this.#asked === undefined) {
        this.#asked = new Map();
        setImmediate(() => this.#findAsked());
      }
      const asked = this.#asked.get(id);
      if (asked === undefined) this.#asked.set(id, [{ resolve, reject }]);
      else asked.push({ resolve, reject });
    });
  }

  async #findAsked(): Promise<void> {
    const all = this.#asked!;
    this.#asked = undefined;
    try {
      const rows = await this.rows(journalRow, 'journals', JOURNALS, [...all.keys()]);
      const found = new Map<string, JournalRow[]>();
      for (const row of rows) {
        const journal = found.get(row.id);
        if (journal === undefined) found.set(row.id, [row]);
        else journal.push(row);
      }
      for (const [id, asked] of all) conclude(id, found.get(id), asked);
    } catch (error) {
      for (const asked of all.values()) for (const { reject } of asked) reject(error);
    }
  }

  /** The numbers of their last facts; deleted executions have none. */
  async numbers(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.rows(numberRow, 'numbers', 'SELECT id, seq FROM executions WHERE id = ANY($1)', ids);
    return new Map(rows.map(({ id, seq }) => [id, seq]));
  }

  async named(name: string): Promise<Named | undefined> {
    const sql = 'SELECT id, fingerprint FROM names JOIN executions USING (n) WHERE name = $1';
    const [row] = await this.rows(namedRow, 'named', sql, name);
    return row && { executionId: row.id, fingerprint: row.fingerprint };
  }

  async page(owner: string | undefined, { status, workflow, id, before, limit }: ExecutionFilter): Promise<PageOfRows> {
    const conditions: string[] = [];
    const values: unknown[] = [];
    const where = (condition: string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    where('owner =', owner);
    where('stand =', status);
    where('workflow =', workflow);
    where('id >=', id);
    where('id <', id === undefined ? undefined : `${id}\u{10ffff}`);
    if (before !== undefined) where('n <', await this.#placeOf(before));
    const condition = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
    values.push(limit + 1);
    const sql = `SELECT ${LISTED} FROM executions${condition} ORDER BY n DESC LIMIT $${values.length}`;
    const rows = await this.rows(listedRow, undefined, sql, ...values);
    const found = rows.slice(0, limit);
    const last = found.at(-1);
    const next = rows.length > limit && last !== undefined ? `${last.startedAt}.${last.id}` : undefined;
    return { rows: found.map(listed), next };
  }

  /** The position of the execution at the end of a page; without that execution, the position where it was. */
  async #placeOf(cursor: string): Promise<number> {
    const { id, startedAt } = readCursor(cursor);
    const [row] = await this.rows(placeRow, 'place', 'SELECT n FROM executions WHERE id = $1', id);
    if (row !== undefined) return row.n;
    const sql = 'SELECT n FROM executions WHERE started_at <= $1 ORDER BY started_at DESC, n DESC LIMIT 1';
    const [behind] = await this.rows(placeRow, 'behind', sql, startedAt);
    return (behind?.n ?? 0) + 1;
  }

  async awaiting(owner: string | undefined, limit: number): Promise<readonly ListedRow[]> {
    const isOwned = owner === undefined ? '' : 'AND owner = $2';
    const which = `awaiting_since IS NOT NULL ${isOwned} ORDER BY awaiting_since LIMIT $1`;
    const sql = `SELECT ${LISTED} FROM executions WHERE ${which}`;
    const values = owner === undefined ? [limit] : [limit, owner];
    return (await this.rows(listedRow, `awaiting${isOwned}`, sql, ...values)).map(listed);
  }

  /** Executions that cannot be replayed with the code that was served. */
  blocked(): Promise<readonly string[]> {
    return this.#ids('blocked', 'SELECT id FROM executions WHERE unfinished AND NOT works ORDER BY n');
  }

  async due(now: number, limit: number): Promise<Awaited<ReturnType<Archive['due']>>> {
    const sql = 'SELECT id, settled_at FROM executions WHERE due_at <= $1 ORDER BY due_at LIMIT $2';
    const rows = await this.rows(dueRow, 'due', sql, now, limit);
    return rows.map(({ id, settled_at }) => ({ id, isSettled: settled_at !== null }));
  }

  async nextDueAt(after = Number.NEGATIVE_INFINITY): Promise<number | undefined> {
    const sql = 'SELECT due_at FROM executions WHERE due_at > $1 ORDER BY due_at LIMIT 1';
    const [row] = await this.rows(nextRow, 'next', sql, after);
    return row?.due_at;
  }

  open(): Promise<Awaited<ReturnType<Archive['open']>>> {
    const sql =
      'SELECT workflow, version, count(*) FROM executions WHERE settled_at IS NULL GROUP BY workflow, version';
    return this.rows(openRow, undefined, sql);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }

  async #ids(name: string, sql: string, ...values: unknown[]): Promise<readonly string[]> {
    return (await this.rows(idRow, name, sql, ...values)).map(({ id }) => id);
  }

  /** The rows of a statement that may be sent twice. No text of the database has a NUL: with one, there are none. Rejects with `store_unavailable`. */
  async rows<T>(row: z.ZodType<T>, name: string | undefined, text: string, ...values: unknown[]): Promise<T[]> {
    if (!values.flat().every(isText)) return [];
    const statement = { ...(name !== undefined && { name }), text, values };
    return (await this.#query(statement)).map((one) => row.parse(one));
  }

  /** A read whose connection was lost is sent again, once. */
  async #query(statement: Parameters<Session['query']>[0], isAgain = false): Promise<Row[]> {
    try {
      const session = await this.#ready();
      return await session.query(statement);
    } catch (cause) {
      if (!isAgain && !isReply(cause) && !this.#isClosed) return this.#query(statement, true);
      const detail = `The store cannot be read at the moment: ${explained(cause)}`;
      throw new Failure('store_unavailable', { detail, cause, retryAfterMs: 1_000 });
    }
  }

  async #ready(): Promise<Session> {
    if (this.#isClosed) throw new Error('the store is closed');
    const session = await this.#session?.catch(() => undefined);
    if (session !== undefined && !session.isLost) return session;
    if (this.#session === undefined || session?.isLost) this.#session = this.#database.connect('reader');
    return this.#session.catch((error) => {
      this.#session = undefined;
      throw error;
    });
  }
}

const LISTED = 'id, owner, workflow, started_at AS "startedAt", settled_at AS "settledAt", outline';

const listed = (row: z.infer<typeof listedRow>): ListedRow => ({ id: row.id, view: readOutline(row, row.outline) });

const JOURNALS = `
  SELECT e.id, e.seq AS last, e.truncated, j.seq, j.facts, j.sum FROM executions e LEFT JOIN journal j USING (n)
  WHERE e.id = ANY($1) ORDER BY e.n, j.seq`;

const isText = (value: unknown): boolean => typeof value !== 'string' || !value.includes('\0');

const conclude = (id: string, rows: readonly JournalRow[] | undefined, asked: readonly Asked[]): void => {
  for (const { resolve, reject } of asked) {
    try {
      resolve(rows && storedOf(id, rows));
    } catch (error) {
      reject(error);
    }
  }
};

/** Each caller gets objects of its own. */
const storedOf = (id: string, rows: readonly JournalRow[]): Stored => {
  const { last, truncated } = rows[0]!;
  const journal = readJournal(
    id,
    rows.flatMap(({ facts, sum, seq }) => (facts === null ? [] : [{ facts: Buffer.from(facts), sum, seq }])),
  );
  if (Math.max(journal.entries.at(-1)!.seq, truncated) !== last)
    throw damaged(id, `its last fact is not number ${last}`);
  return { seq: last, truncated, ...journal };
};
