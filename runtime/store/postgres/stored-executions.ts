/**
 * The executions of a database, for tools that do not run them, also while servers have it. Servers may show a removed settled
 * execution for a while, if it is in memory. Live executions can be removed only while no server runs.
 */
import { z } from 'zod';
import type { Blocked, ExecutionContext } from '../../../machines/execution.ts';
import { Failure } from '../../errors.ts';
import { foldJournal } from '../../journal/fold-journal.ts';
import { explained } from '../explain.ts';
import type { ExecutionFilter } from '../query.ts';
import type { Summary } from '../reader.ts';
import type { StoredData, StoredJournal } from '../stored-data.ts';
import { Database } from './database.ts';
import { PostgresReader } from './reader.ts';
import { refuseIfUnreadable } from './schema.ts';
import { removalOf } from './statement.ts';

/** Limit for one removal, so that it does not delay the writes of servers. */
const BATCH = 500;
const OPEN_MS = 10_000;

const nodes = z.array(z.object({ address: z.string() }));

export class PostgresExecutions implements StoredData {
  readonly #database: Database;
  readonly #reader: PostgresReader;

  private constructor(database: Database) {
    this.#database = database;
    this.#reader = new PostgresReader(database);
  }

  /** Rejects with `options_invalid` if the database has no executions, cannot be reached, or is of another version. */
  static async open(url: string): Promise<PostgresExecutions> {
    const database = await Database.at(url);
    try {
      const session = await database.connect('executions', OPEN_MS);
      await refuseIfUnreadable(session, database.name).finally(() => session.close());
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw invalid(`The database ${database.name} cannot be opened: ${explained(cause)}`);
    }
    return new PostgresExecutions(database);
  }

  get place(): string {
    return this.#database.name;
  }

  list(filter: ExecutionFilter) {
    return this.#reader.summaries(filter.owner, filter);
  }

  async get(id: string): Promise<Summary> {
    const summary = await this.#reader.summary(id);
    if (summary === undefined) throw invalid(`No execution in ${this.place} has the id ${id}.`);
    return summary;
  }

  async journal(id: string): Promise<StoredJournal | undefined> {
    const stored = await this.#reader.find(id);
    return stored && { entries: stored.entries, truncatedThrough: stored.truncated };
  }

  async blockedAmong(summaries: readonly Summary[]): Promise<ReadonlyMap<string, Blocked>> {
    const live = new Set(summaries.flatMap(({ id, settledAt }) => (settledAt === null ? [id] : [])));
    const blocked = new Map<string, Blocked>();
    if (live.size === 0) return blocked;
    for (const id of await this.#reader.blocked()) {
      const journal = live.has(id) ? await this.journal(id) : undefined;
      const why = journal && this.standing(id, journal).blocked;
      if (why) blocked.set(id, why);
    }
    return blocked;
  }

  standing(id: string, { entries }: StoredJournal): ExecutionContext {
    return foldJournal(id, entries).context;
  }

  async remove(ids: readonly string[], isForced: boolean): Promise<void> {
    const summaries = await Promise.all(ids.map((id) => this.get(id)));
    const live = summaries.find(({ settledAt }) => settledAt === null);
    if (live !== undefined && !isForced) {
      throw invalid(`Execution ${live.id} is live. Use --force to remove it, while no server runs.`);
    }
    await this.#remove(ids, live !== undefined);
  }

  async removeSettledBefore(at: number): Promise<number> {
    let count = 0;
    for (;;) {
      const ids = await this.#reader.settledBefore(at, BATCH);
      if (ids.length === 0) return count;
      await this.#remove(ids, false);
      count += ids.length;
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #remove(ids: readonly string[], isAnyLive: boolean): Promise<void> {
    const session = await this.#database.connect('executions', OPEN_MS);
    try {
      const text = 'SELECT address FROM nodes WHERE expires_at > clock_timestamp() ORDER BY address';
      const servers = isAnyLive ? nodes.parse(await session.query({ text })) : [];
      if (servers.length > 0) {
        const who = servers.map(({ address }) => address).join(', ');
        throw invalid(`The database ${this.place} is in use by ${who}. ${ADVICE}`);
      }
      await session.query(removalOf(ids));
    } finally {
      await session.close();
    }
  }
}

const ADVICE = 'Stop the servers before you remove live executions, or cancel them there.';

const invalid = (detail: string): Failure => new Failure('options_invalid', { detail });
