/**
 * Where journals are kept. The contract, which `tests/contracts/store.ts` checks for every store:
 *
 * S1  Entries of one execution are appended in the order of their numbers, which start at 1 and have no gaps.
 * S2  `append` returns nothing if the entry is kept when it returns, else a promise that resolves once it is. Promises
 *     of one execution resolve in the order of the calls. If it rejects, neither this entry nor a later one is kept.
 * S3  `read` gives what was kept, in order. A journal is bounded: beyond its limits the oldest output and trace
 *     entries are dropped, and a reader who asks for more than there is gets told up to where by `truncatedThrough`.
 * S4  Entries that decide (everything but output and trace) are never dropped while the execution is kept. If they
 *     alone exceed the limits, `append` returns `'full'` from then on: the entry is kept, and the execution must end.
 * S5  `forget` drops the journal as a whole; an unknown execution is nothing to drop. Reading it then gives undefined.
 */
import type { JournalEntry } from '../../machines/facts.ts';

export interface Store {
  append(executionId: string, entry: JournalEntry): undefined | 'full' | Promise<undefined | 'full'>;
  /** Entries numbered above `after`. */
  read(executionId: string, after?: number): JournalPage | undefined | Promise<JournalPage | undefined>;
  forget(executionId: string): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** Entries up to this number may be missing from the page, though the reader asked for them; null if none is. */
  readonly truncatedThrough: number | null;
}

export interface JournalLimits {
  readonly maxJournalFacts: number;
  readonly maxJournalBytes: number;
}
