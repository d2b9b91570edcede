/** The waits of a run's branches, and the facts that wake them, in their order. */
import type { JournalEntry } from '../../machines/facts.ts';
import { type PauseFact, wakes } from './calls.ts';
import type { Branch } from './thread.ts';

/** A shared empty list, which is never changed. */
const NONE: never[] = [];

/**
 * Computes the result of a call, from the fact that opened its pause, if it has one, and the fact that woke it. Throws
 * to reject.
 */
export type Outcome<Fact, T> = (opened: Fact, woken: JournalEntry) => T;

/** A waiting call. A parked execution keeps it until a person answers: its promise is its only closure. */
export class Waiting<Fact extends PauseFact | undefined = PauseFact | undefined, T = unknown> {
  /** The key of the fact that ends it (see `wakes`). */
  readonly key: string | number;
  /** The pause that it opened; undefined if it waits for the end of something else. */
  readonly pause: Fact;
  readonly branch: Branch | undefined;
  readonly promise: Promise<T>;
  readonly #outcome: Outcome<Fact, T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  /** Called when its wait ends. */
  forget: (() => void) | undefined;

  constructor(key: string | number, pause: Fact, branch: Branch | undefined, outcome: Outcome<Fact, T>) {
    this.key = key;
    this.pause = pause;
    this.branch = branch;
    this.#outcome = outcome;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  wake(entry: JournalEntry): void {
    this.forget?.();
    try {
      this.#resolve(this.#outcome(this.pause, entry));
    } catch (error) {
      this.reject(error);
    }
  }

  /** The author may await it later, or never: the rejection counts as handled. */
  reject(error: unknown): void {
    this.promise.catch(() => {});
    this.#reject(error);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what one resolves to is between it and its call
type AnyWaiting = Waiting<any, any>;

export class Waits {
  /** There are few at a time, and most runs have one: lists are created on demand. */
  #waiting: AnyWaiting[] = NONE;
  #wakes: JournalEntry[] = NONE;

  add(waiting: AnyWaiting): void {
    if (this.#waiting === NONE) this.#waiting = [waiting];
    else this.#waiting.push(waiting);
  }

  /** A fact has arrived. The call that waits for it is woken as soon as the run may resume. */
  push(entry: JournalEntry): void {
    if (this.#wakes === NONE) this.#wakes = [entry];
    else this.#wakes.push(entry);
  }

  get isWoken(): boolean {
    return this.#wakes.length > 0;
  }

  /** Whether a fact wakes one of these. */
  isAnyWoken(keys: ReadonlySet<string | number>): boolean {
    return keys.size > 0 && this.#wakes.some((entry) => keys.has(wakes(entry)!));
  }

  /** Wakes the next one, or the next of these. */
  wakeNext(keys?: ReadonlySet<string | number>): void {
    const index = keys === undefined ? 0 : this.#wakes.findIndex((entry) => keys.has(wakes(entry)!));
    const wake = this.#wakes[index];
    if (wake === undefined) return;
    if (this.#wakes.length === 1) this.#wakes = NONE;
    else this.#wakes.splice(index, 1);
    this.wake(wakes(wake)!, wake);
  }

  /** The pauses of the waiting calls. */
  get open(): readonly AnyWaiting[] {
    return this.#waiting;
  }

  wake(key: string | number, entry: JournalEntry): void {
    const index = this.#waiting.findIndex((waiting) => waiting.key === key);
    if (index < 0) return;
    const waiting = this.#waiting[index]!;
    if (this.#waiting.length === 1) this.#waiting = NONE;
    else this.#waiting.splice(index, 1);
    waiting.wake(entry);
  }

  /** All waiting calls; afterwards none waits. */
  clear(): AnyWaiting[] {
    const all = this.#waiting;
    for (const { forget } of all) forget?.();
    this.#waiting = NONE;
    this.#wakes = NONE;
    return all;
  }
}
