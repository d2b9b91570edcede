/** How long to wait before asking again, and whether that is of use. */
import { RequestError } from './errors.ts';

/** Milliseconds before the n-th attempt in a row to ask again, counted from 0; undefined gives up. */
export type RetryMs = (attempt: number) => number | undefined;

/** 0.2 s, doubled up to 10 s. */
export const backOff = (attempt: number): number => Math.min(10_000, 200 * 2 ** attempt);

/** The same for about two minutes: long enough for a server to start again. */
export const backOffForAWhile: RetryMs = (attempt) => (attempt < 16 ? backOff(attempt) : undefined);

/** Busy, starting, or behind a proxy that does not reach it. */
const PASSING = [408, 429, 502, 503, 504];

/** Whether asking again is of use: there was no answer, or half of one, or one that says to come later. */
export const isPassing = (error: unknown): boolean => {
  if (error instanceof RequestError) return PASSING.includes(error.status);
  return !(error instanceof TypeError && (error.cause as { code?: unknown } | undefined)?.code === 'ERR_INVALID_URL');
};

const LONGEST_MS = 60_000;

/** What the server asks for counts if it is longer, up to a minute. */
export const delayAfter = (error: unknown, ms: number): number =>
  error instanceof RequestError ? Math.max(ms, Math.min(error.retryAfterMs, LONGEST_MS)) : ms;

/** `Retry-After`: seconds, or a date. */
export const retryAfterMs = (header: string | null): number => {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
};

/** Rejects with the signal's reason. No listener is left. */
export const pause = async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
  signal?.throwIfAborted();
  let unlisten = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      unlisten = whenAborted(signal, () => {
        clearTimeout(timer);
        reject(signal?.reason);
      });
    });
  } finally {
    unlisten();
  }
};

/** Calls `listener` once, at once if it is aborted already. What it returns removes the listener. */
export const whenAborted = (signal: AbortSignal | undefined, listener: () => void): (() => void) => {
  if (signal?.aborted) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
};
