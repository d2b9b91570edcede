/**
 * Executions of a durable store that are not in memory.
 *
 * A1  It shows committed data only. An execution is found with all entries whose promises have resolved, and without
 *     any that could still be lost.
 * A2  A value is given at once where it is at hand, as in a file of this machine; else there is a promise of it. The cost depends
 *     on the result, not on the size of the store.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Awaitable } from '../awaitable.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Cluster } from './cluster.ts';
import type { Named } from './named.ts';
import type { ListedView } from './outline.ts';
import type { ExecutionFilter } from './query.ts';
import type { Vault } from './vault.ts';

export interface Archive {
  /** Loads an execution. Its journal is then in memory until it is released. */
  find(executionId: string): Awaitable<Archived | undefined>;
  /** Bytes of its journal, if it is in memory. */
  bytesOf(executionId: string): number;
  /** Removes the journal of the execution from memory. */
  release(executionId: string): void;
  named(name: string): Awaitable<Named | undefined>;
  /** Newest first; `next` is for `before`. `owner` undefined: all owners. */
  page(owner: string | undefined, filter: ExecutionFilter): Awaitable<PageOfRows>;
  /** Executions that wait for a person, the longest waiting first. */
  awaiting(owner: string | undefined, limit: number): Awaitable<readonly ListedRow[]>;
  /** Ids of executions to recover at the start: they were running or queued, or cannot be replayed. */
  unfinished(): Awaitable<readonly string[]>;
  /** Executions with a passed deadline, or with a retention that has ended. */
  due(now: number, limit: number): Awaitable<readonly Due[]>;
  /** The next deadline, after this time if it is given. Epoch milliseconds; undefined without one. */
  nextDueAt(after?: number): Awaitable<number | undefined>;
  /** Settled executions that are deleted first when the data exceeds its limit. */
  excess(limit: number): Awaitable<readonly string[]>;
  /** Number of live executions, by workflow and the version of their start. */
  open(): Awaitable<readonly OpenCount[]>;
  /**
   * Calls back for each execution in memory that has other facts in the store: another process has changed it, or the store has
   * committed facts without a reply. Missing in a store that no other process changes.
   */
  onMoved?(moved: (executionId: string) => void): void;
  /** The processes that share the store. Missing in a store that one process has for itself. */
  readonly cluster?: Cluster | undefined;
  /** Storage for values besides executions. */
  readonly vault: Vault;
}

export interface PageOfRows {
  readonly rows: readonly ListedRow[];
  readonly next: string | undefined;
}

/** `view` undefined: its row does not have all that a list shows, so its journal has to be read. */
export interface ListedRow {
  readonly id: string;
  readonly view: ListedView | undefined;
}

interface Due {
  readonly id: string;
  readonly isSettled: boolean;
}

export interface OpenCount {
  readonly workflow: string;
  readonly version: string;
  readonly count: number;
}

export interface Archived {
  readonly entries: readonly JournalEntry[];
  readonly origin: Origin;
}
