/** Reads the database. Every query uses an index, and costs as much as its result. Every row is checked here. */
import { z } from 'zod';
import type { JournalEntry } from '../../../machines/facts.ts';
import { STANDS } from '../../../machines/standing.ts';
import { Failure } from '../../errors.ts';
import type { Archive, ListedRow, PageOfRows } from '../archive.ts';
import { damaged } from '../damage.ts';
import { explained } from '../explain.ts';
import type { Named } from '../named.ts';
import { readOutline } from '../outline.ts';
import { type ExecutionFilter, readCursor } from '../query.ts';
import type { Summary } from '../reader.ts';
import { readContinuation, readJournal, type StoredFacts } from '../stored-facts.ts';
import { type Database, isReply, type Row, type Session } from './database.ts';

/** What the row of an execution says about its journal. */
export interface Standing {
  /** The number of the last fact. */
  readonly last: number;
  readonly truncated: number;
  /** The process that executes it. */
  readonly node: string | null;
  readonly isSettled: boolean;
}

export interface Stored extends StoredFacts, Standing {}

/** The facts above a number; undefined if the journal was truncated, and has to be read as a whole. */
export interface Continuation extends Standing {
  readonly entries: readonly JournalEntry[] | undefined;
}

const standing = { last: z.int(), truncated: z.int(), node: z.string().nullable(), isSettled: z.boolean() };
/** An execution without facts has nulls. */
const journalRow = z.object({
  id: z.string(),
  ...standing,
  seq: z.int().nullable(),
  facts: z.string().nullable(),
  sum: z.int().nullable(),
});
type JournalRow = z.infer<typeof journalRow>;
const newsRow = z.object({ place: z.int(), ...journalRow.shape });
const numberRow = z.object({ id: z.string(), seq: z.int() });
const ownerRow = z.object({ id: z.string(), owner: z.string().nullable() });
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
const summaryRow = z.object({
  id: z.string(),
  owner: z.string().nullable(),
  workflow: z.string(),
  version: z.string(),
  status: z.enum(STANDS),
  startedAt: z.number(),
  settledAt: z.number().nullable(),
  dueAt: z.number().nullable(),
});
const nextRow = z.object({ due_at: z.number() });
const openRow = z.object({ workflow: z.string(), version: z.string(), count: z.int() });

interface Followed {
  readonly id: string;
  readonly after: number;
  resolve(found: Continuation | undefined): void;
  reject(error: unknown): void;
}

type Asked = { resolve(found: Stored | undefined): void; reject(error: unknown): void };

export class PostgresReader {
  readonly #database: Database;
  #session: Promise<Session> | undefined;
  /** Executions that are asked for in this turn of the event loop: one statement reads them. */
  #asked: Map<string, Asked[]> | undefined;
  /** The same for news. */
  #followed: Followed[] | undefined;
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

