/**
 * Wrong keys, by the address they came from: a few are free, further ones are refused until some time has passed. A right key
 * is never refused, since operators may share an address with a guesser. Length keeps keys from being guessed; this keeps
 * guessers from being served.
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

  /** A wrong key came from there. Throws `too_many_attempts` if it was one too many; that one does not count. */
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
