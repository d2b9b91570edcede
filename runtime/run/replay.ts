/**
 * The earlier calls of a run, for its replay in another process or after it left memory.
 *
 * The function runs from the top. Each call finds its earlier result in the journal, and returns it instead of having
 * its effect again.
 *
 * P1  A fact wakes the run only when all calls before it in the journal were made again. So the run gets all facts in
 *     their original order.
 * P2  A call is found by its branch, the previous call on its thread, and its arguments. Of several equal calls the
 *     first is taken, if their order is certain. If it is not, the call is ambiguous: the execution is blocked.
 * P3  A call that is not in the journal is new. It waits until all calls of the journal were made, so that code which
 *     does not match has had no effect when this is found.
 */
import { isDroppable } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import {
  isInterchangeable,
  isStepEnd,
  isWithdrawal,
  type MadeCall,
  type MadeEntry,
  type Place,
  signatureOf,
  wakes,
  wordsOf,
} from './calls.ts';

/** The earlier result of a call: its entry; or it is new, or was dropped from a full journal, or is ambiguous. */
export type Taken = MadeEntry | 'new' | 'dropped' | 'ambiguous';

/** Equal calls of the same place. */
type Twins = {
  readonly entries: MadeEntry[];
  /** Their number in the journal, and in this replay so far. */
  inJournal: number;
  made: number;
  /** One of them was made at a time that may differ between replays. */
  isLoose: boolean;
  /** For a loose one, its way through the code is unknown, or two of them were open at once. */
  isUnclear: boolean;
  /** The last one that was found. */
  last: MadeEntry | undefined;
};

export class Replay {
  /** Facts that wake, in their order. */
  readonly #wakes: JournalEntry[] = [];
  #nextWake = 0;
  /** By id: the ends of pauses that an earlier replay has opened before it had repeated all calls. */
  readonly #early = new Map<string, JournalEntry>();
  /** Pauses and calls that the run has got the end of, by the key that wakes them. */
  readonly #heard = new Set<string | number>();
  /** Calls that the run must repeat before a later fact may wake it, in the order of the journal. */
  readonly #toMake: (MadeEntry | Extract<JournalEntry, { id: string }>)[] = [];
  readonly #made = new Set<JournalEntry>();
  #nextToMake = 0;
  readonly #twins = new Map<string, Twins>();
  /** By number of the call: its facts after the first. */
  readonly #more = new Map<number, MadeEntry[]>();
  readonly #withdrawals = new Map<string, JournalEntry>();
  /** Numbers of the last fact and the last call. */
  readonly through: number;
  readonly lastCall: number;
  /** Emitted values and traces that were dropped from the journal. */
  #dropped: number;
  /** Steps that ended. */
  readonly #ended = new Set<number>();
  /** Steps that emitted output in an interrupted attempt. */
  readonly #voids = new Set<number>();

  /** `isTruncated`: the journal has dropped output or traces. */
  constructor(past: readonly JournalEntry[], isTruncated: boolean) {
    const known = new Set<number>();
    const begun = new Map<number, number>();
    let lastCall = -1;
    const again = new Set<string | number | undefined>();
    for (const entry of past) {
      if (isAgain(entry)) again.add(entry.id);
      const key = wakes(entry);
      if (again.has(key)) this.#early.set(key as string, entry);
      else if (key !== undefined) this.#wakes.push(entry);
      if (isWithdrawal(entry)) {
        this.#withdrawals.set(entry.id, entry);
        this.#toMake.push(entry);
      }
      if (!('call' in entry)) continue;
      if (isStepEnd(entry)) {
        this.#ended.add(entry.call);
        this.#voids.delete(entry.call);
        continue;
      }
      const { call, inStep } = entry;
      lastCall = Math.max(lastCall, call);
      const isKnown = known.has(call);
      known.add(call);
      if (inStep !== undefined) {
        this.#voids.add(inStep);
        continue;
      }
      if (entry.type === 'step.started') begun.set(call, (begun.get(call) ?? 0) + 1);
      if (isKnown && entry.type === 'step.started') continue; // a step with several attempts is one call
      this.#toMake.push(entry);
      if (isKnown) this.#more.set(call, [...(this.#more.get(call) ?? []), entry]);
      else this.#addTwin(keyOf(entry.after === undefined ? UNPLACED : entry, entry), entry);
    }
    this.attempts = begun;
    this.lastCall = lastCall;
    this.through = past.at(-1)?.seq ?? 0;
    // Numbers may also be missing because their facts could not be stored.
    this.#dropped = isTruncated ? lastCall + 1 - known.size : 0;
  }

  /** By call number of a step: its number of attempts. */
  readonly attempts: ReadonlyMap<number, number>;

  #addTwin(key: string, entry: MadeEntry): void {
    const twins = this.#twins.get(key) ?? newTwins();
    this.#twins.set(key, twins);
    const before = twins.entries.findLast(({ fork }) => fork === entry.fork);
    twins.entries.push(entry);
    twins.inJournal += 1;
    twins.isLoose ||= entry.loose === true;
    twins.isUnclear ||= entry.fork === '?' || (before?.loose === true && this.#isOpenAt(before, entry.seq));
  }

