/** The time, and the one kind of timeout, that the runtime uses. A test gives its own. */

/** XState's clock, and the time it shows. */
export interface Clock {
  /** Epoch milliseconds, whole; never less than it said before. */
  now(): number;
  /** `ms` is at most 2_147_483_647, as in Node. */
  setTimeout(fn: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

const { timeOrigin } = performance;

/**
 * The wall clock of the moment the process began, carried on by the monotonic one: a step of the wall clock neither
 * fires a timer nor starves one. Time that the machine spends suspended does not count.
 *
 * Its timeouts keep the process alive, on purpose. Each stands for something promised: a sleeping run, a deadline, the
 * patience of `stop()`. With `unref` an embedding script would end in the middle of it, and say nothing. What lets a
 * process end is that whoever waits clears its timeout; the timing wheel does when it is empty or stopped.
 */
export const systemClock: Clock = {
  now: () => Math.floor(timeOrigin + performance.now()),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};
