/**
 * The store in PostgreSQL: journals in a database, and in memory while their executions are in memory.
 *
 * Several processes share the database. What one of them could not write, or may have written without a reply, is read again
 * before anything builds on it.
 */
import type { JournalEntry } from '../../../machines/facts.ts';
import { Failure } from '../../errors.ts';
import type { Archive, Archived, ListedRow, PageOfRows } from '../archive.ts';
import { leaseEnded } from '../cluster.ts';
import { explained } from '../explain.ts';
import { Commits } from '../group-commit.ts';
import { Journals, type Loaded } from '../journals.ts';
import type { Named } from '../named.ts';
import type { ExecutionFilter } from '../query.ts';
import { Seal } from '../seal.ts';
import { type Fullness, type JournalLimits, type JournalPage, type Recorded, Refused, type Store } from '../store.ts';
import { StoredVault } from '../stored-vault.ts';
import { type Beating, type Beats, beatInThread } from './beats.ts';
import { Database } from './database.ts';
import { Hints } from './hints.ts';
import type { LeaseTime } from './lease.ts';
import { PostgresMail } from './mail.ts';
import { Node } from './nodes.ts';
import { PostgresReader } from './reader.ts';
import { migrate } from './schema.ts';
import { checkSeal } from './seal-check.ts';
import { Shared } from './shared.ts';
import { SharedJournal, type SharedJournalDeps } from './shared-journal.ts';
import { Values } from './values.ts';
import { PostgresWriter } from './writer.ts';

export interface PostgresStoreOptions extends JournalLimits {
  /** `postgres://user:password@host:port/database`, also with several hosts. The tables are created if they are missing. */
  readonly url: string;
  /** As in the runtime: when a parked execution has to be checked. */
  readonly parkedTimeoutMs: number;
  /** Encrypts tokens and identifying headers. Without it they are not stored. */
  readonly secret?: string | undefined;
  /** How long a request waits for a connection that was lost. Default 1_500. */
  readonly connectMs?: number;
  /** How long the other processes wait for a sign of life before they take what this one executes. Default 5_000. */
  readonly leaseMs?: number;
  /** How long the event loop may be blocked before this process lets its lease end. Default 30_000. */
  readonly stallTimeoutMs?: number;
  /** The clocks of the lease, and what extends it. For tests. */
  readonly time?: LeaseTime;
  readonly beat?: (beating: Beating) => Beats;
}

/** How long the start waits for the database. */
const OPEN_MS = 10_000;
const LEASE_MS = 5_000;
const STALL_TIMEOUT_MS = 30_000;
/** Executions that are taken at a time at the start. */
const TAKEN = 200;

export class PostgresStore implements Store, Archive {
  readonly archive: Archive = this;
  readonly shared: Shared;
  readonly vault: StoredVault;
  readonly cluster: Node;
  readonly #commits: Commits;
  readonly #reader: PostgresReader;
  readonly #values: Values;
  readonly #hints: Hints;
  readonly #mail: PostgresMail;
  readonly #journals: Journals<SharedJournal>;
  /** Executions in memory whose journals could not be written, and the last fact that was. */
  readonly #lost = new Map<string, number>();
  /** Those that are being read, to be appended to. */
  readonly #returning = new Map<string, Promise<SharedJournal | undefined>>();
  #moved: (executionId: string) => void = () => {};
  #closed: Promise<void> | undefined;

