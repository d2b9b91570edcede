/**
 * Reads the file. Every query uses an index, and costs as much as its result.
 *
 * Text is read as bytes, because libsql ends the process for text that is not UTF-8. Searchable columns are read
 * leniently. A journal must be exactly as written.
 */
import type { Stand } from '../../machines/standing.ts';
import type { Archive, ListedRow } from './archive.ts';
import type { Connection } from './connection.ts';
import type { Named } from './named.ts';
import { readOutline } from './outline.ts';
import { cursorAt, type ExecutionFilter, readCursor } from './query.ts';
import { readJournal, type StoredFacts } from './stored-facts.ts';
import type { VaultKind } from './vault.ts';

export interface Stored extends StoredFacts {
  readonly n: number;
  readonly truncated: number;
}

type Row = Readonly<Record<string, unknown>>;
type Statement = ReturnType<Connection['prepare']>;

/** The searchable columns of an execution, without its journal. Times are epoch milliseconds. */
export interface Summary {
  readonly id: string;
  readonly owner: string | null;
  readonly workflow: string;
  readonly version: string;
  readonly status: Stand;
  readonly startedAt: number;
  readonly settledAt: number | null;
  /** The time of the next check: a deadline, or the end of the retention. */
  readonly dueAt: number | null;
}

export type StartedRow = ListedRow & Pick<Summary, 'startedAt'>;

/** A page of rows. */
export interface Checked<Row> {
  readonly rows: readonly Row[];
  /** There are further ones. */
  readonly isMore: boolean;
  /** Rows below this number were not checked; undefined: there are none, or the page is full. */
  readonly left: number | undefined;
}

/** Rows that are checked at once against a filter without an index: some milliseconds. */
const WINDOW = 5_000;
/** Characters of an id from which on few executions fit, so that its index is used. */
const SEARCHED = 4;

const conditions = (all: readonly (readonly [sql: string, value: unknown])[]) => {
  const given = all.filter(([, value]) => value !== undefined);
  return { sql: ['TRUE', ...given.map(([sql]) => sql)].join(' AND '), values: given.map(([, value]) => value) };
};

type Listed = Summary & { readonly outline: string | null };

const listed = (row: Listed): ListedRow => ({ id: row.id, view: readOutline(row, row.outline) });

const bytes = (column: string, name = column): string => `CAST(${column} AS BLOB) AS ${name}`;

const SUMMARY = `${bytes('id')}, ${bytes('owner')}, ${bytes('workflow')}, ${bytes('version')},
  ${bytes('stand', 'status')}, started_at AS startedAt, settled_at AS settledAt, due_at AS dueAt`;
const LISTED = `${SUMMARY}, ${bytes('outline')}`;

export class Reader {
  readonly #database: Connection;
  /** By their SQL text. */
  readonly #statements = new Map<string, Statement>();

  constructor(database: Connection) {
    this.#database = database;
  }

  lastN(): number {
    // A killed process may have left a journal without its execution.
    const sql = 'SELECT (SELECT max(n) FROM executions) AS n, (SELECT max(n) FROM journal) AS last';
    const { n, last } = this.#one(sql) as { n: number | null; last: number | null };
    return Math.max(n ?? 0, last ?? 0);
  }

