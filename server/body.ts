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
 * Reads what comes after the headers. Calls `done` at most once: at once if the announced length (`NaN` if there was
 * none) is too large, and never after `sender` has gone.
 */
export const readBody = (
  res: HttpResponse,
  sender: { onGone(listener: () => void): void },
  announced: number,
  { maxBodyBytes, requestTimeoutMs, after }: BodyLimits,
  done: (outcome: BodyOutcome) => void,
): void => {
  let bytes = nothing;
  let size = 0;
  let over = false;
  let stopWaiting: (() => void) | undefined;

  const finish = (outcome: BodyOutcome): void => {
    over = true;
    stopWaiting?.();
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

  res.onData((chunk, isLast) => {
    if (over) return;
    if (size + chunk.byteLength > maxBodyBytes) {
      finish('tooLarge');
      return;
    }
    // uWS takes the memory of a chunk back, so it is copied; into one buffer, since chunks may be a byte long each.
    bytes = append(bytes, size, new Uint8Array(chunk), maxBodyBytes);
    size += chunk.byteLength;
    if (isLast) {
      finish(size === 0 ? undefined : size === bytes.length ? bytes : bytes.subarray(0, size));
    } else if (stopWaiting === undefined) {
      wait(requestTimeoutMs);
      sender.onGone(() => stopWaiting?.());
    }
  });
  if (announced > maxBodyBytes) finish('tooLarge');
};

const nothing: Buffer = Buffer.alloc(0);

const append = (bytes: Buffer, used: number, part: Uint8Array, limit: number): Buffer => {
  if (bytes === nothing) return Buffer.from(part);
  const size = used + part.length;
  const room = size <= bytes.length ? bytes : Buffer.allocUnsafe(Math.min(limit, Math.max(size, 2 * bytes.length)));
  if (room !== bytes) bytes.copy(room, 0, 0, used);
  room.set(part, used);
  return room;
};