  /** Throws `options_invalid` for an address that is invalid or cannot be reached. */
  static async open(options: PostgresStoreOptions): Promise<PostgresStore> {
    const { url, connectMs, secret } = options;
    const seal = secret === undefined ? undefined : new Seal(secret);
    const database = await Database.at(url, connectMs);
    const reader = new PostgresReader(database);
    try {
      const session = await database.connect('writer', Math.max(OPEN_MS, database.connectMs));
      try {
        await migrate(session, database.name);
        const writer = new PostgresWriter(database, session);
        const { leaseMs = LEASE_MS, stallTimeoutMs = STALL_TIMEOUT_MS, time, beat = beatInThread } = options;
        const { urls } = database;
        const node = new Node((asked) => writer.ask(asked), { urls, leaseMs, stallTimeoutMs, time, beat });
        writer.node = node.id;
        writer.onClosing = () => node.close();
        writer.onLostWrites = (count) => {
          node.lostWrites += count;
        };
        const hints = new Hints(database);
        try {
          await node.join();
          await checkSeal((asked) => writer.ask(asked), { seal, node: node.id, name: database.name });
          await hints.open();
        } catch (error) {
          await node.close();
          throw error;
        }
        return new PostgresStore(writer, reader, node, hints, seal, options);
      } catch (error) {
        session.drop();
        throw error;
      }
    } catch (cause) {
      await reader.close();
      if (cause instanceof Failure) throw cause;
      const detail = `The database ${database.name} cannot be opened: ${explained(cause)}`;
      throw new Failure('options_invalid', { detail, cause });
    }
  }

  private constructor(
    writer: PostgresWriter,
    reader: PostgresReader,
    node: Node,
    hints: Hints,
    seal: Seal | undefined,
    { maxJournalFacts, maxJournalBytes, parkedTimeoutMs }: PostgresStoreOptions,
  ) {
    this.#reader = reader;
    this.cluster = node;
    this.#hints = hints;
    this.#commits = new Commits(writer);
    this.#values = new Values(reader, node.id);
    this.vault = new StoredVault(this.#values, this.#commits, seal);
    const limits = { maxJournalFacts, maxJournalBytes };
    const hint = (id: string): void => hints.send([id]);
    const lost = (id: string): void => this.#lose(id);
    const deps: SharedJournalDeps = { limits, parkedTimeoutMs, seal, lost, written: hint, node };
    this.#journals = new Journals(this.#commits, seal, (n, id, journal) => new SharedJournal(n, id, journal, deps));
    this.#mail = new PostgresMail(reader, node.id, hint);
    this.shared = new Shared({
      journals: this.#journals.inMemory,
      reader,
      hints,
      mail: this.#mail,
      journal: deps,
      reload: (id) => this.#return(id),
    });
    node.hasLetGo = (id) => {
      if (id !== undefined) this.#journals.inMemory.get(id)?.letGo();
      hints.letGo();
    };
    hints.onLetGo = () => node.othersLetGo();
    writer.onRegained = () => this.#regained();
  }

  append(record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness> {
    const { id } = record;
    const returning = this.#returning.get(id);
    if (returning !== undefined) return this.#appendLater(returning, record, entry);
    const kept = entry.seq === 1 ? this.#journals.begin(0, id) : this.#journals.inMemory.get(id);
    if (kept === undefined) return this.#appendLater(this.#return(id), record, entry);
    return this.#append(kept, record, entry);
  }

  #append(kept: SharedJournal, record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness> {
    if (!this.cluster.isValid) throw leaseEnded();
    const { batch } = this.#commits;
    if (kept.last + 1 !== entry.seq) throw new Refused(record.id);
    const appended = this.#journals.append(kept, record, entry, batch);
    const letter = this.#mail.keyOf(entry);
    if (letter !== undefined) kept.answer(letter);
    return appended;
  }

  async #appendLater(
    returning: Promise<SharedJournal | undefined>,
    record: Recorded,
    entry: JournalEntry,
  ): Promise<Fullness> {
    const kept = await returning;
    if (kept === undefined) throw new Refused(record.id);
    return this.#append(kept, record, entry);
  }

  read(executionId: string, after = 0): JournalPage | undefined | Promise<JournalPage | undefined> {
    const kept = this.#journals.inMemory.get(executionId);
    if (kept !== undefined) return kept.isBegun ? kept.read(after) : undefined;
    return this.#readStored(executionId, after);
  }

