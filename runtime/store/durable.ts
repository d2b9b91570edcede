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
import { Commits, unwritable } from './group-commit.ts';
import { Kept, type KeptDeps } from './journal-writer.ts';
import { Journal } from './memory-journal.ts';
import type { Named } from './named.ts';
import { Pages } from './pages.ts';
import type { ExecutionFilter } from './query.ts';
import { Reader } from './reader.ts';
import { RemovalWriter } from './removal-writer.ts';
import { Seal } from './seal.ts';
import { readOrigin } from './start-request-text.ts';
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
  readonly #seal: Seal | undefined;
  readonly #deps: KeptDeps;
  readonly #maxDataBytes: number;
  readonly #inMemory = new Map<string, Kept>();
  /** Ids of executions whose removal is not on the disk yet. */
  readonly #forgotten = new Set<string>();
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
    this.#seal = secret === undefined ? undefined : new Seal(secret);
    this.vault = new StoredVault(this.#reader, commits, this.#seal);
    this.#n = this.#reader.lastN();
    const limits = { maxJournalFacts, maxJournalBytes };
    this.#deps = {
      limits,
      parkedTimeoutMs,
      seal: this.#seal,
      lost: (id) => this.#inMemory.delete(id),
    };
  }

  append(record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness> {
    const { batch } = this.#commits;
    const kept = entry.seq === 1 ? this.#begin(record.id) : this.#keptOf(record.id);
    try {
      return kept.append(record, entry, batch);
    } catch (cause) {
      throw unwritable(kept.name, cause); // other executions are not affected
    }
  }

  read(executionId: string, after = 0): JournalPage | undefined {
    const kept = this.#inMemory.get(executionId) ?? this.#load(executionId)?.kept;
    return kept?.isBegun ? kept.read(after) : undefined;
  }

  async forget(executionId: string): Promise<void> {
    const { batch } = this.#commits;
    const part = batch.join(new RemovalWriter(executionId, this.#inMemory.get(executionId)?.n));
    this.#inMemory.delete(executionId);
    this.#forgotten.add(executionId);
    try {
      await part.kept;
    } finally {
      this.#forgotten.delete(executionId);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    this.#inMemory.clear();
    this.#directory.release();
  }

  find(executionId: string): Archived | undefined {
    if (this.#forgotten.has(executionId)) return undefined; // it would be loaded without an owner in memory
    const loaded = this.#load(executionId);
    if (loaded === undefined) return undefined;
    if (!this.#inMemory.has(executionId)) this.#inMemory.set(executionId, loaded.kept); // facts may be on their way
    return { entries: loaded.kept.journal.entries, origin: loaded.origin };
  }

  bytesOf(executionId: string): number {
    return this.#inMemory.get(executionId)?.journal.bytes ?? 0;
  }

  release(executionId: string): void {
    if (this.#inMemory.get(executionId)?.isIdle) this.#inMemory.delete(executionId);
  }

  named(name: string): Named | undefined {
    return this.#reader.named(name);
  }

  page(owner: string | undefined, filter: ExecutionFilter): Awaitable<PageOfRows> {
    return andThen(this.#pages.read(owner, filter), ({ rows, next }) => ({ rows: this.#present(rows), next }));
  }

  awaiting(owner: string | undefined, limit: number): readonly ListedRow[] {
    return this.#present(this.#reader.awaiting(owner, limit));
  }

  #present(rows: readonly ListedRow[]): readonly ListedRow[] {
    return this.#forgotten.size === 0 ? rows : rows.filter(({ id }) => !this.#forgotten.has(id));
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
    const kept = this.#inMemory.get(id) ?? this.#load(id)?.kept;
    if (kept === undefined) throw new Error(`execution ${id} has no journal`);
    this.#inMemory.set(id, kept);
    return kept;
  }

  #begin(id: string): Kept {
    this.#n += 1;
    const kept = new Kept(this.#n, id, new Journal([], 0, 0), this.#deps);
    this.#inMemory.set(id, kept);
    return kept;
  }

  /** Throws `execution_damaged` for an execution that cannot be read. */
  #load(id: string) {
    const stored = this.#reader.find(id);
    if (stored === undefined) return undefined;
    const { n, entries, bytes, truncated, origin } = stored;
    const [started] = entries;
    const input = started?.type === 'execution.started' ? started.input : null;
    const kept = new Kept(n, id, new Journal(entries, bytes, truncated), this.#deps);
    return { kept, origin: readOrigin(origin, input, this.#seal) };
  }
}
