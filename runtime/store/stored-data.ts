/** Stored executions, of a directory or a database, for tools that do not run them. It shows committed data. */
import type { Blocked, ExecutionContext } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Awaitable } from '../awaitable.ts';
import type { ExecutionFilter } from './query.ts';
import type { Summary } from './reader.ts';

export interface StoredJournal {
  readonly entries: readonly JournalEntry[];
  /** Entries up to this number may be missing; 0 if none is. */
  readonly truncatedThrough: number;
}

export interface StoredData {
  /** The directory, or the database without user and password. */
  readonly place: string;
  /** Newest first; `next` is for `before`. */
  list(
    filter: ExecutionFilter,
  ): Awaitable<{ readonly summaries: readonly Summary[]; readonly next: string | undefined }>;
  /** Throws, or rejects with, `options_invalid` if there is no execution with this id. */
  get(id: string): Awaitable<Summary>;
  /** Undefined if it was removed meanwhile. */
  journal(id: string): Awaitable<StoredJournal | undefined>;
  /** The state of an execution after these entries. Throws a `defect` if they are not a possible journal. */
  standing(id: string, journal: StoredJournal): ExecutionContext;
  /** The blocked ones among them, with the reason, by id. */
  blockedAmong(summaries: readonly Summary[]): Awaitable<ReadonlyMap<string, Blocked>>;
  /**
   * Removes all of them or none. Throws, or rejects with, `options_invalid` if one is missing, or is live. `isForced`: also removes
   * live ones, unless a server runs.
   */
  remove(ids: readonly string[], isForced: boolean): Awaitable<void>;
  /** Gives their number. */
  removeSettledBefore(at: number): Awaitable<number>;
  close(): Awaitable<void>;
}

/** All executions, newest first, as each is when it is reached. */
export async function* allStored(stored: StoredData, batch: number): AsyncGenerator<Summary, void> {
  let before: string | undefined;
  do {
    const { summaries, next } = await stored.list({ before, limit: batch });
    yield* summaries;
    before = next;
  } while (before !== undefined);
}
