/** Request bodies: whether their end is certain, and reading one whole, within a size and a time. */
import type { HttpResponse } from './uws-types.ts';

/** Calls `run` once after `ms`; what it returns calls that off. */
export type After = (ms: number, run: () => void) => () => void;

export interface BodyLimits {
  /** Bytes. */
  readonly maxBodyBytes: number;
  /** For the whole body, from the request's headers on. */
  readonly requestTimeoutMs: number;
  readonly after: After;
}

/** An empty body is none. */
export type BodyOutcome = Buffer | undefined | 'tooLarge' | 'tooSlow';

/** uWS ends a connection that sends less than 16 kB/s, in steps of 4 s and after at least 8 s, unless we resume it. */
const resumeEveryMs = 4_000;

/**
 * Why a proxy before us and uWS could differ on where this request ends and the next one starts; undefined if they
 * cannot (RFC 9112, 6.3). uWS takes the first of several lengths, and any coding for `chunked`.
 */
export const framingFault = (headers: Readonly<Record<string, string>>): string | undefined => {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined && length !== undefined) return 'Content-Length and Transfer-Encoding exclude each other.';
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The only Transfer-Encoding here is chunked.';
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'Content-Length must be one number, and given once.';
  return undefined;
};

/**
 * Reads what comes after the headers; `onGone` says when there is nobody left to read from. Calls `done` at most once:
 * at once if the announced length (`NaN` if none was) is too large, and never after the client has gone.
 */
export const readBody = (
  { res, announced, onGone }: { res: HttpResponse; announced: number; onGone(listener: () => void): void },
  { maxBodyBytes, requestTimeoutMs, after }: BodyLimits,
  done: (outcome: BodyOutcome) => void,
): void => {
  let bytes: Buffer = Buffer.alloc(0);
  let size = 0;
  let over = false;
  let stopWaiting: (() => void) | undefined;

  const stop = (): void => {
    over = true;
    stopWaiting?.();
  };
  const finish = (outcome: BodyOutcome): void => {
    stop();
    done(outcome);
  };
  const wait = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, resumeEveryMs);
    stopWaiting = after(stepMs, () => {
      if (stepMs === leftMs) {
        finish('tooSlow');
      } else {
        res.resume();
        wait(leftMs - stepMs);
      }
    });
  };

  const take = (part: Uint8Array, isLast: boolean): void => {
    // uWS takes the memory of a chunk back, so it is copied; into one buffer, since chunks may be a byte long each.
    bytes = withRoomFor(bytes, size, part.length, maxBodyBytes);
    bytes.set(part, size);
    size += part.length;
    if (isLast) finish(size === 0 ? undefined : bytes.subarray(0, size));
    else if (stopWaiting === undefined) wait(requestTimeoutMs);
  };

  onGone(stop);
  res.onData((chunk, isLast) => {
    if (over) return;
    if (size + chunk.byteLength > maxBodyBytes) finish('tooLarge');
    else take(new Uint8Array(chunk), isLast);
  });
  if (announced > maxBodyBytes) finish('tooLarge');
};

const withRoomFor = (bytes: Buffer, used: number, more: number, limit: number): Buffer => {
  if (used + more <= bytes.length) return bytes;
  const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(used + more, 2 * bytes.length)));
  bytes.copy(larger, 0, 0, used);
  return larger;
};
