/**
 * How long this process may take itself for the owner of what it executes. The lease counts from the sending of the last extension
 * that the database has answered, and ends here before the others consider it over. Both clocks count: a suspended machine stops
 * the monotonic one, and the wall clock may be set back. A thread extends the lease, so it is in memory that threads share.
 */
export interface LeaseTime {
  /** Milliseconds. */
  monotonic(): number;
  /** Epoch milliseconds. */
  wall(): number;
}

/** The same in all threads of a process, unlike `performance.now()`. */
const systemTime: LeaseTime = {
  monotonic: () => Number(process.hrtime.bigint() / 1_000_000n),
  wall: () => Date.now(),
};

/** The part of the lease that is used. The rest is for clocks that run at different speeds. */
const USED = 0.8;

export class Lease {
  /** Of the row in the database. */
  readonly lengthMs: number;
  readonly usedMs: number;
  /** When it ends, by the monotonic clock and by the wall clock; and how much the clock of the database is ahead of the latter. */
  readonly shared = new BigInt64Array(new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT));
  readonly #time: LeaseTime;

  constructor(lengthMs: number, time: LeaseTime = systemTime) {
    this.lengthMs = lengthMs;
    this.usedMs = Math.floor(lengthMs * USED);
    this.#time = time;
  }

  get isValid(): boolean {
    const { monotonic, wall } = this.#now();
    return monotonic < Atomics.load(this.shared, 0) && wall < Atomics.load(this.shared, 1);
  }

  /** How much the clock of the database is ahead of the wall clock, to half the time of a round trip. Milliseconds. */
  get offsetMs(): number {
    return Number(Atomics.load(this.shared, 2));
  }

  /**
   * Call this before an extension is sent, and what it returns when the extension was answered, with the time of the database. Epoch
   * milliseconds.
   */
  sending(): (databaseTime: number) => void {
    const { monotonic, wall } = this.#now();
    return (databaseTime) => {
      const half = (this.#now().monotonic - monotonic) / 2n;
      Atomics.store(this.shared, 2, BigInt(Math.round(databaseTime)) - wall - half);
      Atomics.store(this.shared, 0, monotonic + BigInt(this.usedMs));
      Atomics.store(this.shared, 1, wall + BigInt(this.usedMs));
    };
  }

  #now() {
    const { monotonic, wall } = this.#time;
    return { monotonic: BigInt(Math.floor(monotonic())), wall: BigInt(Math.floor(wall())) };
  }
}
