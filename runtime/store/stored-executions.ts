/**
 * The executions of a directory, for tools that do not run them, also while a server has the directory. It returns
 * committed data. A running server may show a removed settled execution for a while, if it is in memory. Live
 * executions can be removed only while no server runs.
 */
import { join, resolve } from 'node:path';
import type { Blocked, ExecutionContext } from '../../machines/execution.ts';
import { Failure } from '../errors.ts';
import { foldJournal } from '../journal/fold-journal.ts';
import type { Connection } from './connection.ts';
import { claim, FILE, openBeside } from './directory.ts';
import { refuseIfOwned } from './ledger.ts';
import { isPostgres, readAddress } from './postgres/address.ts';
import type { ExecutionFilter } from './query.ts';
import { Reader, type Summary } from './reader.ts';
import { WRITES } from './schema.ts';
import type { StoredData, StoredJournal } from './stored-data.ts';

/** Limit for one removal, so that it does not delay the writes of a running server. */
const BATCH = 500;

export class StoredExecutions implements StoredData {
  readonly directory: string;
  readonly #database: Connection;
  readonly #reader: Reader;

  /** Throws `options_invalid` if the directory has no executions, or if this version cannot read it. */
  constructor(directory: string) {
    if (isPostgres(directory)) throw invalid(`${readAddress(directory).name} is a database: use openStoredData.`);
    this.directory = resolve(directory);
    this.#database = openBeside(directory);
    this.#reader = new Reader(this.#database);
  }

  get place(): string {
    return this.directory;
  }

  /** Newest first; `next` is for `before`. */
  list(filter: ExecutionFilter): { readonly summaries: readonly Summary[]; readonly next: string | undefined } {
    return this.#reader.summaries(filter.owner, filter);
  }

  /** Throws `options_invalid` if there is no execution with this id. */
  get(id: string): Summary {
    const summary = this.#reader.summary(id);
    if (summary === undefined) throw invalid(`No execution in ${this.directory} has the id ${id}.`);
    return summary;
  }

  /** Undefined if it was removed meanwhile. */
  journal(id: string): StoredJournal | undefined {
    const stored = this.#reader.find(id);
    return stored && { entries: stored.entries, truncatedThrough: stored.truncated };
  }

  /** The blocked ones among them, with the reason, by id. */
  blockedAmong(summaries: readonly Summary[]): ReadonlyMap<string, Blocked> {
    const live = new Set(summaries.flatMap(({ id, settledAt }) => (settledAt === null ? [id] : [])));
    const blocked = new Map<string, Blocked>();
    if (live.size === 0) return blocked;
    for (const id of this.#reader.unfinished()) {
      const why = live.has(id) ? this.#whyBlocked(id) : undefined;
      if (why) blocked.set(id, why);
    }
    return blocked;
  }

  #whyBlocked(id: string): Blocked | null | undefined {
    const view = this.#reader.listed(id)?.view;
    if (view !== undefined) return view.context.blocked;
    const journal = this.journal(id);
    return journal && this.standing(id, journal).blocked;
  }

  /** The state of an execution after these entries. Throws a `defect` if they are not a possible journal. */
  standing(id: string, { entries }: StoredJournal): ExecutionContext {
    return foldJournal(id, entries).context;
  }

  /**
   * Removes all of them or none. Throws `options_invalid` if one is missing, or is live. `isForced`: also removes live
   * ones, and throws while a server has the directory.
   */
  remove(ids: readonly string[], isForced: boolean): void {
    const live = ids.filter((id) => this.get(id).settledAt === null);
    if (live.length === 0) {
      this.#delete(ids);
      return;
    }
    if (!isForced) throw invalid(`Execution ${live[0]} is live. Use --force to remove it, while no server runs.`);
    const lock = claim(this.directory, ADVICE);
    try {
      refuseIfOwned(this.#database, join(this.directory, FILE), ADVICE);
      this.#delete(ids);
    } finally {
      lock.close();
    }
  }

  /** Returns their number. */
  removeSettledBefore(at: number): number {
    let count = 0;
    for (let ids = this.#reader.settledBefore(at, BATCH); ids.length > 0; ids = this.#reader.settledBefore(at, BATCH)) {
      this.#delete(ids);
      count += ids.length;
    }
    return count;
  }

  close(): void {
    this.#database.close();
  }

  #delete(ids: readonly string[]): void {
    const database = this.#database;
    const statements = [WRITES.forgetNames, WRITES.forgetFacts, WRITES.forget].map((sql) => database.prepare(sql));
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const id of ids) for (const statement of statements) statement.run(id);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }
}

const ADVICE = 'Stop the server before you remove live executions, or cancel them there.';

const invalid = (detail: string): Failure => new Failure('options_invalid', { detail });
