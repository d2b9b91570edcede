/** Request bodies: checks whether their end is certain, and reads one body within limits of size and time. */
import type { AdapterRequest } from './adapter.ts';
import type { Backlog, Holder } from './backlog.ts';
import type { Call } from './route.ts';

/** Calls `run` once after `ms`. Returns a function that cancels that. */
export type After = (ms: number, run: () => void) => () => void;

export interface BodyLimits {
  /** Bytes. */
  readonly maxBodyBytes: number;
  /** Timeout of the whole body, from the request's headers on. */
  readonly requestTimeoutMs: number;
  readonly after: After;
  /** Bytes of all incomplete bodies. */
  readonly unread: Backlog;
}

/**
 * An empty body is none. `tooLarge`: its end is near, and the rest is dropped. `farTooLarge`: its connection must be
 * closed.
 */
export type BodyOutcome = Buffer | undefined | 'tooLarge' | 'farTooLarge' | 'tooSlow' | 'crowdedOut';

/**
 * Bytes beyond the limit that are read and dropped. A client that is cut while it sends sees a broken connection
 * instead of the reply (Node's fetch: EPIPE), and a client behind a proxy sees 502.
 */
const MAX_DROPPED = 64 * 1024 * 1024;

/** A library may end a connection that sends slowly, so it is notified at this interval that the server still waits. */
const keepAliveMs = 4_000;

/**
 * Why a proxy and our library could disagree about the end of this request; undefined if they cannot (RFC 9112, 6.3). A
 * library may use the first of several lengths, or accept any coding for `chunked`.
 */
export const framingFault = (headers: Readonly<Record<string, string>>): string | undefined => {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined && length !== undefined) return 'Content-Length and Transfer-Encoding exclude each other.';
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 'The only Transfer-Encoding here is chunked.';
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'Content-Length must be one number, and given once.';
  return undefined;
};

export const hasBody = (headers: Readonly<Record<string, string>>): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

type Sender = Pick<Call, 'client' | 'onGone'>;

/**
 * Reads the body. Calls `done` at most once: synchronously if the announced length (`NaN` without one) is too large,
 * and never after `sender` has gone.
 */
export const readBody = (
  request: Pick<AdapterRequest, 'read' | 'waitLonger'>,
  sender: Sender,
  announced: number,
  limits: BodyLimits,
  done: (outcome: BodyOutcome) => void,
): void => {
  const reading = new Reading(request, sender, limits, done);
  request.read((chunk, isLast) => reading.take(chunk, isLast));
  // A client may wait for the reply before it sends its body. The announced body is dropped.
  if (announced > limits.maxBodyBytes + MAX_DROPPED) reading.finish('farTooLarge');
  else if (announced > limits.maxBodyBytes) reading.finish('tooLarge');
};

/** A class, because it is created for every request: named functions would each have a hidden class in V8 (see tsx). */
class Reading implements Holder {
  readonly #request: Pick<AdapterRequest, 'waitLonger'>;
  readonly #sender: Sender;
  readonly #limits: BodyLimits;
  readonly #done: (outcome: BodyOutcome) => void;
  #bytes = nothing;
  #size = 0;
  #isOver = false;
  #stopWaiting: (() => void) | undefined;

  constructor(
    request: Pick<AdapterRequest, 'waitLonger'>,
    sender: Sender,
    limits: BodyLimits,
    done: (outcome: BodyOutcome) => void,
  ) {
    this.#request = request;
    this.#sender = sender;
    this.#limits = limits;
    this.#done = done;
  }

  get address(): string {
    return this.#sender.client.host;
  }

  take(chunk: Uint8Array, isLast: boolean): void {
    if (this.#isOver) return;
    const { maxBodyBytes } = this.#limits;
    if (this.#size + chunk.byteLength > maxBodyBytes) {
      this.#drop(chunk.byteLength, isLast);
      return;
    }
    // A chunk is valid during the call only, so it is copied; into one buffer, because chunks may be a byte long each.
    this.#bytes = append(this.#bytes, this.#size, chunk, maxBodyBytes);
    this.#size += chunk.byteLength;
    if (isLast) {
      const isWhole = this.#size === this.#bytes.length;
      this.finish(this.#size === 0 ? undefined : isWhole ? this.#bytes : this.#bytes.subarray(0, this.#size));
    } else {
      this.#waitForMore();
      this.#limits.unread.hold(this, this.#bytes.length);
    }
  }

  /** It is already too large. */
  #drop(bytes: number, isLast: boolean): void {
    this.#size += bytes;
    this.#bytes = nothing;
    this.#limits.unread.release(this);
    if (isLast) this.finish('tooLarge');
    else if (this.#size > this.#limits.maxBodyBytes + MAX_DROPPED) this.finish('farTooLarge');
    else this.#waitForMore();
  }

  #waitForMore(): void {
    if (this.#stopWaiting !== undefined) return;
    this.#wait(this.#limits.requestTimeoutMs);
    this.#sender.onGone(() => this.#letGo());
  }

  cut(): void {
    this.finish('crowdedOut');
  }

  finish(outcome: BodyOutcome): void {
    this.#letGo();
    this.#done(outcome);
  }

  #letGo(): void {
    this.#isOver = true;
    this.#stopWaiting?.();
    this.#limits.unread.release(this);
    this.#bytes = nothing;
  }

  #wait(leftMs: number): void {
    const stepMs = Math.min(leftMs, keepAliveMs);
    this.#stopWaiting = this.#limits.after(stepMs, () => {
      if (stepMs === leftMs) {
        this.finish('tooSlow');
      } else {
        this.#request.waitLonger();
        this.#wait(leftMs - stepMs);
      }
    });
  }
}

const nothing: Buffer = Buffer.alloc(0);

const append = (bytes: Buffer, used: number, part: Uint8Array, limit: number): Buffer => {
  if (bytes === nothing) return Buffer.from(part);
  const size = used + part.length;
  const room = size <= bytes.length ? bytes : Buffer.allocUnsafe(Math.min(limit, Math.max(size, 2 * bytes.length)));
  if (room !== bytes) bytes.copy(room, 0, 0, used);
  room.set(part, used);
  return room;
};
