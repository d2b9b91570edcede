/** One journal in memory: entries in the order of their numbers, within limits. */
import { isDroppable, isInput } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { JournalLimits, JournalPage } from './store.ts';

/** Up to so many entries a journal has no room to spare: `push` and spread make room for 17 at once. */
const FEW = 8;

/** Room that is made at once when a journal is full, so that dropping is rare and cheap per entry. */
const DROPPED_SHARE = 0.1;
/** Of what there may be: from then on operators know. */
const WARNED_SHARE = 0.8;

export class Journal {
  entries: JournalEntry[];
  bytes: number;
  /** Number of the newest entry that was dropped, 0 if none was. */
  truncatedThrough: number;
  /** The same for the newest output. A journal that is read again from a file no longer tells output from steps. */
  #outputTruncatedThrough: number;

  /** Of entries that are never dropped: their number and bytes; negative until they are asked for. */
  #count = -1;
  #weight = -1;
  #isWarned = false;
  /** Bytes of inputs, which have a limit of their own; undefined until they are asked for. */
  #inputBytes: number | undefined;

  constructor(entries: JournalEntry[], bytes: number, truncatedThrough: number) {
    this.entries = entries;
    this.bytes = bytes;
    this.truncatedThrough = truncatedThrough;
    this.#outputTruncatedThrough = truncatedThrough;
  }

  /** True: it is beyond its limits, or has begun anew, and has to be truncated. */
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

  /** True once: when entries that are never dropped take four fifths of what there may be. */
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

  /** Whether there are more bytes than that, beside the inputs. */
  #hasOver(limit: number, weigh: (entry: JournalEntry) => number): boolean {
    if (this.bytes <= limit) return false;
    this.#inputBytes ??= this.entries.filter(isInput).reduce((sum, entry) => sum + weigh(entry), 0);
    return this.bytes - this.#inputBytes > limit;
  }

  /** Entries above one number, and up to another. */
  page(after: number, through: number): JournalPage {
    const { entries, truncatedThrough } = this;
    const missing = truncatedThrough > after ? truncatedThrough : null;
    const begin = after === 0 ? 0 : firstAbove(entries, after);
    const last = entries.at(-1);
    const end = last === undefined || last.seq <= through ? entries.length : firstAbove(entries, through);
    const isOutputMissing = this.#outputTruncatedThrough > after;
    return { entries: entries.slice(begin, end), truncatedThrough: missing, isOutputMissing };
  }

  /** Drops the oldest output and traces until there is room. `'full'` if what decides has no room by itself. */
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

  /** What came before the run began anew is over: only the first entry stays, from which a journal is read. */
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
