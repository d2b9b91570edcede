/**
 * Wrong keys, by the address they came from: a few are free, further ones have to wait. While an address waits, a right key
 * from there is refused like a wrong one: otherwise whoever guesses would see which one it was.
 */
import { Failure, networkOf } from '../../runtime/index.ts';

/** Wrong keys in a row that cost nothing; and how long it takes until one more is free. */
const FREE = 10;
const REGAINED_MS = 6_000;
/** Addresses that are remembered; the one that was seen first goes first. */
const MAX_ADDRESSES = 10_000;

export class Attempts {
  /** When the address has all of its free attempts again. Epoch milliseconds. */
  readonly #wholeAt = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws `too_many_attempts` while the address has to wait. */
  check(address: string): void {
    const wholeAt = this.#wholeAt.get(networkOf(address));
    if (wholeAt === undefined) return;
    const waitMs = wholeAt - this.#now() - (FREE - 1) * REGAINED_MS;
    if (waitMs <= 0) return;
    const detail = 'Too many wrong keys came from this address; wait before another one is tried.';
    throw new Failure('too_many_attempts', { detail, retryAfterMs: waitMs });
  }

  failed(address: string): void {
    const network = networkOf(address);
    const wholeAt = Math.max(this.#wholeAt.get(network) ?? 0, this.#now()) + REGAINED_MS;
    this.#wholeAt.delete(network);
    if (this.#wholeAt.size >= MAX_ADDRESSES) this.#wholeAt.delete(this.#wholeAt.keys().next().value!);
    this.#wholeAt.set(network, wholeAt);
  }
}
