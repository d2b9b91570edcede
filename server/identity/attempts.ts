/**
 * Limits wrong operator keys by address. A right key is never refused, because operators may share an address with an
 * attacker. The length of a key prevents guessing; these limits reduce load.
 */
import { createHash } from 'node:crypto';
import { Failure, networkOf } from '../../runtime/index.ts';

/** Number of free wrong keys in a row, and the time until one more is free. */
const FREE = 10;
const REGAINED_MS = 6_000;
/** Number of different keys where users send their own, and how long each counts after its last use. */
const FREE_DIFFERENT = 50;
const REMEMBERED_MS = 300_000;
/** Number of remembered addresses. The oldest is dropped. */
const MAX_ADDRESSES = 10_000;

export class Attempts {
  /** When the address has all its free attempts again. Epoch milliseconds. */
  readonly #wholeAt = new Map<string, number>();
  /** Digests of the keys that may be those of users, with the time of their last use, by address. */
  readonly #different = new Map<string, Map<string, number>>();
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
    if (waitMs > 0) throw tooMany(waitMs);
    remember(this.#wholeAt, network, wholeAt);
  }

  /**
   * Records a key that is not an operator's, and may be that of a user. A user repeats one key; a caller that guesses sends
   * different ones. Throws `too_many_attempts` for a further different key; that key is not counted.
   */
  differs(address: string, key: string): void {
    const network = networkOf(address);
    const now = this.#now();
    const digest = createHash('sha256').update(key).digest('base64url').slice(0, 12);
    const seen = this.#different.get(network) ?? new Map<string, number>();
    for (const [other, at] of seen) {
      if (at > now - REMEMBERED_MS) break;
      seen.delete(other);
    }
    const [oldest = 0] = seen.values();
    if (seen.size >= FREE_DIFFERENT && !seen.has(digest)) throw tooMany(oldest + REMEMBERED_MS - now);
    seen.delete(digest);
    seen.set(digest, now);
    remember(this.#different, network, seen);
  }
}

/** As the newest. */
const remember = <Value>(all: Map<string, Value>, network: string, value: Value): void => {
  all.delete(network);
  if (all.size >= MAX_ADDRESSES) all.delete(all.keys().next().value!);
  all.set(network, value);
};

const tooMany = (retryAfterMs: number): Failure => {
  const detail = 'Too many wrong keys came from this address; wait before another one is tried.';
  return new Failure('too_many_attempts', { detail, retryAfterMs });
};
