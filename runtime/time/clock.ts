/** The time, and the one kind of timeout, that the runtime uses. A test gives its own. */

/** XState's clock, and the time it shows. */
export interface Clock {
  /** Epoch milliseconds, whole; never less than it said before. */
  now(): number;
  /** `ms` is at most 2_147_483_647, as in Node. */
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** What a clock reads: milliseconds since the epoch, which may step, and since any moment, which may not. */
export interface Time {
  wall(): number;
  monotonic(): number;
}

/** A timeout of Node does not count the time that a machine spends suspended: after so long it is looked again. */
const LOOK_MS = 30_000;
/** Of the usual speed: how fast the clock goes while it is ahead of the wall clock. */
const SLOWED = 0.9;

/** A timeout that is longer than `LOOK_MS`: the part of it that runs. */
type Chain = { part: NodeJS.Timeout };

/**
 * The wall clock, as far as it goes forward: after a suspend, or when it is put forward, deadlines that have passed are due. When it
 * is put back, the clock goes on, a little slower, until the wall clock has come up with it.
 *
 * Its timeouts keep the process alive, on purpose. Each stands for something promised: a sleeping run, a deadline, the
 * patience of `stop()`. With `unref` an embedding script would end in the middle of it, and say nothing. What lets a
 * process end is that whoever waits clears its timeout; the timing wheel does when it is empty or stopped.
 */
export class WallClock implements Clock {
  readonly #time: Time;
  #shown: number;
  /** What the wall clock said last, and when that was. */
  #wall: number;
  #readAt: number;

  constructor(time: Time) {
    this.#time = time;
    this.#wall = time.wall();
    this.#shown = this.#wall;
    this.#readAt = time.monotonic();
  }

  now(): number {
    const wall = this.#time.wall();
    if (wall === this.#wall) return Math.floor(this.#shown); // under load it is asked a hundred times a millisecond
    this.#wall = wall;
    const readAt = this.#time.monotonic();
    this.#shown = Math.max(wall, this.#shown + Math.max(0, readAt - this.#readAt) * SLOWED);
    this.#readAt = readAt;
    return Math.floor(this.#shown);
  }

  setTimeout(fn: () => void, ms: number): unknown {
    if (ms <= LOOK_MS) return setTimeout(fn, ms);
    const dueAt = this.now() + ms;
    const chain: Chain = { part: setTimeout(look, LOOK_MS) };
    const clock = this;
    return chain;

    function look(): void {
      const left = dueAt - clock.now();
      if (left <= 0) fn();
      else chain.part = setTimeout(look, Math.min(left, LOOK_MS));
    }
  }

  clearTimeout(handle: unknown): void {
    clearTimeout((handle as Chain | undefined)?.part ?? (handle as NodeJS.Timeout | undefined));
  }
}

export const systemClock: Clock = new WallClock({ wall: () => Date.now(), monotonic: () => performance.now() });
