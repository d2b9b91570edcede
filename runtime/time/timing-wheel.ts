/**
 * All timers of the runtime behind one timeout of the clock: a hierarchical timing wheel (Varghese and Lauck, 1987).
 *
 * A time is read as 32 bits of milliseconds in groups of five bits, a level for each group. One integer then holds
 * which of a level's 32 slots are occupied. A timer is on the level of the highest group in which it differs from the
 * cursor, in the slot that its own bits name. When the cursor reaches that slot, the timer moves to a lower level.
 * Timers of a later block of 2^32 ms (50 days) wait beyond the levels until the cursor reaches their block.
 *
 * W1  All timers of a level are due before those of the next level, and all timers of a slot before those of the next
 *     slot: the lowest bit of the lowest level is the next one.
 * W2  Timers for the same millisecond are always in the same slot, in the order of scheduling.
 * W3  The cursor passes the beginning of a slot only when it empties that slot. Timers that are due at the cursor or
 *     earlier are in the cursor's slot of the lowest level.
 * W4  A turn fires the timers that were due at its beginning, up to a limit, so that requests do not wait for 100,000
 *     deadlines. Timers that are scheduled meanwhile wait for another turn.
 */
import type { Clock } from './clock.ts';

const BITS = 5;
const SLOTS = 2 ** BITS;
const LEVELS = 7;
/** One slot above the levels, unordered. */
const BEYOND = LEVELS;
const BLOCK = 2 ** 32;
const MAX_TURN = 256;
/** Node replaces a longer delay by 1 ms. */
const MAX_DELAY = 2 ** 31 - 1;

/** Returned by `schedule`, accepted by `cancel`. An element of a ring; linked means pending. */
class WheelTimer {
  /** Epoch milliseconds, rounded up. */
  readonly dueAt: number;
  readonly fire: () => void;
  previous: WheelTimer | undefined;
  next: WheelTimer | undefined;

  constructor(dueAt: number, fire: () => void) {
    this.dueAt = dueAt;
    this.fire = fire;
  }
}

export type { WheelTimer };

/** The sentinel of a ring: a timer that is never due, so that no ring has ends. */
const createRing = (): WheelTimer => {
  const ring = new WheelTimer(Number.NEGATIVE_INFINITY, () => {});
  ring.previous = ring.next = ring;
  return ring;
};

const append = (ring: WheelTimer, timer: WheelTimer): void => {
  timer.previous = ring.previous;
  timer.next = ring;
  ring.previous = ring.previous!.next = timer;
};

const unlink = (timer: WheelTimer): void => {
  timer.previous!.next = timer.next;
  timer.next!.previous = timer.previous;
  timer.previous = timer.next = undefined;
};

const isEmpty = (ring: WheelTimer): boolean => ring.next === ring;

const sort = (ring: WheelTimer): void => {
  const timers: WheelTimer[] = [];
  for (let timer = ring.next!; timer !== ring; timer = timer.next!) timers.push(timer);
  for (const timer of timers.sort((a, b) => a.dueAt - b.dueAt)) {
    unlink(timer);
    append(ring, timer);
  }
};

export class TimingWheel {
  readonly clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #slots = Array.from({ length: LEVELS * SLOTS + 1 }, createRing);
  /** A bit for each slot of a level. A bit may stay set after the last timer of its slot was cancelled. */
  readonly #occupied = new Int32Array(LEVELS + 1);
  readonly #due = createRing();
  #cursor: number;
  #size = 0;
  #timeout: unknown;
  /** No occupied slot begins earlier. Infinity while no timeout is set. */
  #wakeAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** `onError` gets the errors of `fire`. Other timers are not affected. */
  constructor({ clock, onError }: { clock: Clock; onError: (error: unknown) => void }) {
    this.clock = clock;
    this.#onError = onError;
    this.#cursor = this.#now();
  }

  /** Number of pending timers. */
  get size(): number {
    return this.#size;
  }

