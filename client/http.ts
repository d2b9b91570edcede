/** Sends the requests of the client: base URL, headers, errors and retries. */
import { RequestError } from './errors.ts';
import {
  backOffForTwoMinutes,
  delayAfter,
  isRetryable,
  pause,
  type RetryMs,
  retryAfterMs,
  whenAborted,
} from './retry.ts';

type HeaderValues = Readonly<Record<string, string>>;

export interface HttpOptions {
  /** URL of the server, with its root path if it has one. Default: the origin of the page. */
  readonly baseUrl?: string;
  /** Sent with every request, such as `authorization`. A function is called each time, and may return a promise. */
  readonly headers?: HeaderValues | (() => HeaderValues | Promise<HeaderValues>);
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * The delay before a retry, after no reply, an incomplete reply, or 408, 429, 502, 503 or 504. A longer `Retry-After`
   * counts instead. Default: 0.2 s, doubled up to 10 s, for two minutes. Streams retry without limit.
   */
  readonly retryMs?: RetryMs;
  /** The limit for a reply, in addition to the requested waiting time. Milliseconds. Default 30_000. */
  readonly timeoutMs?: number;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** How long the server is asked to wait before it replies. Milliseconds. */
  readonly waitMs?: number;
  /** Called before each retry. */
  readonly onRetry?: () => void;
}

export class Http {
  readonly #base: string;
  readonly #headers: HttpOptions['headers'];
  readonly #fetch: typeof globalThis.fetch;
  readonly #retryMs: RetryMs;
  readonly #timeoutMs: number;

  constructor(options: HttpOptions) {
    const { baseUrl = '', headers, fetch = globalFetch, retryMs = backOffForTwoMinutes, timeoutMs = 30_000 } = options;
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#headers = headers;
    this.#fetch = fetch;
    this.#retryMs = retryMs;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves to the result of `read` for a 2xx reply. The request may be sent more than once. Rejects with a
   * `RequestError` for any other reply, with the error of `fetch` without a reply, and with the signal's reason.
   */
  async ask<T>(path: string, request: Request, read: (response: Response) => T | Promise<T>): Promise<T> {
    const { signal, waitMs = 0, onRetry } = request;
    for (let attempt = 0; ; attempt += 1) {
      const init = await this.prepare(request);
      const connection = new Connection(signal);
      try {
        const response = await this.open(path, init, connection, waitMs);
        return await connection.within(this.#timeoutMs, async () => {
          const value = await read(response);
          if (!response.bodyUsed) await response.text().catch(() => {}); // so that the connection can be reused
          return value;
        });
      } catch (error) {
        signal?.throwIfAborted();
        const delayMs = isRetryable(error) ? this.#retryMs(attempt) : undefined;
        if (delayMs === undefined) throw error;
        await pause(delayAfter(error, delayMs), signal);
        onRetry?.();
      } finally {
        connection.end();
      }
    }
  }

  /** Rejects if the request cannot be sent at all. */
  async prepare({ method = 'GET', headers = {}, body }: Request): Promise<RequestInit> {
    const own = typeof this.#headers === 'function' ? await this.#headers() : this.#headers;
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const all = { ...own, ...content, ...headers };
    new Headers(all);
    return { method, headers: all, ...(body !== undefined && { body: JSON.stringify(body) }) };
  }

  /** One attempt. Resolves to a 2xx reply, whose body ends with the connection. Rejects like `ask`. */
  open(path: string, init: RequestInit, connection: Connection, waitMs = 0): Promise<Response> {
    return connection.within(this.#timeoutMs + waitMs, async () => {
      const response = await this.#fetch(this.#urlOf(path), { ...init, signal: connection.signal });
      if (response.ok) return response;
      throw new RequestError(
        response.status,
        await bodyOf(response),
        retryAfterMs(response.headers.get('retry-after')),
      );
    });
  }

  /** Paths in replies of the server already begin with its root path. */
  #urlOf(path: string): string {
    const root = /^https?:\/\/[^/]+(\/.*)$/.exec(this.#base)?.[1];
    return root !== undefined && path.startsWith(`${root}/`)
      ? `${this.#base.slice(0, -root.length)}${path}`
      : `${this.#base}${path}`;
  }
}

/**
 * One request and its reply. It ends by the caller's signal, by a timeout, or by `end`, and then leaves no listener and
 * no timer.
 */
export class Connection {
  readonly #controller = new AbortController();
  readonly #unlisten: () => void;

  constructor(signal: AbortSignal | undefined) {
    this.#unlisten = whenAborted(signal, () => this.#controller.abort(signal?.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects if the work takes longer, or the connection ends meanwhile, even if the work ignores the signal. */
  async within<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
    const { signal } = this;
    const timer = setTimeout(() => this.end(new Error(`The server did not reply within ${ms} ms.`)), ms);
    let unlisten = () => {};
    const ended = new Promise<never>((_, reject) => {
      unlisten = whenAborted(signal, () => reject(signal.reason));
    });
    try {
      return await Promise.race([work(), ended]);
    } finally {
      clearTimeout(timer);
      unlisten();
    }
  }

  end(reason: unknown = new Error('The connection has ended.')): void {
    this.#unlisten();
    this.#controller.abort(reason);
  }
}

/** Browsers require that `fetch` is called as a function of the page, not as a method of another object. */
const globalFetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request);

/** Rejects at once with a `RequestError` for a body of another type, which comes from something in between. */
export const jsonOf = async <T>(response: Response): Promise<T> => {
  const type = response.headers.get('content-type')?.split(';')[0] || 'nothing';
  if (/\bjson$/.test(type)) return response.json() as Promise<T>;
  throw new RequestError(response.status, { message: `Expected JSON, got ${type}.` });
};

const bodyOf = async (response: Response): Promise<unknown> => {
  const text = await response.text().catch(() => '');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
