/** When to retry, and after which delay. */
import { RequestError } from './errors.ts';

/** Milliseconds before the n-th retry in a row, counted from 0. Undefined gives up. */
export type RetryMs = (attempt: number) => number | undefined;

/** 0.2 s, doubled up to 10 s. */
export const backOff = (attempt: number): number => Math.min(10_000, 200 * 2 ** attempt);

/** The same delays, for about two minutes. A restart of the server takes less. */
export const backOffForTwoMinutes: RetryMs = (attempt) => (attempt < 16 ? backOff(attempt) : undefined);

/** Statuses of a server that is busy or starting, and of a proxy that does not reach it. */
const RETRYABLE = [408, 429, 502, 503, 504];

/** Whether a retry may help: there was no reply, an incomplete one, or one that asks to retry later. */
export const isRetryable = (error: unknown): boolean => {
  if (error instanceof RequestError) return RETRYABLE.includes(error.status);
  // An invalid URL stays invalid.
  return !(error instanceof TypeError && (error.cause as { code?: unknown } | undefined)?.code === 'ERR_INVALID_URL');
};

const LONGEST_MS = 60_000;

/** A longer delay from the server counts, up to a minute. */
export const delayAfter = (error: unknown, ms: number): number =>
  error instanceof RequestError ? Math.max(ms, Math.min(error.retryAfterMs, LONGEST_MS)) : ms;

/** `Retry-After`: seconds, or a date. */
export const retryAfterMs = (header: string | null): number => {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
};

/** Rejects with the signal's reason, and leaves no listener. */
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

/** Calls `listener` once, immediately if the signal is aborted. Returns a function that removes the listener. */
export const whenAborted = (signal: AbortSignal | undefined, listener: () => void): (() => void) => {
  if (signal?.aborted) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
};
