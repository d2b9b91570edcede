/**
 * The store of journals. The contract, which `tests/contracts/store.ts` checks for every store:
 *
 * S1  Entries of one execution are appended in the order of their numbers, which start at 1 and have no gaps.
 * S2  `append` returns nothing if the entry is committed when it returns, else a promise that resolves after its
 *     commit. Promises of one execution resolve in the order of the calls. If a promise rejects, neither its entry nor
 *     any entry that was appended before the rejection is committed: the journal ends at its last commit.
 * S3  `read` returns committed entries, in order, synchronously. A journal is bounded: beyond its limits the oldest
 *     output and trace entries are dropped. `truncatedThrough` reports the last missing number to a reader that
 *     requests dropped entries.
 * S4  Entries that decide (all but output and trace) are never dropped while the execution is stored, except those
 *     between the first entry and the last `execution.continued`, which are void. If they alone exceed the limits,
 *     `append` returns `'full'` from then on: the entry is committed, and the execution must end. It returns
 *     `'nearly_full'` once, when they reach four fifths of the limits.
 * S5  `forget` deletes the whole journal; for an unknown execution it has no effect. A later read returns undefined.
 * S6  `append` rejects with `Refused` if another process has appended to the journal: nothing of the entry is stored, and the
 *     execution in memory is not the one in the store. It rejects the first entry with `NameTaken` if another process has started
 *     an execution with a unique name of this one.
 */
import type { ExecutionContext } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Awaitable } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Archive } from './archive.ts';

export interface Store {
  append(record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness>;
  /** Entries numbered above `after`: at once if the journal is in memory, as that of an execution in memory is. */
  read(executionId: string, after?: number): Awaitable<JournalPage | undefined>;
  forget(executionId: string): void | Promise<void>;
  /** Resolves once everything that was appended is committed or refused. */
  close(): void | Promise<void>;
  /** Executions that are not in memory; undefined for a store that ends with the process. */
  readonly archive?: Archive | undefined;
}

/** Another process has changed the execution: it has to be read again. Reaches callers as `store_unavailable`. */
export class Refused extends Failure {
  constructor(executionId: string) {
    const detail = `Execution ${executionId} was changed by another process meanwhile; send the request again.`;
    super('store_unavailable', { detail, retryAfterMs: 0 });
  }
}

/** A start was refused: another process has started an execution with one of its names. */
export class NameTaken extends Refused {}

/** The journal of an execution in memory, which is in memory too. */
export const journalOf = (store: Store, executionId: string): JournalPage | undefined => {
  const page = store.read(executionId);
  if (page instanceof Promise) throw new Error(`the journal of execution ${executionId} is not in memory`);
  return page;
};

/** How full a journal is: undefined if there is enough room. */
export type Fullness = undefined | 'nearly_full' | 'full';

/** Data about the execution of an appended entry. */
export interface Recorded {
  readonly id: string;
  /** The state after the entry, and its tags, such as `settled`. */
  readonly applied: { readonly context: ExecutionContext; readonly tags: ReadonlySet<string> };
  readonly origin: Origin;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** Entries up to this number may be missing from the page, although they were requested; null if none is missing. */
  readonly truncatedThrough: number | null;
  /** Whether output may be among them. Default true. */
  readonly isOutputMissing?: boolean;
}

export interface JournalLimits {
  readonly maxJournalFacts: number;
  readonly maxJournalBytes: number;
}
