/** The store that forgets everything with the process: journals in a map. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { JournalLimits, JournalPage, Store } from './store.ts';

type Journal = {
  entries: JournalEntry[];
  bytes: number;
  /** Number of the newest entry that was dropped, 0 if none was. */
  truncatedThrough: number;
};

/** Up to so many entries a journal has no room to spare: `push` and spread make room for 17 at once. */
const FEW = 8;

/** Room that is made at once when a journal is full, so that dropping is rare and cheap per entry. */
const DROPPED_SHARE = 0.1;

const isDroppable = ({ type }: JournalEntry): boolean => type === 'output.emitted' || type === 'trace.emitted';

export class MemoryStore implements Store {
  readonly #journals = new Map<string, Journal>();
  readonly #limits: JournalLimits;

  constructor(limits: JournalLimits) {
    this.#limits = limits;
  }

  append(executionId: string, entry: JournalEntry): undefined | 'full' {
    const journal = this.#journals.get(executionId);
    if (journal === undefined) {
      const begun = { entries: [entry], bytes: weigh(entry), truncatedThrough: 0 };
      this.#journals.set(executionId, begun);
      return this.#isOver(begun, 1) ? this.#truncate(begun) : undefined;
    }
    if (journal.entries.length < FEW) journal.entries = longer(journal.entries, entry);
    else journal.entries.push(entry);
    journal.bytes += weigh(entry);
    return this.#isOver(journal, 1) ? this.#truncate(journal) : undefined;
  }

  read(executionId: string, after = 0): JournalPage | undefined {
    const journal = this.#journals.get(executionId);
    if (journal === undefined) return undefined;
    const { entries, truncatedThrough } = journal;
    const missing = truncatedThrough > after ? truncatedThrough : null;
    if (after === 0) return { entries: entries.slice(), truncatedThrough: missing };
    return { entries: entries.slice(firstAbove(entries, after)), truncatedThrough: missing };
  }

  forget(executionId: string): void {
    this.#journals.delete(executionId);
  }

  close(): void {
    this.#journals.clear();
  }

  #isOver({ entries, bytes }: Journal, share: number): boolean {
    const { maxJournalFacts, maxJournalBytes } = this.#limits;
    return entries.length > maxJournalFacts * share || bytes > maxJournalBytes * share;
  }

  #truncate(journal: Journal): undefined | 'full' {
    const kept: JournalEntry[] = [];
    const { entries } = journal;
    let { length } = entries;
    const { maxJournalFacts, maxJournalBytes } = this.#limits;
    for (const entry of entries) {
      const room = 1 - DROPPED_SHARE;
      const isOver = length > maxJournalFacts * room || journal.bytes > maxJournalBytes * room;
      if (isOver && isDroppable(entry)) {
        journal.bytes -= weigh(entry);
        journal.truncatedThrough = entry.seq;
        length -= 1;
      } else kept.push(entry);
    }
    journal.entries = kept;
    return this.#isOver(journal, 1) ? 'full' : undefined;
  }
}

/** Entries are in order of their numbers: a binary search. */
const firstAbove = (entries: readonly JournalEntry[], seq: number): number => {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.seq > seq) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** A copy that has room for what it has. */
const longer = (entries: readonly JournalEntry[], entry: JournalEntry): JournalEntry[] => {
  const all = new Array<JournalEntry>(entries.length + 1);
  for (let index = 0; index < entries.length; index += 1) all[index] = entries[index]!;
  all[entries.length] = entry;
  return all;
};

/** About the length of the value as JSON, without writing it. */
const weigh = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += weigh(item) + 1;
  else for (const key in value) bytes += key.length + 4 + weigh((value as Record<string, unknown>)[key]);
  return bytes;
};
