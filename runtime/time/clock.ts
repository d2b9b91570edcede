/** The clock of the runtime, with one kind of timeout. Tests pass their own. */
import { AsyncResource } from 'node:async_hooks';

/** XState's clock, with the current time. */
export interface Clock {
  /** Epoch milliseconds, as an integer. It never decreases. */
  now(): number;
  /** `ms` is at most 2_147_483_647, as in Node. */
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The sources of a clock: the wall clock, which may jump, and a monotonic clock. */
export interface Time {
  wall(): number;
  monotonic(): number;
}

/** A Node timeout does not count the time while a machine is suspended, so the time is checked at this interval. */
const LOOK_MS = 30_000;
/** The relative speed of the clock while it is ahead of the wall clock. */
const SLOWED = 0.9;

/** A timeout longer than `LOOK_MS`, which runs in parts. */
type Chain = { part: NodeJS.Timeout };

/** A timeout keeps the values of `AsyncLocalStorage` of its caller, and with them a run that may have ended. */
const outside = new AsyncResource('clock');
const setOutside = (fn: () => void, ms: number): NodeJS.Timeout =>
  outside.runInAsyncScope(setTimeout, undefined, fn, ms) as NodeJS.Timeout;

/**
 * The wall clock, but it never goes back. After a suspend, or when the wall clock is set forward, passed deadlines
 * fire. When the wall clock is set back, this clock runs a little slower until the wall clock has caught up.
 *
 * Its timeouts keep the process alive on purpose: each one is needed, for a sleeping run, a deadline, or the time limit
 * of `stop()`. With `unref`, an embedding script would end too early without a message. A process can end when all
 * timeouts are cleared; the timing wheel clears its timeout when it is empty or stopped.
 */
export class WallClock implements Clock {
  readonly #time: Time;
  #shown: number;
  #readAt: number;

  constructor(time: Time) {
    this.#time = time;
    this.#shown = time.wall();
    this.#readAt = time.monotonic();
  }

  now(): number {
    const wall = this.#time.wall();
    const readAt = this.#time.monotonic();
    this.#shown = Math.max(wall, this.#shown + Math.max(0, readAt - this.#readAt) * SLOWED);
    this.#readAt = readAt;
    return Math.floor(this.#shown);
  }

  setTimeout(fn: () => void, ms: number): unknown {
    if (ms <= LOOK_MS) return setOutside(fn, ms);
    const dueAt = this.now() + ms;
    const chain: Chain = { part: setOutside(look, LOOK_MS) };
    const clock = this;
    return chain;

    function look(): void {
      const left = dueAt - clock.now();
      if (left <= 0) fn();
      else chain.part = setOutside(look, Math.min(left, LOOK_MS));
    }
  }

  clearTimeout(handle: unknown): void {
    clearTimeout((handle as Chain | undefined)?.part ?? (handle as NodeJS.Timeout | undefined));
  }
}

const monotonic = (): number => performance.now();

export const systemClock: Clock = new WallClock({ wall: () => Date.now(), monotonic });

/** The system clock, corrected by so many milliseconds. */
export const correctedClock = (offsetMs: () => number): Clock =>
  new WallClock({ wall: () => Date.now() + offsetMs(), monotonic });
