/** What a batch changes in a store, whatever the store is. */
import type { Recorded } from './store.ts';
import type { VaultKind } from './vault.ts';

export type Change = JournalChange | Removal | ValueChange;

/** Facts of one execution, and what they change in its row. */
export interface JournalChange {
  readonly change: 'journal';
  readonly id: string;
  /** The place of the execution in the order of starts; 0 if the store gives it. */
  readonly n: number;
  readonly record: Recorded;
  readonly row: SearchedRow;
  /** The number of the last fact before these: 0 for the beginning of an execution. */
  readonly expected: number;
  /** The number of the last of these facts. */
  readonly last: number;
  /** A JSON list. The first list of a journal begins with the start request. */
  readonly facts: string;
  /** The facts replace all earlier ones: the journal was truncated up to this number. 0: they follow the earlier ones. */
  readonly truncatedThrough: number;
  /** Keys of the letters whose facts are among these. */
  readonly letters?: readonly string[];
}

/** The columns that change with the facts. Times are epoch milliseconds. */
export interface SearchedRow {
  readonly stand: string;
  readonly isUnfinished: boolean;
  /** It is running or queued, or its process cannot be replaced: it has an owner. */
  readonly works: boolean;
  readonly awaitingSince: number | null;
  readonly dueAt: number | null;
  readonly settledAt: number | null;
  /** What a list shows besides; null: it has to read the journal. */
  readonly outline: string | null;
}

/** Everything about one execution is deleted. */
export interface Removal {
  readonly change: 'removal';
  readonly id: string;
  /** Its place, if it is known: another process may have removed its row, and its journal was written after that. */
  readonly n: number | undefined;
}

/** A value of the vault. */
export interface ValueChange {
  readonly change: 'value';
  readonly kind: VaultKind;
  readonly key: string;
  /** Undefined: it is removed. */
  readonly text: string | undefined;
  /** The stored text that it replaces. If another one is there, nothing changes. Undefined: it replaces any. */
  readonly replaced?: string;
  /** The text has counters that are added to the stored ones. */
  readonly isAdded?: true;
}