  /** The facts above a number; undefined if the execution was deleted. Calls of one turn of the event loop share a statement. */
  news(id: string, after: number): Promise<Continuation | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#followed === undefined) {
        this.#followed = [];
        setImmediate(() => this.#readNews());
      }
      this.#followed.push({ id, after, resolve, reject });
    });
  }

  async #readNews(): Promise<void> {
    const all = this.#followed!;
    this.#followed = undefined;
    const found: JournalRow[][] = all.map(() => []);
    try {
      const [ids, numbers] = [all.map(({ id }) => id), all.map(({ after }) => after)];
      for (const row of await this.rows(newsRow, 'news', NEWS, ids, numbers)) found[row.place - 1]!.push(row);
    } catch (error) {
      for (const { reject } of all) reject(error);
      return;
    }
    for (const [place, { id, resolve, reject }] of all.entries()) {
      try {
        resolve(continuationOf(id, found[place]!));
      } catch (error) {
        reject(error);
      }
    }
  }

  /** The numbers of their last facts; deleted executions have none. */
  async numbers(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.rows(numberRow, 'numbers', 'SELECT id, seq FROM executions WHERE id = ANY($1)', ids);
    return new Map(rows.map(({ id, seq }) => [id, seq]));
  }

  async owners(ids: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const rows = await this.rows(ownerRow, 'owners', 'SELECT id, owner FROM executions WHERE id = ANY($1)', ids);
    return new Map(rows.map(({ id, owner }) => [id, owner]));
  }

  async named(name: string): Promise<Named | undefined> {
    const sql = 'SELECT id, fingerprint FROM names JOIN executions USING (n) WHERE name = $1';
    const [row] = await this.rows(namedRow, 'named', sql, name);
    return row && { executionId: row.id, fingerprint: row.fingerprint };
  }

  async page(owner: string | undefined, filter: ExecutionFilter): Promise<PageOfRows> {
    const { rows, next } = await this.#newest(listedRow, LISTED, owner, filter);
    return { rows: rows.map(listed), next };
  }

  /** Newest first. */
  async summaries(
    owner: string | undefined,
    filter: ExecutionFilter,
  ): Promise<{ readonly summaries: readonly Summary[]; readonly next: string | undefined }> {
    const { rows, next } = await this.#newest(summaryRow, SUMMARY, owner, filter);
    return { summaries: rows, next };
  }

  async summary(id: string): Promise<Summary | undefined> {
    return (await this.rows(summaryRow, undefined, `SELECT ${SUMMARY} FROM executions WHERE id = $1`, id))[0];
  }

  async settledBefore(at: number, limit: number): Promise<readonly string[]> {
    return this.#ids('settled', 'SELECT id FROM executions WHERE settled_at < $1 ORDER BY n LIMIT $2', at, limit);
  }

  async #newest<T extends { readonly id: string; readonly startedAt: number }>(
    row: z.ZodType<T>,
    columns: string,
    owner: string | undefined,
    { status, workflow, id, before, limit }: ExecutionFilter,
  ): Promise<{ readonly rows: T[]; readonly next: string | undefined }> {
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
    const sql = `SELECT ${columns} FROM executions${condition} ORDER BY n DESC LIMIT $${values.length}`;
    const found = await this.rows(row, undefined, sql, ...values);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return { rows, next: found.length > limit && last !== undefined ? `${last.startedAt}.${last.id}` : undefined };
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

  /** Among those that this process executes, or none. */
  async nextDueAt(node: string, after = Number.NEGATIVE_INFINITY): Promise<number | undefined> {
    const sql = `
      SELECT due_at FROM executions WHERE due_at > $1 AND (node IS NULL OR node = $2) ORDER BY due_at LIMIT 1`;
    const [row] = await this.rows(nextRow, 'next', sql, after, node);
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

const SUMMARY =
  'id, owner, workflow, version, stand AS status, started_at AS "startedAt", settled_at AS "settledAt", due_at AS "dueAt"';

const LISTED = 'id, owner, workflow, started_at AS "startedAt", settled_at AS "settledAt", outline';

const listed = (row: z.infer<typeof listedRow>): ListedRow => ({ id: row.id, view: readOutline(row, row.outline) });

const ROW = 'e.id, e.seq AS last, e.truncated, e.node, e.settled_at IS NOT NULL AS "isSettled", j.seq, j.facts, j.sum';
const JOURNALS = `
  SELECT ${ROW} FROM executions e LEFT JOIN journal j USING (n)
  WHERE e.id = ANY($1) ORDER BY e.n, j.seq`;
const NEWS = `
  SELECT a.place, ${ROW} FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS a(id, after, place)
  JOIN executions e ON e.id = a.id LEFT JOIN journal j ON j.n = e.n AND j.seq > a.after
  ORDER BY a.place, j.seq`;

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
  const { last, truncated, node, isSettled } = rows[0]!;
  const journal = readJournal(id, rows.flatMap(factsOf));
  if (Math.max(journal.entries.at(-1)!.seq, truncated) !== last)
    throw damaged(id, `its last fact is not number ${last}`);
  return { last, truncated, node, isSettled, ...journal };
};

const continuationOf = (id: string, rows: readonly JournalRow[]): Continuation | undefined => {
  if (rows.length === 0) return undefined;
  const { last, truncated, node, isSettled } = rows[0]!;
  const entries = readContinuation(id, rows.flatMap(factsOf));
  return { last, truncated, node, isSettled, entries };
};

const factsOf = ({ facts, sum, seq }: JournalRow) => (facts === null ? [] : [{ facts: Buffer.from(facts), sum, seq }]);
