/**
 * What a store that outlives the process knows of executions which are not in memory.
 *
 * A1  It shows what is kept, and only that: an execution is found with all entries whose promises have resolved, and with
 *     none that could still be lost.
 * A2  All is given at once, and costs what is asked for, not what there is.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Named } from './named.ts';
import type { ExecutionFilter } from './query.ts';
import type { Vault } from './vault.ts';

export interface Archive {
  /** Its journal is in memory from then on, until it is released. */
  find(executionId: string): Archived | undefined;
  /** Bytes of its journal, if that is in memory. */
  bytesOf(executionId: string): number;
  /** The journal of the execution need not be in memory. */
  release(executionId: string): void;
  named(name: string): Named | undefined;
  /** Ids, newest first; `next` is for `before`. `owner` undefined: of everybody. */
  page(owner: string | undefined, filter: ExecutionFilter): { ids: readonly string[]; next: string | undefined };
  /** Ids of those that wait for a person, the longest waiting first. */
  awaiting(owner: string | undefined, limit: number): readonly string[];
  /** Ids of those that somebody has to go on with: they executed, waited for a slot, or cannot be executed again. */
  unfinished(): readonly string[];
  /** For whom something is due: a deadline of a live one, the end of the retention of a settled one. */
  due(now: number, limit: number): readonly { readonly id: string; readonly isSettled: boolean }[];
  /** When the next is due, after this time if it is given; epoch milliseconds; undefined if nothing will be. */
  nextDueAt(after?: number): number | undefined;
  /** The settled ones that would be forgotten next, if the data has outgrown its limit. */
  excess(limit: number): readonly string[];
  /** How many are live, by workflow and the version they were started with. */
  open(): readonly { readonly workflow: string; readonly version: string; readonly count: number }[];
  /** What is kept besides executions. */
  readonly vault: Vault;
}

export interface Archived {
  readonly entries: readonly JournalEntry[];
  readonly origin: Origin;
}