  async #readStored(id: string, after: number): Promise<JournalPage | undefined> {
    const kept = this.#lost.has(id) ? await this.#return(id) : (await this.#load(id))?.kept;
    return kept?.read(after);
  }

  async forget(executionId: string): Promise<void> {
    await this.#journals.forget(executionId);
    this.#hints.send([executionId]);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    this.#values.close();
    await this.#reader.close();
    await this.#hints.close();
    this.#journals.inMemory.clear();
    this.#lost.clear();
  }

  async find(executionId: string): Promise<Archived | undefined> {
    const { inMemory } = this.#journals;
    if (this.#journals.isForgotten(executionId)) return undefined; // it would be loaded without an owner in memory
    const loaded = await this.#load(executionId);
    if (loaded === undefined || this.#journals.isForgotten(executionId)) return undefined;
    const present = inMemory.get(executionId); // facts may be on their way
    if (present === undefined || (present.isIdle && present.through <= loaded.kept.through))
      inMemory.set(executionId, loaded.kept);
    const { kept, origin } = loaded;
    return { entries: kept.journal.entries, origin, isElsewhere: kept.isElsewhere };
  }

  bytesOf(executionId: string): number {
    return this.#journals.bytesOf(executionId);
  }

  release(executionId: string): void {
    this.#lost.delete(executionId);
    this.#journals.release(executionId);
  }

  named(name: string): Promise<Named | undefined> {
    return this.#reader.named(name);
  }

  async page(owner: string | undefined, filter: ExecutionFilter): Promise<PageOfRows> {
    const { rows, next } = await this.#reader.page(owner, filter);
    return { rows: this.#journals.present(rows), next };
  }

  async awaiting(owner: string | undefined, limit: number): Promise<readonly ListedRow[]> {
    return this.#journals.present(await this.#reader.awaiting(owner, limit));
  }

  async unfinished(): Promise<readonly string[]> {
    const ids = [...(await this.#reader.blocked())];
    for (let count = TAKEN; count === TAKEN; ) {
      const taken = await this.cluster.take(TAKEN);
      count = taken.length;
      ids.push(...taken);
    }
    return ids;
  }

  due(now: number, limit: number, claimedUntil?: number): Promise<Awaited<ReturnType<Archive['due']>>> {
    return this.cluster.due(now, limit, claimedUntil);
  }

  nextDueAt(after?: number): Promise<number | undefined> {
    return this.#reader.nextDueAt(this.cluster.id, after);
  }

  /** The operators of the database see to its size. */
  excess(): readonly string[] {
    return [];
  }

  open(): Promise<Awaited<ReturnType<Archive['open']>>> {
    return this.#reader.open();
  }

  onMoved(moved: (executionId: string) => void): void {
    this.#moved = moved;
  }

  #lose(id: string): void {
    const kept = this.#journals.inMemory.get(id);
    if (kept === undefined) return;
    this.#journals.inMemory.delete(id);
    this.#lost.set(id, kept.through);
  }

  /** Reads the journal of an execution that is in memory. */
  #return(id: string): Promise<SharedJournal | undefined> {
    const returning = this.#returning.get(id);
    if (returning !== undefined) return returning;
    const read = this.#load(id)
      .then((loaded) => this.#returned(id, loaded?.kept))
      .finally(() => this.#returning.delete(id));
    this.#returning.set(id, read);
    return read;
  }

  #returned(id: string, kept: SharedJournal | undefined): SharedJournal | undefined {
    const through = this.#lost.get(id);
    this.#lost.delete(id);
    if (kept !== undefined) this.#journals.inMemory.set(id, kept);
    if (through !== undefined && through !== kept?.last) this.#moved(id);
    return kept;
  }

  /** Other processes went on while the connection was lost. No batch is being written meanwhile, except what is found out. */
  async #regained(): Promise<void> {
    const idle = [...this.#journals.inMemory].filter(([, kept]) => kept.isIdle);
    const numbers = await this.#reader.numbers(idle.map(([id]) => id));
    for (const [id, kept] of idle) {
      if (numbers.get(id) === kept.through || this.#journals.inMemory.get(id) !== kept || !kept.isIdle) continue;
      this.#journals.inMemory.delete(id);
      this.#moved(id);
    }
    for (const id of [...this.#lost.keys()]) this.#return(id).catch(() => {}); // the next one that asks tries again
  }

  async #load(id: string): Promise<Loaded<SharedJournal> | undefined> {
    const stored = await this.#reader.find(id);
    if (stored === undefined) return undefined;
    const loaded = this.#journals.load(0, id, stored);
    loaded.kept.stands(stored);
    return loaded;
  }
}
