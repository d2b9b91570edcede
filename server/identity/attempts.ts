/**
 * Limits wrong operator keys by address: a few are free, further ones are refused for a while. A right key is never
 * refused, because operators may share an address with an attacker. The length of a key prevents guessing; this limit
 * reduces load.
 */
import { Failure, networkOf } from '../../runtime/index.ts';

/** Number of free wrong keys in a row, and the time until one more is free. */
const FREE = 10;
const REGAINED_MS = 6_000;
/** Number of remembered addresses. The oldest is dropped. */
const MAX_ADDRESSES = 10_000;

export class Attempts {
  /** When the address has all its free attempts again. Epoch milliseconds. */
  readonly #wholeAt = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Records a wrong key from this address. Throws `too_many_attempts` beyond the limit; that attempt is not counted.
   */
  failed(address: string): void {
    const network = networkOf(address);
    const now = this.#now();
    const wholeAt = Math.max(this.#wholeAt.get(network) ?? 0, now) + REGAINED_MS;
    const waitMs = wholeAt - now - FREE * REGAINED_MS;
    if (waitMs > 0) {
      const detail = 'Too many wrong keys came from this address; wait before another one is tried.';
      throw new Failure('too_many_attempts', { detail, retryAfterMs: waitMs });
    }
    this.#wholeAt.delete(network);
    if (this.#wholeAt.size >= MAX_ADDRESSES) this.#wholeAt.delete(this.#wholeAt.keys().next().value!);
    this.#wholeAt.set(network, wholeAt);
  }
}
