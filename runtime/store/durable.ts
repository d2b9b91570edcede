/**
 * The store that survives the process: journals in a file, and in memory while their executions are in memory.
 *
 * Another thread writes, in batches. This thread reads synchronously from its own connection, which sees committed data
 * and takes a few microseconds.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import type { Archive, Archived, ListedRow, PageOfRows } from './archive.ts';
import { type Directory, openDirectory } from './directory.ts';
import { Commits } from './group-commit.ts';
import { Kept, type KeptDeps } from './journal-writer.ts';
import { Journals } from './journals.ts';
import type { Named } from './named.ts';
import { Pages } from './pages.ts';
import type { ExecutionFilter } from './query.ts';
import { Reader } from './reader.ts';
import { Seal } from './seal.ts';
import type { Fullness, JournalLimits, JournalPage, Recorded, Store } from './store.ts';
import { StoredVault } from './stored-vault.ts';
import { WriterThread } from './writer-thread.ts';

export interface DurableStoreOptions extends JournalLimits {
  /** Created if missing. Belongs to one process at a time. */
  readonly directory: string;
  /** As in the runtime: when a parked execution has to be checked. */
  readonly parkedTimeoutMs: number;
  /** Bytes of the file. Beyond it, settled executions are deleted, those whose retention ends first. */
  readonly maxDataBytes: number;
  /** Encrypts tokens and identifying headers. Without it they are not stored. */
  readonly secret?: string | undefined;
}

export class DurableStore implements Store, Archive {
  readonly archive: Archive = this;
  readonly vault: StoredVault;
  readonly #directory: Directory;
  readonly #commits: Commits;
  readonly #reader: Reader;
  readonly #pages: Pages;
  readonly #journals: Journals<Kept>;
  readonly #maxDataBytes: number;
  /** Number of the next execution. */
  #n: number;
  #closed: Promise<void> | undefined;

  /** Throws `options_invalid` for a directory that is invalid or in use. */
  static async open(options: DurableStoreOptions): Promise<DurableStore> {
    const directory = openDirectory(options.directory);
    try {
      const reader = new Reader(directory.reader);
      const thread = await WriterThread.open(directory, ({ id, last }) => reader.lastSeq(id) >= last);
      return new DurableStore(directory, reader, new Commits(thread), options);
    } catch (error) {
      directory.release();
      throw error;
    }
  }

  private constructor(directory: Directory, reader: Reader, commits: Commits, options: DurableStoreOptions) {
    const { maxJournalFacts, maxJournalBytes, parkedTimeoutMs, secret, maxDataBytes } = options;
    this.#directory = directory;
    this.#commits = commits;
    this.#reader = reader;
    this.#pages = new Pages(reader);
    this.#maxDataBytes = maxDataBytes;
    const seal = secret === undefined ? undefined : new Seal(secret);
    this.vault = new StoredVault(this.#reader, commits, seal);
    this.#n = this.#reader.lastN();
    const limits = { maxJournalFacts, maxJournalBytes };
    const lost = (id: string): boolean => this.#journals.inMemory.delete(id);
    const deps: KeptDeps = { limits, parkedTimeoutMs, seal, lost };
    this.#journals = new Journals(commits, seal, (n, id, journal) => new Kept(n, id, journal, deps));
  }

  append(record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness> {
    const { batch } = this.#commits;
    const kept = entry.seq === 1 ? this.#begin(record.id) : this.#keptOf(record.id);
    return this.#journals.append(kept, record, entry, batch);
  }

  read(executionId: string, after = 0): JournalPage | undefined {
    const kept = this.#journals.inMemory.get(executionId) ?? this.#load(executionId)?.kept;
    return kept?.isBegun ? kept.read(after) : undefined;
  }

  forget(executionId: string): Promise<void> {
    return this.#journals.forget(executionId, this.#journals.inMemory.get(executionId)?.n);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    this.#journals.inMemory.clear();
    this.#directory.release();
  }

  find(executionId: string): Archived | undefined {
    const { inMemory } = this.#journals;
    if (this.#journals.isForgotten(executionId)) return undefined; // it would be loaded without an owner in memory
    const loaded = this.#load(executionId);
    if (loaded === undefined) return undefined;
    if (!inMemory.has(executionId)) inMemory.set(executionId, loaded.kept); // facts may be on their way
    return { entries: loaded.kept.journal.entries, origin: loaded.origin };
  }

  bytesOf(executionId: string): number {
    return this.#journals.bytesOf(executionId);
  }

  release(executionId: string): void {
    this.#journals.release(executionId);
  }

  named(name: string): Named | undefined {
    return this.#reader.named(name);
  }

  page(owner: string | undefined, filter: ExecutionFilter): Awaitable<PageOfRows> {
    return andThen(this.#pages.read(owner, filter), ({ rows, next }) => ({ rows: this.#journals.present(rows), next }));
  }

  awaiting(owner: string | undefined, limit: number): readonly ListedRow[] {
    return this.#journals.present(this.#reader.awaiting(owner, limit));
  }

  unfinished(): readonly string[] {
    return this.#reader.unfinished();
  }

  due(now: number, limit: number): ReturnType<Archive['due']> {
    return this.#reader.due(now, limit);
  }

  nextDueAt(after?: number): number | undefined {
    return this.#reader.nextDueAt(after);
  }

  excess(limit: number): readonly string[] {
    return this.#reader.bytes() > this.#maxDataBytes ? this.#reader.settled(limit) : [];
  }

  open(): ReturnType<Archive['open']> {
    return this.#reader.open();
  }

  #keptOf(id: string): Kept {
    const { inMemory } = this.#journals;
    const kept = inMemory.get(id) ?? this.#load(id)?.kept;
    if (kept === undefined) throw new Error(`execution ${id} has no journal`);
    inMemory.set(id, kept);
    return kept;
  }

  #begin(id: string): Kept {
    this.#n += 1;
    return this.#journals.begin(this.#n, id);
  }

  /** Throws `execution_damaged` for an execution that cannot be read. */
  #load(id: string) {
    const stored = this.#reader.find(id);
    return stored && this.#journals.load(stored.n, id, stored);
  }
}
