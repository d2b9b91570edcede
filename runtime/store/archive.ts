/**
 * Executions of a durable store that are not in memory.
 *
 * A1  It shows committed data only. An execution is found with all entries whose promises have resolved, and without
 *     any that could still be lost.
 * A2  A value is given at once where it is at hand, as in a file of this machine; else there is a promise of it. The cost depends
 *     on the result, not on the size of the store.
 */
import type { Fact, JournalEntry } from '../../machines/facts.ts';
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
  /**
   * Executions with a passed deadline, or with a retention that has ended. Until `claimedUntil` no other process gets them, nor this
   * one again, in a store that processes share.
   */
  due(now: number, limit: number, claimedUntil?: number): Awaitable<readonly Due[]>;
  /** The next deadline, after this time if it is given. Epoch milliseconds; undefined without one. */
  nextDueAt(after?: number): Awaitable<number | undefined>;
  /** Settled executions that are deleted first when the data exceeds its limit. */
  excess(limit: number): Awaitable<readonly string[]>;
  /** Number of live executions, by workflow and the version of their start. */
  open(): Awaitable<readonly OpenCount[]>;
  /** Missing in a store that no other process changes. */
  readonly shared?: SharedArchive | undefined;
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

/**
 * What a store offers whose executions several processes share. A process executes an execution that works; no process executes one
 * that waits or has settled.
 */
export interface SharedArchive {
  /** Whether this process executes it, and other processes know that. */
  owns(executionId: string): boolean;
  /** Whether the fact with this number is the last one for sure: this process executes the execution, or it has settled. */
  isCurrent(executionId: string, seq: number): boolean;
  /** Reads what other processes have appended to an execution in memory. Undefined if it was deleted. Calls of one turn share a statement. */
  refresh(executionId: string): Promise<News | undefined>;
  /** Calls back with executions that other processes have changed, or have sent mail to; undefined: all may have changed. */
  onChanged(changed: (executionIds: readonly string[] | undefined) => void): void;
  /** The owners of executions; deleted executions have none. */
  owners(executionIds: readonly string[]): Promise<ReadonlyMap<string, string | null>>;
  /** Whether all changes have been reported since the last call, as far as this process can know. */
  hasHints(): boolean;
  readonly mail: Mail;
}

export interface News {
  /** Another process executes it. */
  readonly isElsewhere: boolean;
  /** Facts above a number. */
  read(after: number): { readonly entries: readonly JournalEntry[] };
}

/** Facts for executions that another process executes. */
export interface Mail {
  /** Resolves when it is stored. */
  post(letter: Letter): Promise<void>;
  /** Its process may not know of a letter. */
  remind(executionId: string): void;
  /** Letters without an outcome, for executions that this process executes, or none. */
  open(executionIds?: readonly string[]): Promise<readonly Letter[]>;
  /** A letter whose execution was deleted has none. */
  outcomes(keys: readonly string[]): Promise<ReadonlyMap<string, MailOutcome>>;
  /** When this fact is appended, the letter is accepted, in the same commit. */
  answers(fact: object, key: string): void;
  /** The execution does not accept it after the fact with this number. No effect if that is not its last fact any more. */
  refuse(letter: Letter, seq: number): Promise<void>;
  /** Deletes it. */
  remove(key: string): Promise<void>;
}

export interface Letter {
  readonly key: string;
  readonly executionId: string;
  readonly fact: Exclude<Fact, { type: 'execution.started' }>;
}

/** `sent`: another process executes the execution, and has not offered it yet. `free`: no other process does. */
export type MailOutcome = 'accepted' | 'refused' | 'sent' | 'free';

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
  /** Another process executes it. */
  readonly isElsewhere?: boolean;
}
