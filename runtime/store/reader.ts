/** What is asked of the file. Every answer comes from an index, and is as large as what was asked for. */
import type { JournalEntry } from '../../machines/facts.ts';
import { type ExecutionFilter, readCursor } from '../executions.ts';
import type { Named } from '../names.ts';
import type { Archive } from './archive.ts';
import type { Connection } from './directory.ts';
import type { StoredOrigin } from './origin-text.ts';
import type { VaultKind } from './vault.ts';

export interface Stored {
  readonly n: number;
  readonly entries: JournalEntry[];
  /** Of the entries, as text. */
  readonly bytes: number;
  readonly truncated: number;
  readonly origin: StoredOrigin;
}

type Row = Readonly<Record<string, unknown>>;
type Statement = ReturnType<Connection['prepare']>;

const PAGE_COLUMNS = 'SELECT n, id, started_at FROM executions';

export class Reader {
  readonly #database: Connection;
  /** By their text. */
  readonly #statements = new Map<string, Statement>();

  constructor(database: Connection) {
    this.#database = database;
  }

  lastN(): number {
    return (this.#one('SELECT max(n) AS n FROM executions')?.n as number | null) ?? 0;
  }

  find(id: string): Stored | undefined {
    const row = this.#one('SELECT n, truncated FROM executions WHERE id = ?', id);
    if (row === undefined) return undefined;
    const n = row.n as number;
    const all: unknown[] = [];
    let bytes = 0;
    for (const { facts } of this.#all('SELECT facts FROM journal WHERE n = ? ORDER BY seq', n)) {
      bytes += (facts as string).length;
      for (const each of JSON.parse(facts as string) as unknown[]) all.push(each);
    }
    const [origin, ...entries] = all as [StoredOrigin, ...JournalEntry[]];
    return { n, entries, bytes, truncated: row.truncated as number, origin };
  }

  named(name: string): Named | undefined {
    const sql = 'SELECT id, fingerprint FROM names JOIN executions USING (n) WHERE name = ?';
    const row = this.#one(sql, name);
    return row && { executionId: row.id as string, fingerprint: row.fingerprint as string };
  }

  page(
    owner: string | undefined,
    { status, workflow, id, before, limit }: ExecutionFilter,
  ): ReturnType<Archive['page']> {
    const conditions: string[] = [];
    const parameters: unknown[] = [];
    const where = (condition: string, value: unknown): void => {
      if (value === undefined) return;
      conditions.push(condition);
      parameters.push(value);
    };
    where('owner = ?', owner);
    where('stand = ?', status);
    where('workflow = ?', workflow);
    where('id >= ?', id);
    where('id < ?', id === undefined ? undefined : `${id}\u{10ffff}`);
    if (before !== undefined) where('n < ?', this.#placeOf(before));
    const condition = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
    const rows = this.#all(`${PAGE_COLUMNS}${condition} ORDER BY n DESC LIMIT ?`, ...parameters, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last !== undefined ? `${last.started_at}.${last.id}` : undefined;
    return { ids: shown.map(({ id }) => id as string), next };
  }

  /** Of the execution at which a page ended; if that is gone, of where it was. */
  #placeOf(cursor: string): number {
    const { id, startedAt } = readCursor(cursor);
    const row = this.#one('SELECT n FROM executions WHERE id = ?', id);
    if (row !== undefined) return row.n as number;
    const behind = 'SELECT n FROM executions WHERE started_at <= ? ORDER BY n DESC LIMIT 1';
    return ((this.#one(behind, startedAt)?.n as number | undefined) ?? 0) + 1;
  }

  awaiting(owner: string | undefined, limit: number): readonly string[] {
    const isOwned = owner === undefined ? '' : 'AND owner = ?';
    const sql = `SELECT id FROM executions WHERE awaiting_since IS NOT NULL ${isOwned} ORDER BY awaiting_since LIMIT ?`;
    return this.#ids(sql, ...(owner === undefined ? [] : [owner]), limit);
  }

  unfinished(): readonly string[] {
    return this.#ids('SELECT id FROM executions WHERE unfinished = 1 ORDER BY n');
  }

  due(now: number, limit: number): ReturnType<Archive['due']> {
    const sql = 'SELECT id, settled_at FROM executions WHERE due_at <= ? ORDER BY due_at LIMIT ?';
    return this.#all(sql, now, limit).map(({ id, settled_at }) => ({
      id: id as string,
      isSettled: settled_at !== null,
    }));
  }

  nextDueAt(): number | undefined {
    const row = this.#one('SELECT due_at FROM executions WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1');
    return row?.due_at as number | undefined;
  }

  settled(limit: number): readonly string[] {
    const sql = 'SELECT id FROM executions WHERE due_at IS NOT NULL AND settled_at IS NOT NULL ORDER BY due_at LIMIT ?';
    return this.#ids(sql, limit);
  }

  open(): ReturnType<Archive['open']> {
    const sql = 'SELECT workflow, version, count(*) AS count FROM executions WHERE settled_at IS NULL GROUP BY 1, 2';
    return this.#all(sql).map(({ workflow, version, count }) => ({
      workflow: workflow as string,
      version: version as string,
      count: count as number,
    }));
  }

  /** In use, without what was freed. */
  bytes(): number {
    const pragma = (name: string): number =>
      Object.values((this.#database.pragma(name) as Row[])[0] ?? {})[0] as number;
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  vault(kind: VaultKind, key: string): string | undefined {
    return this.#one('SELECT value FROM vault WHERE kind = ? AND key = ?', kind, key)?.value as string | undefined;
  }

  vaultKeys(kind: VaultKind, after: string, limit: number): readonly string[] {
    const sql = 'SELECT key FROM vault WHERE kind = ? AND key > ? ORDER BY key LIMIT ?';
    return this.#all(sql, kind, after, limit).map(({ key }) => key as string);
  }

  #ids(sql: string, ...parameters: unknown[]): readonly string[] {
    return this.#all(sql, ...parameters).map(({ id }) => id as string);
  }

  #one(sql: string, ...parameters: unknown[]): Row | undefined {
    return this.#all(sql, ...parameters)[0];
  }

  #all(sql: string, ...parameters: unknown[]): Row[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(parameters) as Row[];
  }
}
