/**
 * Requests to providers.
 *
 * T1  Each request ends by its timeout or by `stop()`. Replies are read up to a limit.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Unusable } from './token-answer.ts';

/** The required part of `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestsOptions {
  readonly fetch: Fetch;
  readonly requestTimeoutMs: number;
  /** Resolves after a delay in milliseconds. Default: that of Node; it ends early when the server stops. */
  readonly wait?: ((ms: number) => Promise<unknown>) | undefined;
}

/** The provider could not be reached, or had an error that is not related to the request. */
export class Unanswered extends Error {
  /** Whether an immediate retry may help. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing = false) {
    super(message);
    this.isPassing = isPassing;
  }
}

/** An access token with many claims may have some tens of kilobytes. */
const maxAnswerBytes = 262_144;

/** Delay before a retry. Milliseconds. */
const RETRY_AFTER_MS = [250, 1_000];

export class Requests {
  readonly #options: RequestsOptions;
  readonly #running = new Set<AbortController>();
  readonly #stopping = new AbortController();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * Sends a request, and again a little later if the provider answers with 5xx or closes the connection. Rejects like
   * `send`.
   */
  async sendPatiently(url: string, init: RequestInit): Promise<Answered> {
    for (const delayMs of RETRY_AFTER_MS) {
      try {
        return await this.send(url, init);
      } catch (thrown) {
        if (!(thrown instanceof Unanswered && thrown.isPassing)) throw thrown;
        if (!(await this.pause(delayMs))) break; // `send` reports the shutdown
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

  /** Aborts all requests, and refuses later ones. */
  stop(): void {
    const stopped = new Unanswered('The server is shutting down.');
    this.#stopping.abort(stopped);
    for (const request of this.#running) request.abort(stopped);
  }

  /** Resolves to true after the delay; to false, immediately, when the server stops. */
  async pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping;
    await (this.#options.wait?.(ms) ?? wait(ms, undefined, { signal })).catch(() => {});
    return !signal.aborted;
  }
}

export interface Answered {
  /** Its body was read. */
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
