/**
 * Where journals are kept. The contract, which `tests/contracts/store.ts` checks for every store:
 *
 * S1  Entries of one execution are appended in the order of their numbers, which start at 1 and have no gaps.
 * S2  `append` returns nothing if the entry is kept when it returns, else a promise that resolves once it is. Promises
 *     of one execution resolve in the order of the calls. If it rejects, neither this entry nor a later one is kept
 *     that was appended before the rejection was heard: the journal ends where it was last kept.
 * S3  `read` gives what was kept, in order, and at once. A journal is bounded: beyond its limits the oldest output and trace
 *     entries are dropped, and a reader who asks for more than there is gets told up to where by `truncatedThrough`.
 * S4  Entries that decide (everything but output and trace) are never dropped while the execution is kept, but for those
 *     between the first one and the last `execution.continued`: what they decided is over. If they
 *     alone exceed the limits, `append` returns `'full'` from then on: the entry is kept, and the execution must end. It
 *     returns `'nearly_full'` once, when they come to four fifths of them.
 * S5  `forget` drops the journal as a whole; an unknown execution is nothing to drop. Reading it then gives undefined.
 */
import type { ExecutionContext } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Archive } from './archive.ts';

export interface Store {
  append(record: Recorded, entry: JournalEntry): Fullness | Promise<Fullness>;
  /** Entries numbered above `after`. */
  read(executionId: string, after?: number): JournalPage | undefined;
  forget(executionId: string): void | Promise<void>;
  /** Resolves once everything that was appended is kept, or has been refused. */
  close(): void | Promise<void>;
  /** What a store knows of executions that are not in memory; undefined for one that ends with the process. */
  readonly archive?: Archive | undefined;
}

/** How much room is left in a journal: undefined if there is enough. */
export type Fullness = undefined | 'nearly_full' | 'full';

/** What a store may want to know of an execution whose entry it is to keep. */
export interface Recorded {
  readonly id: string;
  /** Where the entry has led, and what the states there are tagged with, such as `settled`. */
  readonly applied: { readonly context: ExecutionContext; readonly tags: ReadonlySet<string> };
  readonly origin: Origin;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** Entries up to this number may be missing from the page, though the reader asked for them; null if none is. */
  readonly truncatedThrough: number | null;
  /** Whether output may be among them. Default: it may. */
  readonly isOutputMissing?: boolean;
}

export interface JournalLimits {
  readonly maxJournalFacts: number;
  readonly maxJournalBytes: number;
}
