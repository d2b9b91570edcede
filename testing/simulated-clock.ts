/** A clock that a test advances. */
import type { Clock } from '../runtime/time/clock.ts';

type Timeout = { readonly at: number; readonly fn: () => void };

export class SimulatedClock implements Clock {
  #now: number;
  readonly #timeouts = new Set<Timeout>();

  constructor(startAt = Date.UTC(2026, 0, 1)) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** Throws RangeError where Node would wait for 1 ms instead. */
  setTimeout(fn: () => void, ms: number): unknown {
    if (!(ms < 2 ** 31)) throw new RangeError(`a timeout takes at most 2147483647 ms, got ${ms}`);
    const timeout = { at: this.#now + Math.max(ms, 0), fn };
    this.#timeouts.add(timeout);
    return timeout;
  }

  clearTimeout(handle: unknown): void {
    this.#timeouts.delete(handle as Timeout);
  }

  /** Number of pending timeouts. */
  get pending(): number {
    return this.#timeouts.size;
  }

  /** Advances the time and calls each timeout at its own moment, before it returns. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timeout = this.#first(); timeout !== undefined && timeout.at <= end; timeout = this.#first()) {
      this.#timeouts.delete(timeout);
      this.#now = Math.max(this.#now, timeout.at);
      timeout.fn();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Advances the time without calling timeouts, as when code blocks the event loop. `advance(0)` then catches up. */
  block(ms: number): void {
    this.#now += ms;
  }

  #first(): Timeout | undefined {
    let first: Timeout | undefined;
    for (const timeout of this.#timeouts) if (first === undefined || timeout.at < first.at) first = timeout;
    return first;
  }
}