  /** Whether a call was still open when the entry of that number was written. */
  #isOpenAt(call: MadeEntry, seq: number): boolean {
    if (!isAwaited(call)) return false;
    const end = this.#wakes.find((wake) => wakes(wake) === awaited(call));
    return end === undefined || end.seq > seq;
  }

  /** P2 */
  take(fact: MadeCall, place: Place): Taken {
    const unplaced = this.#twins.get(keyOf(UNPLACED, fact))?.entries.shift();
    if (unplaced !== undefined) {
      this.#make(unplaced);
      return unplaced;
    }
    const key = keyOf(place, fact);
    const twins = this.#twins.get(key) ?? newTwins();
    this.#twins.set(key, twins);
    twins.made += 1;
    twins.isLoose ||= place.loose === true;
    twins.isUnclear ||= place.fork === '?' || (place.loose === true && this.#isUnderWay(twins.last, place));
    const isOrdered = !twins.isLoose || isInterchangeable(fact);
    const index = isOrdered ? 0 : placeAmong(twins, place);
    if (index === 'ambiguous') return index;
    const entry = twins.entries[index];
    if (entry === undefined) return this.#isDropped(fact) ? 'dropped' : 'new';
    twins.entries.splice(index, 1);
    twins.last = entry;
    this.#make(entry);
    return entry;
  }

  #isUnderWay(call: MadeEntry | undefined, { fork }: Place): boolean {
    return call !== undefined && call.fork === fork && isAwaited(call) && !this.#heard.has(awaited(call));
  }

  #isDropped(fact: MadeCall): boolean {
    if (this.#dropped === 0 || !isDroppable(fact)) return false;
    this.#dropped -= 1;
    return true;
  }

  /** The next result of the same call. */
  takeMore(call: number): MadeEntry | undefined {
    const next = this.#more.get(call)?.shift();
    if (next !== undefined) this.#make(next);
    return next;
  }

  /** The end of such a pause, if it has one. P1 does not hold for it: the calls after it in the run are before it in the journal. */
  takeEarly(id: string): JournalEntry | undefined {
    const end = this.#early.get(id);
    if (end !== undefined) this.#heard.add(id);
    return end;
  }

  /** Whether the pause was withdrawn before. */
  takeWithdrawal(id: string): boolean {
    const entry = this.#withdrawals.get(id);
    if (entry !== undefined) this.#make(entry);
    return entry !== undefined;
  }

  hasEnded(step: number): boolean {
    return this.#ended.has(step);
  }

  /** Whether subscribers have got output of an unfinished attempt of the step. */
  isVoid(step: number): boolean {
    return this.#voids.has(step);
  }

  #make(entry: JournalEntry): void {
    this.#made.add(entry);
    const { length } = this.#toMake;
    while (this.#nextToMake < length && this.#made.has(this.#toMake[this.#nextToMake]!)) this.#nextToMake += 1;
  }

  /** P1: takes the fact that wakes the run next, if it may. */
  nextWake(): JournalEntry | undefined {
    if (!this.isReady) return undefined;
    const wake = this.#wakes[this.#nextWake]!;
    this.#nextWake += 1;
    this.#heard.add(wakes(wake)!);
    return wake;
  }

  get isReady(): boolean {
    const wake = this.#wakes[this.#nextWake];
    const first = this.#toMake[this.#nextToMake];
    return wake !== undefined && (first === undefined || first.seq > wake.seq);
  }

  /** All calls were made, and all facts were delivered. */
  get isOver(): boolean {
    return this.#nextWake === this.#wakes.length && this.#nextToMake === this.#toMake.length;
  }

  /** Grows with every repeated call. */
  get progress(): number {
    return this.#nextWake + this.#made.size;
  }

  /** The next call that has to be made; undefined if there is none. */
  get expected(): string | undefined {
    const first = this.#toMake[this.#nextToMake];
    if (first === undefined) return undefined;
    return 'call' in first ? wordsOf(first as MadeEntry) : `${first.type} of ${first.id}`;
  }
}

/** A pause that a replay has opened before it had repeated all calls. */
export const isAgain = (entry: JournalEntry): entry is Extract<JournalEntry, { again?: true }> & { id: string } =>
  'again' in entry && entry.again === true;

/** Calls in older journals have no place. They have numbers, so equal calls have an order. */
const UNPLACED: Place = { after: 'unplaced' };

const keyOf = ({ branch, after }: Place, fact: MadeCall | MadeEntry): string =>
  `${branch ?? ''}|${after}|${signatureOf(fact)}`;

/** The key of the fact that ends the call (see `wakes`). */
const awaited = (call: MadeEntry): string | number => ('id' in call ? call.id : call.call);

const isAwaited = ({ type }: MadeEntry): boolean => type === 'step.started' || type.endsWith('.requested');

const newTwins = (): Twins => ({
  entries: [],
  inJournal: 0,
  made: 0,
  isLoose: false,
  isUnclear: false,
  last: undefined,
});

/** Selects one of several equal calls when one of them was loose. */
const placeAmong = (
  { entries, inJournal, made, isUnclear }: Twins,
  { loose, fork = '' }: Place,
): number | 'ambiguous' => {
  const isSingle = inJournal <= 1 && made <= 1;
  if (loose === true && isUnclear) return isSingle ? 0 : 'ambiguous';
  const index = entries.findIndex(
    (entry) => (entry.loose ?? false) === (loose ?? false) && (entry.fork ?? '') === fork,
  );
  if (index >= 0 || entries.length === 0) return index;
  // An await may have been settled in one replay and pending in the other.
  const isOther = entries.every((entry) => entry.loose === true) && loose === true;
  return isOther ? -1 : isSingle ? 0 : 'ambiguous';
};
