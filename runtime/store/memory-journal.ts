/** One journal in memory: entries in the order of their numbers, within limits. */
import { isDroppable, isInput } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { JournalLimits, JournalPage } from './store.ts';

/** Up to this many entries a journal has no spare capacity: `push` and spread allocate 17 at once. */
const FEW = 8;

/** Share that is freed at once when a journal is full, so that dropping is rare and cheap per entry. */
const DROPPED_SHARE = 0.1;
/** Share of the limits at which operators get a warning. */
const WARNED_SHARE = 0.8;

export class Journal {
  entries: JournalEntry[];
  bytes: number;
  /** Number of the newest dropped entry, 0 if there is none. */
  truncatedThrough: number;
  /** The same for output. A journal that was read from a file cannot distinguish output from steps. */
  #outputTruncatedThrough: number;

  /** Number and bytes of the entries that are never dropped; negative until they are computed. */
  #count = -1;
  #weight = -1;
  #isWarned = false;
  /** Bytes of inputs, which have their own limit; undefined until they are computed. */
  #inputBytes: number | undefined;

  constructor(entries: JournalEntry[], bytes: number, truncatedThrough: number) {
    this.entries = entries;
    this.bytes = bytes;
    this.truncatedThrough = truncatedThrough;
    this.#outputTruncatedThrough = truncatedThrough;
  }

  /** Returns true if it exceeds its limits or has restarted, and must be truncated. */
  append(entry: JournalEntry, bytes: number, limits: JournalLimits, weigh: (entry: JournalEntry) => number): boolean {
    if (this.entries.length < FEW) this.entries = longer(this.entries, entry);
    else this.entries.push(entry);
    this.bytes += bytes;
    if (isInput(entry)) this.#inputBytes = undefined;
    if (this.#count >= 0 && !isDroppable(entry)) {
      this.#count += 1;
      if (!isInput(entry)) this.#weight += bytes;
    }
    return entry.type === 'execution.continued' || this.#isOver(limits, weigh);
  }

  /** Returns true once: when entries that are never dropped take four fifths of the limits. */
  isNearlyFull(limits: JournalLimits, weigh: (entry: JournalEntry) => number): boolean {
    const { maxJournalFacts, maxJournalBytes } = limits;
    const isFar =
      this.entries.length < maxJournalFacts * WARNED_SHARE && !this.#hasOver(maxJournalBytes * WARNED_SHARE, weigh);
    if (isFar || this.#isWarned) return false;
    if (this.#count < 0) this.#measure(weigh);
    this.#isWarned = this.#count >= maxJournalFacts * WARNED_SHARE || this.#weight >= maxJournalBytes * WARNED_SHARE;
    return this.#isWarned;
  }

  #measure(weigh: (entry: JournalEntry) => number): void {
    const lasting = this.entries.filter((entry) => !isDroppable(entry));
    this.#count = lasting.length;
    this.#weight = lasting.reduce((sum, entry) => (isInput(entry) ? sum : sum + weigh(entry)), 0);
  }

  /** Whether there are more bytes, without the inputs. */
  #hasOver(limit: number, weigh: (entry: JournalEntry) => number): boolean {
    if (this.bytes <= limit) return false;
    this.#inputBytes ??= this.entries.filter(isInput).reduce((sum, entry) => sum + weigh(entry), 0);
    return this.bytes - this.#inputBytes > limit;
  }

  /** Entries above one number, up to another. Dropped entries beyond that do not count as missing. */
  page(after: number, through: number): JournalPage {
    const { entries, truncatedThrough } = this;
    const begin = after === 0 ? 0 : firstAbove(entries, after);
    const last = entries.at(-1);
    const end = last === undefined || last.seq <= through ? entries.length : firstAbove(entries, through);
    const newest = Math.min(through, Math.max(last?.seq ?? 0, truncatedThrough));
    const isMissing = truncatedThrough > after && end - begin < newest - after;
    return {
      entries: entries.slice(begin, end),
      truncatedThrough: isMissing ? Math.min(truncatedThrough, newest) : null,
      isOutputMissing: isMissing && this.#outputTruncatedThrough > after,
    };
  }

  /**
   * Drops the oldest output and traces until it is within its limits. `'full'` if the other entries alone exceed them.
   */
  truncate(limits: JournalLimits, weigh: (entry: JournalEntry) => number): undefined | 'full' {
    this.#dropPast(weigh);
    const kept: JournalEntry[] = [];
    let { length } = this.entries;
    const { maxJournalFacts, maxJournalBytes } = limits;
    const room = 1 - DROPPED_SHARE;
    for (const entry of this.entries) {
      const isOver = length > maxJournalFacts * room || this.#hasOver(maxJournalBytes * room, weigh);
      if (isOver && isDroppable(entry)) {
        this.bytes -= weigh(entry);
        this.truncatedThrough = entry.seq;
        if (entry.type === 'output.emitted') this.#outputTruncatedThrough = entry.seq;
        length -= 1;
      } else kept.push(entry);
    }
    this.entries = kept;
    return this.#isOver(limits, weigh) ? 'full' : undefined;
  }

  /** Entries before the restart of the run are void. Only the first entry stays, because a journal is read from it. */
  #dropPast(weigh: (entry: JournalEntry) => number): void {
    const from = this.entries.findLastIndex(({ type }) => type === 'execution.continued');
    if (from <= 1) return;
    this.#count = -1;
    this.#isWarned = false;
    this.#inputBytes = undefined;
    for (const entry of this.entries.splice(1, from - 1)) {
      this.bytes -= weigh(entry);
      this.truncatedThrough = entry.seq;
      if (entry.type === 'output.emitted') this.#outputTruncatedThrough = entry.seq;
    }
  }

  #isOver({ maxJournalFacts, maxJournalBytes }: JournalLimits, weigh: (entry: JournalEntry) => number): boolean {
    return this.entries.length > maxJournalFacts || this.#hasOver(maxJournalBytes, weigh);
  }
}

/** Binary search: entries are in the order of their numbers. */
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

/** A copy without spare capacity. */
const longer = (entries: readonly JournalEntry[], entry: JournalEntry): JournalEntry[] => {
  const all = new Array<JournalEntry>(entries.length + 1);
  for (let index = 0; index < entries.length; index += 1) all[index] = entries[index]!;
  all[entries.length] = entry;
  return all;
};
