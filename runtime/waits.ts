/** What the branches of a run wait for, and the facts that wake them, in the order in which they came. */
import type { JournalEntry } from '../machines/facts.ts';
import type { PauseFact } from './calls.ts';
import type { Branch } from './thread.ts';

/** A call that waits. `key`: of the fact that ends it (see `wakes`). */
export interface Waiting {
  readonly key: string | number;
  /** The pause that it has opened; undefined if it waits for the end of something else. */
  readonly pause: PauseFact | undefined;
  readonly branch: Branch | undefined;
  readonly resolve: (entry: JournalEntry) => void;
  readonly reject: (error: unknown) => void;
}

export class Waits {
  /** There are few at a time. */
  #waiting: Waiting[] = [];
  #wakes: { readonly key: string | number; readonly entry: JournalEntry }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** A fact has come that wakes whoever waits for it, as soon as it may. */
  push(key: string | number, entry: JournalEntry): void {
    this.#wakes.push({ key, entry });
  }

  get isWoken(): boolean {
    return this.#wakes.length > 0;
  }

  /** Whether one of these is woken. */
  isAnyWoken(keys: ReadonlySet<string | number>): boolean {
    return keys.size > 0 && this.#wakes.some(({ key }) => keys.has(key));
  }

  /** Wakes the next one, or the next of these. */
  wakeNext(keys?: ReadonlySet<string | number>): void {
    const index = keys === undefined ? 0 : this.#wakes.findIndex(({ key }) => keys.has(key));
    const [wake] = this.#wakes.splice(index, 1);
    if (wake !== undefined) this.wake(wake.key, wake.entry);
  }

  /** The pauses of those that wait. */
  get open(): readonly Waiting[] {
    return this.#waiting;
  }

  wake(key: string | number, entry: JournalEntry): void {
    const index = this.#waiting.findIndex((waiting) => waiting.key === key);
    if (index < 0) return;
    const [waiting] = this.#waiting.splice(index, 1);
    try {
      waiting!.resolve(entry);
    } catch (error) {
      waiting!.reject(error);
    }
  }

  /** All that still wait; nothing waits after that. */
  clear(): Waiting[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#wakes = [];
    return all;
  }
}