  find(id: string): Stored | undefined {
    const row = this.#one('SELECT n, truncated FROM executions WHERE id = ?', id);
    if (row === undefined) return undefined;
    const n = row.n as number;
    const rows = this.#rows(FACTS, n).map(({ facts, sum, seq }) => ({
      facts: Buffer.from(facts as ArrayBuffer),
      sum,
      seq,
    }));
    return { n, truncated: row.truncated as number, ...readJournal(id, rows) };
  }

  /** The number of the last fact of an execution; 0 if there is none. */
  lastSeq(id: string): number {
    return this.find(id)?.entries.at(-1)?.seq ?? 0;
  }

  named(name: string): Named | undefined {
    const sql = `SELECT ${bytes('id')}, ${bytes('fingerprint')} FROM names JOIN executions USING (n) WHERE name = ?`;
    const row = this.#one(sql, name);
    return row && { executionId: row.id as string, fingerprint: row.fingerprint as string };
  }

  summary(id: string): Summary | undefined {
    return this.#one(`SELECT ${SUMMARY} FROM executions WHERE id = ?`, id) as Summary | undefined;
  }

  /** Undefined if there is none with this id. */
  listed(id: string): ListedRow | undefined {
    const row = this.#one(`SELECT ${LISTED} FROM executions WHERE id = ?`, id);
    return row && listed(row as unknown as Listed);
  }

  /** Newest first, from those before the number `below`. Checks a limited number of rows; the rest is below `left`. */
  page(owner: string | undefined, filter: ExecutionFilter, below?: number): Checked<StartedRow> {
    const { rows, isMore, left } = this.#page<Listed>(LISTED, owner, filter, WINDOW, below);
    return { rows: rows.map((row) => ({ ...listed(row), startedAt: row.startedAt })), isMore, left };
  }

  /** Newest first. */
  summaries(
    owner: string | undefined,
    filter: ExecutionFilter,
  ): { readonly summaries: readonly Summary[]; readonly next: string | undefined } {
    const { rows, isMore } = this.#page<Summary>(SUMMARY, owner, filter);
    const last = rows.at(-1);
    const next =
      isMore && last !== undefined ? cursorAt({ startedAt: last.startedAt, executionId: last.id }) : undefined;
    return { summaries: rows, next };
  }

  #page<Row extends Summary>(
    columns: string,
    owner: string | undefined,
    { status, workflow, id, before, limit }: ExecutionFilter,
    window = Number.POSITIVE_INFINITY,
    below = before === undefined ? undefined : this.#placeOf(before),
  ): Checked<Row> {
    const scope = conditions([
      ['owner = ?', owner],
      ['n < ?', below],
    ]);
    const filter = conditions([
      ['stand = ?', status],
      ['workflow = ?', workflow],
      ['id >= ?', id],
      ['id < ?', id === undefined ? undefined : `${id}\u{10ffff}`],
    ]);
    const isSearch = id !== undefined && id.length >= SEARCHED;
    const isWindowed = filter.values.length > 0 && !isSearch && Number.isFinite(window);
    const from = isWindowed
      ? `(SELECT * FROM executions WHERE ${scope.sql} ORDER BY n DESC LIMIT ${window}) WHERE ${filter.sql}`
      : `executions WHERE ${scope.sql} AND ${filter.sql}`;
    const sql = `SELECT ${columns} FROM ${from} ORDER BY ${isSearch ? '+n' : 'n'} DESC LIMIT ?`;
    const found = this.#all(sql, ...scope.values, ...filter.values, limit + 1) as unknown as Row[];
    const isMore = found.length > limit;
    const lastChecked = `SELECT n FROM executions WHERE ${scope.sql} ORDER BY n DESC LIMIT 1 OFFSET ${window - 1}`;
    const left = isWindowed && !isMore ? this.#one(lastChecked, ...scope.values)?.n : undefined;
    return { rows: found.slice(0, limit), isMore, left: left as number | undefined };
  }

  /** The position of the execution at the end of a page; without that execution, the position where it was. */
  #placeOf(cursor: string): number {
    const { id, startedAt } = readCursor(cursor);
    const row = this.#one('SELECT n FROM executions WHERE id = ?', id);
    return row === undefined ? this.#placeAt(startedAt) : (row.n as number);
  }

  /** Behind the last one that was started by then. Numbers are in the order of the starts. */
  #placeAt(startedAt: number): number {
    const newest = 'SELECT started_at FROM executions WHERE n <= ? ORDER BY n DESC LIMIT 1';
    let low = 0;
    let high = this.lastN();
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const row = this.#one(newest, middle);
      if (row === undefined || (row.started_at as number) <= startedAt) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  awaiting(owner: string | undefined, limit: number): readonly ListedRow[] {
    const isOwned = owner === undefined ? '' : 'AND owner = ?';
    const which = `awaiting_since IS NOT NULL ${isOwned} ORDER BY awaiting_since LIMIT ?`;
    const sql = `SELECT ${LISTED} FROM executions WHERE ${which}`;
    return this.#all(sql, ...(owner === undefined ? [] : [owner]), limit).map((row) =>
      listed(row as unknown as Listed),
    );
  }

  unfinished(): readonly string[] {
    return this.#ids(`${IDS} WHERE unfinished = 1 ORDER BY n`);
  }

  due(now: number, limit: number): ReturnType<Archive['due']> {
    const sql = `SELECT ${bytes('id')}, settled_at FROM executions WHERE due_at <= ? ORDER BY due_at LIMIT ?`;
    return this.#all(sql, now, limit).map(({ id, settled_at }) => ({
      id: id as string,
      isSettled: settled_at !== null,
    }));
  }

  nextDueAt(after = Number.NEGATIVE_INFINITY): number | undefined {
    const row = this.#one('SELECT due_at FROM executions WHERE due_at > ? ORDER BY due_at LIMIT 1', after);
    return row?.due_at as number | undefined;
  }

  /** Executions that settled before a time, oldest first. */
  settledBefore(at: number, limit: number): readonly string[] {
    return this.#ids(`${IDS} WHERE settled_at < ? ORDER BY n LIMIT ?`, at, limit);
  }

  settled(limit: number): readonly string[] {
    const sql = `${IDS} WHERE due_at IS NOT NULL AND settled_at IS NOT NULL ORDER BY due_at LIMIT ?`;
    return this.#ids(sql, limit);
  }

  open(): ReturnType<Archive['open']> {
    const columns = `${bytes('workflow')}, ${bytes('version')}, count(*) AS count`;
    const sql = `SELECT ${columns} FROM executions WHERE settled_at IS NULL GROUP BY executions.workflow, executions.version`;
    return this.#all(sql).map(({ workflow, version, count }) => ({
      workflow: workflow as string,
      version: version as string,
      count: count as number,
    }));
  }

  /** In use, without freed pages. */
  bytes(): number {
    const pragma = (name: string): number =>
      Object.values((this.#database.pragma(name) as Row[])[0] ?? {})[0] as number;
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  vault(kind: VaultKind, key: string): string | undefined {
    return this.#one(`SELECT ${bytes('value')} FROM vault WHERE kind = ? AND key = ?`, kind, key)?.value as
      | string
      | undefined;
  }

  vaultEntries(kind: VaultKind, prefix: string, after: string, limit = -1): readonly (readonly [string, string])[] {
    const isFound = 'kind = ? AND vault.key >= ? AND vault.key < ? AND vault.key > ?';
    const sql = `SELECT ${bytes('key')}, ${bytes('value')} FROM vault WHERE ${isFound} ORDER BY vault.key LIMIT ?`;
    const rows = this.#all(sql, kind, prefix, `${prefix}\x7f`, after, limit); // keys are ASCII
    return rows.map(({ key, value }) => [key as string, value as string]);
  }

  #ids(sql: string, ...parameters: unknown[]): readonly string[] {
    return this.#all(sql, ...parameters).map(({ id }) => id as string);
  }

  #one(sql: string, ...parameters: unknown[]): Row | undefined {
    return this.#all(sql, ...parameters)[0];
  }

  #all(sql: string, ...parameters: unknown[]): Row[] {
    const rows = this.#rows(sql, ...parameters);
    for (const row of rows) for (const name in row) if (row[name] instanceof ArrayBuffer) row[name] = textOf(row[name]);
    return rows;
  }

  #rows(sql: string, ...parameters: unknown[]): Record<string, unknown>[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(parameters) as Record<string, unknown>[];
  }
}

const IDS = `SELECT ${bytes('id')} FROM executions`;
const FACTS = `SELECT ${bytes('facts')}, sum, seq FROM journal WHERE n = ? ORDER BY seq`;

const textOf = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString();
