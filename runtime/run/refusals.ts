/**
 * Calls of `ctx` that settle without a fact: refused calls, and calls without a wait.
 *
 * A function that catches a refusal and calls again would block the event loop for ever if refusals came at once,
 * because microtasks run before everything else. So calls that are refused for good, because the execution has ended or
 * the branch was withdrawn, reject in later and later turns, and finally never. All others settle at once, until there
 * are too many in a row: then the event loop gets a turn first.
 */
import type { Log } from '../authoring/context.ts';

/** This many reject in the next turn of the event loop. */
const SOON = 16;
/** This many more reject with growing delays, the last after two seconds. */
const LATER = 12;
/** Calls that may settle before the event loop gets a turn. The number is the same in every replay. */
const IN_A_ROW = 200;
/** Number of single turns in between; then pauses follow, up to the longest. */
const PAUSELESS = 64;
const LONGEST_PAUSE_MS = 1_000;

export class Refusals {
  #afterEnd = 0;
  #inARow = 0;
  #breaths = 0;
  #breath: Promise<void> | undefined;
  readonly #log: Log;
  readonly #fields: object;

  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  /** For good. */
  reject<T>(error: () => Error): Promise<T> {
    this.#afterEnd += 1;
    const calls = this.#afterEnd;
    if (calls === SOON) {
      this.#log.warn(
        this.#fields,
        'a run keeps calling ctx although its execution has ended; return when a call rejects',
      );
    }
    const promise = new Promise<T>((_resolve, reject) => {
      if (calls <= SOON) setImmediate(() => reject(error()));
      else if (calls <= SOON + LATER) setTimeout(() => reject(error()), 2 ** (calls - SOON)).unref();
    });
    promise.catch(() => {});
    return promise;
  }

  /** A turn of the event loop to wait for, if too many calls have settled without one; else undefined. */
  get breath(): Promise<void> | undefined {
    this.#inARow += 1;
    if (this.#inARow < IN_A_ROW) return undefined;
    this.#breath ??= new Promise((resolve) => {
      this.#breaths += 1;
      const go = (): void => {
        this.#inARow = 0;
        this.#breath = undefined;
        resolve();
      };
      if (this.#breaths <= PAUSELESS) setImmediate(go);
      else setTimeout(go, Math.min(2 ** (this.#breaths - PAUSELESS), LONGEST_PAUSE_MS));
    });
    return this.#breath;
  }

  /** The event loop has had a turn. */
  rested(): void {
    this.#inARow = 0;
    this.#breaths = 0;
  }
}