  /**
   * Calls `fire` once the clock shows `dueAt` (epoch milliseconds), never before and never inside this call. Earlier
   * timers fire first, timers of the same millisecond in the order of scheduling. Infinity is never. After `stop()` it
   * schedules nothing. Throws RangeError when `dueAt` is NaN.
   */
  schedule(dueAt: number, fire: () => void): WheelTimer {
    if (Number.isNaN(dueAt)) throw new RangeError('dueAt must be a time in epoch milliseconds, got NaN');
    const timer = new WheelTimer(Math.ceil(dueAt), fire);
    if (this.#isStopped) return timer;
    const now = this.#now();
    if (this.#cursor < now && now < this.#wakeAt) this.#cursor = now; // W3
    const begin = this.#begin(this.#place(timer), timer);
    this.#size += 1;
    if (begin < this.#wakeAt) this.#wake(begin, now);
    return timer;
  }

  /** Has no effect after the timer has fired or was cancelled. */
  cancel(timer: WheelTimer): void {
    if (timer.next === undefined) return;
    unlink(timer);
    this.#size -= 1;
    if (this.#size === 0) this.#sleep();
  }

  /** Drops all timers, and ignores later ones. */
  stop(): void {
    this.#isStopped = true;
    for (const ring of [this.#due, ...this.#slots]) while (!isEmpty(ring)) unlink(ring.next!);
    this.#size = 0;
    this.#sleep();
  }

  #now(): number {
    return Math.floor(this.clock.now());
  }

  /** Puts a timer into its slot, relative to the cursor, and returns the number of the slot. */
  #place(timer: WheelTimer): number {
    const at = Math.max(timer.dueAt, this.#cursor);
    const isBeyond = Math.floor(at / BLOCK) !== Math.floor(this.#cursor / BLOCK);
    const level = isBeyond ? BEYOND : Math.trunc((31 - Math.clz32((at ^ this.#cursor) | 1)) / BITS);
    const index = isBeyond ? 0 : (at >>> (level * BITS)) % SLOTS;
    const slot = level * SLOTS + index;
    append(this.#slots[slot]!, timer);
    this.#occupied[level]! |= 1 << index;
    return slot;
  }

  /** The beginning of the slot of this timer. */
  #begin(slot: number, timer: WheelTimer): number {
    const level = Math.trunc(slot / SLOTS);
    if (level === BEYOND) return (Math.floor(this.#cursor / BLOCK) + 1) * BLOCK;
    const length = SLOTS ** level;
    return Math.floor(Math.max(timer.dueAt, this.#cursor) / length) * length;
  }

  /** The first occupied slot, or -1. */
  #first(): number {
    for (let level = 0; level <= BEYOND; level += 1) {
      for (let bits = this.#occupied[level]!; bits !== 0; bits &= bits - 1) {
        const slot = level * SLOTS + 31 - Math.clz32(bits & -bits); // W1
        if (!isEmpty(this.#slots[slot]!)) return slot;
        this.#occupied[level]! &= bits - 1;
      }
    }
    return -1;
  }

  #turn = (): void => {
    this.#timeout = undefined;
    try {
      this.#collect(this.#now());
      for (let fired = 0; fired < MAX_TURN && !isEmpty(this.#due); fired += 1) this.#fire(this.#due.next!);
    } finally {
      this.#arm();
    }
  };

  #fire(timer: WheelTimer): void {
    this.cancel(timer);
    try {
      timer.fire();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Moves the timers that are due by `now` to the due ring, and advances the cursor. */
  #collect(now: number): void {
    let isSorted = true;
    for (let slot = this.#first(); slot >= 0; slot = this.#first()) {
      const ring = this.#slots[slot]!;
      const begin = this.#begin(slot, ring.next!);
      if (begin > now) break;
      this.#cursor = begin;
      const last = ring.previous!;
      let timer: WheelTimer;
      do {
        timer = ring.next!;
        unlink(timer);
        if (slot >= SLOTS) {
          this.#place(timer);
        } else {
          isSorted &&= timer.dueAt >= this.#due.previous!.dueAt;
          append(this.#due, timer);
        }
      } while (timer !== last);
    }
    if (!isSorted) sort(this.#due); // some were already overdue when they were scheduled
  }

  #arm(): void {
    const slot = this.#first();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    if (!isEmpty(this.#due)) this.#wake(this.#cursor, this.#cursor);
    else if (slot >= 0) this.#wake(this.#begin(slot, this.#slots[slot]!.next!), this.#now());
  }

  #wake(at: number, now: number): void {
    this.#sleep();
    this.#wakeAt = at;
    this.#timeout = this.clock.setTimeout(this.#turn, Math.min(Math.max(at - now, 0), MAX_DELAY));
  }

  #sleep(): void {
    if (this.#timeout === undefined) return;
    this.clock.clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }
}
