/** A value that is there, or a promise of it. What is read from memory, or from a file of this machine, is there. */
export type Awaitable<T> = T | Promise<T>;

/** Calls `next` with the value: at once if it is there, so that nothing waits a turn for it. */
export const andThen = <T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> =>
  value instanceof Promise ? value.then(next) : next(value);
