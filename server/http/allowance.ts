/** A rate limit for messages of a client: an average per second, with a burst of ten seconds. */

const BURST_S = 10;

export class Allowance {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  /** `now` is in milliseconds. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond * BURST_S;
    this.#at = now;
  }

  /** `last`: the first message beyond the limit. */
  take(now: number): 'granted' | 'last' | 'refused' {
    const earned = (Math.max(0, now - this.#at) / 1000) * this.#perSecond;
    this.#at = now;
    this.#left = Math.min(this.#perSecond * BURST_S, this.#left + earned);
    if (this.#left >= 1) {
      this.#left -= 1;
      return 'granted';
    }
    const isFirst = this.#left >= 0;
    if (isFirst) this.#left -= 1;
    return isFirst ? 'last' : 'refused';
  }
}
