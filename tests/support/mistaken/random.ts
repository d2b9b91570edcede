/** Numbers that are the same for the same seed: a workflow that is executed again chooses what it has chosen before. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1. */
  number(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** From 0 to below `limit`. */
  integer(limit: number): number {
    return Math.floor(this.number() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)]!;
  }

  /** Has numbers of its own, whatever is drawn here in the meantime. */
  fork(): Random {
    return new Random(this.integer(2 ** 32));
  }
}
