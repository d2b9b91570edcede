/** What the branches of a run wait for, and the facts that wake them, in the order in which they came. */
import type { JournalEntry } from '../../machines/facts.ts';
import { type PauseFact, wakes } from './calls.ts';
import type { Branch } from './thread.ts';

/** Stands for an empty list, and is never added to. */
const NONE: never[] = [];

/** A call that waits. `key`: of the fact that ends it (see `wakes`). */
export interface Waiting {
  readonly key: string | number;
  /** The pause that it has opened; undefined if it waits for the end of something else. */
  readonly pause: PauseFact | undefined;
  readonly branch: Branch | undefined;
  readonly resolve: (entry: JournalEntry) => void;
  readonly reject: (error: unknown) => void;
  /** Called when it does not wait any more. */
  readonly forget: (() => void) | undefined;
}

export class Waits {
  /** There are few at a time, and most runs have one: lists are made when they are needed. */
  #waiting: Waiting[] = NONE;
  #wakes: JournalEntry[] = NONE;

  add(waiting: Waiting): void {
    if (this.#waiting === NONE) this.#waiting = [waiting];
    else this.#waiting.push(waiting);
  }

  /** A fact has come. The call that waits for it is woken as soon as the run may go on. */
  push(entry: JournalEntry): void {
    if (this.#wakes === NONE) this.#wakes = [entry];
    else this.#wakes.push(entry);
  }

  get isWoken(): boolean {
    return this.#wakes.length > 0;
  }

  /** Whether one of these is woken. */
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

  /** The pauses of those that wait. */
  get open(): readonly Waiting[] {
    return this.#waiting;
  }

  wake(key: string | number, entry: JournalEntry): void {
    const index = this.#waiting.findIndex((waiting) => waiting.key === key);
    if (index < 0) return;
    const waiting = this.#waiting[index]!;
    if (this.#waiting.length === 1) this.#waiting = NONE;
    else this.#waiting.splice(index, 1);
    waiting.forget?.();
    try {
      waiting.resolve(entry);
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** All that still wait; nothing waits after that. */
  clear(): Waiting[] {
    const all = this.#waiting;
    for (const { forget } of all) forget?.();
    this.#waiting = NONE;
    this.#wakes = NONE;
    return all;
  }
}
