/**
 * Calls of `ctx` that are made when their execution has ended, or their branch was withdrawn.
 *
 * They reject, so that the author's function comes to an end. A function that catches that and calls again would keep
 * the process busy for ever: so they reject in later and later turns, and soon not at all.
 */
import type { Log } from './context.ts';

/** So many reject in the next turn of the event loop. */
const SOON = 16;
/** So many more reject later and later, the last after two seconds. */
const LATER = 12;

export class AfterEnd {
  #calls = 0;
  readonly #log: Log;
  readonly #fields: object;

  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  reject<T>(error: () => Error): Promise<T> {
    this.#calls += 1;
    const calls = this.#calls;
    if (calls === SOON) {
      this.#log.warn(
        this.#fields,
        'a run calls ctx again and again although its execution has ended; return when a call rejects',
      );
    }
    const promise = new Promise<T>((_resolve, reject) => {
      if (calls <= SOON) setImmediate(() => reject(error()));
      else if (calls <= SOON + LATER) setTimeout(() => reject(error()), 2 ** (calls - SOON)).unref();
    });
    promise.catch(() => {});
    return promise;
  }
}
