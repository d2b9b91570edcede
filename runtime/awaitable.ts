/** A value, or a promise of it. Data in memory or in a local file is available synchronously. */
export type Awaitable<T> = T | Promise<T>;

/** Calls `next` with the value, synchronously if it is available, so that it does not wait a turn. */
export const andThen = <T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> =>
  value instanceof Promise ? value.then(next) : next(value);
