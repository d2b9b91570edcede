/**
 * Requests to providers.
 *
 * T1  No request outlives its time, or `stop()`; no answer is read beyond its limit.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Unusable } from './token-answer.ts';

/** The part of `fetch` that is needed. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestsOptions {
  readonly fetch: Fetch;
  readonly requestTimeoutMs: number;
  /** Resolves after that many milliseconds. Default: that of Node, which ends early when the server stops. */
  readonly wait?: ((ms: number) => Promise<unknown>) | undefined;
}

/** The provider was not there, or in trouble that has nothing to do with what was asked. */
export class Unanswered extends Error {
  /** Whether asking again at once is of use. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing = false) {
    super(message);
    this.isPassing = isPassing;
  }
}

/** An access token that carries a whole directory of claims has some tens of kilobytes. */
const maxAnswerBytes = 262_144;

/** Milliseconds before a request is sent again. */
const RETRY_AFTER_MS = [250, 1_000];

export class Requests {
  readonly #options: RequestsOptions;
  readonly #running = new Set<AbortController>();
  readonly #stopping = new AbortController();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Sends it again, a little later, if the provider answers with 5xx or hangs up. Rejects as `send`. */
  async sendPatiently(url: string, init: RequestInit): Promise<Answered> {
    for (const delayMs of RETRY_AFTER_MS) {
      try {
        return await this.send(url, init);
      } catch (thrown) {
        if (!(thrown instanceof Unanswered && thrown.isPassing)) throw thrown;
        if (!(await this.pause(delayMs))) break; // `send` says that the server stops
      }
    }
    return this.send(url, init);
  }

  /** Rejects with `Unanswered` and `Unusable`. */
  async send(url: string, init: RequestInit): Promise<Answered> {
    if (this.#stopping.signal.aborted) throw this.#stopping.signal.reason;
    const { fetch, requestTimeoutMs } = this.#options;
    const request = new AbortController();
    const late = new Unanswered(`The provider did not answer within ${requestTimeoutMs} ms.`);
    const timer = setTimeout(() => request.abort(late), requestTimeoutMs); // T1
    this.#running.add(request);
    try {
      const response = await fetch(url, { ...init, signal: request.signal });
      const { status } = response;
      if (status >= 500 || status === 408 || status === 429) {
        await response.body?.cancel();
        throw new Unanswered(`The provider answered with status ${status}.`, status >= 500);
      }
      return { response, text: await textOf(response) };
    } catch (thrown) {
      if (thrown instanceof Unanswered || thrown instanceof Unusable) throw thrown;
      throw request.signal.aborted ? request.signal.reason : new Unanswered('The provider could not be reached.', true);
    } finally {
      clearTimeout(timer);
      this.#running.delete(request);
    }
  }

  /** Ends all requests under way; later ones are not begun. */
  stop(): void {
    const stopped = new Unanswered('The server is shutting down.');
    this.#stopping.abort(stopped);
    for (const request of this.#running) request.abort(stopped);
  }

  /** Resolves after that many milliseconds; to false, and at once, when the server stops. */
  async pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping;
    await (this.#options.wait?.(ms) ?? wait(ms, undefined, { signal })).catch(() => {});
    return !signal.aborted;
  }
}

export interface Answered {
  /** Its body has been read. */
  readonly response: Response;
  readonly text: string;
}

const textOf = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new Unusable(`The provider answered with more than ${maxAnswerBytes} bytes.`); // T1
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};
