/** Requests of the client: one place that knows base, headers, what an error looks like, and when to ask again. */
import { RequestError } from './errors.ts';
import { backOffForAWhile, delayAfter, isPassing, pause, type RetryMs, retryAfterMs, whenAborted } from './retry.ts';

export interface HttpOptions {
  /** Where the server is, with its root path if it has one. Default: the page's own origin. */
  readonly baseUrl?: string;
  /** Sent with every request, such as `authorization`; a function is asked each time. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /**
   * Before a request is sent again that met no answer, half an answer, or 408, 429, 502, 503 or 504. `Retry-After` counts if it is
   * longer. Default: 0.2 s, doubled up to 10 s, for two minutes. Streams do not give up.
   */
  readonly retryMs?: RetryMs;
  /** How long a reply may take to come, beyond the time that it was asked to wait. Milliseconds. Default 30_000. */
  readonly timeoutMs?: number;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** How long the server was asked to wait before it replies. Milliseconds. */
  readonly waitMs?: number;
  /** Called before it is sent again. */
  readonly onRetry?: () => void;
}

export class Http {
  readonly #base: string;
  readonly #headers: HttpOptions['headers'];
  readonly #fetch: typeof globalThis.fetch;
  readonly #retryMs: RetryMs;
  readonly #timeoutMs: number;

  constructor(options: HttpOptions) {
    const { baseUrl = '', headers, fetch = globalFetch, retryMs = backOffForAWhile, timeoutMs = 30_000 } = options;
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#headers = headers;
    this.#fetch = fetch;
    this.#retryMs = retryMs;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Resolves to what `read` makes of a reply of 2xx. Whatever is sent here may be sent more than once. Rejects with a
   * `RequestError` for any other reply, as `fetch` does if there is none, and with the signal's reason.
   */
  async ask<T>(path: string, request: Request, read: (response: Response) => T | Promise<T>): Promise<T> {
    const { signal, waitMs = 0, onRetry } = request;
    for (let attempt = 0; ; attempt += 1) {
      const init = this.prepare(request);
      const connection = new Connection(signal);
      try {
        const response = await this.open(path, init, connection, waitMs);
        return await connection.within(this.#timeoutMs, async () => {
          const value = await read(response);
          if (!response.bodyUsed) await response.text().catch(() => {}); // so that the connection can be used again
          return value;
        });
      } catch (error) {
        signal?.throwIfAborted();
        const delayMs = isPassing(error) ? this.#retryMs(attempt) : undefined;
        if (delayMs === undefined) throw error;
        await pause(delayAfter(error, delayMs), signal);
        onRetry?.();
      } finally {
        connection.end();
      }
    }
  }

  /** Throws for what could never be sent. */
  prepare({ method = 'GET', headers = {}, body }: Request): RequestInit {
    const own = typeof this.#headers === 'function' ? this.#headers() : this.#headers;
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const all = { ...own, ...content, ...headers };
    new Headers(all);
    return { method, headers: all, ...(body !== undefined && { body: JSON.stringify(body) }) };
  }

  /** One attempt: resolves to a reply of 2xx, whose body ends with the connection. Rejects as `ask`. */
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

  /** Paths that a server has told begin with its root path already. */
  #urlOf(path: string): string {
    const root = /^https?:\/\/[^/]+(\/.*)$/.exec(this.#base)?.[1];
    return root !== undefined && path.startsWith(`${root}/`)
      ? `${this.#base.slice(0, -root.length)}${path}`
      : `${this.#base}${path}`;
  }
}

/** One request and its reply: ended by the caller's signal, by time, or by `end`. Then no listener and no timer is left. */
export class Connection {
  readonly #controller = new AbortController();
  readonly #unlisten: () => void;

  constructor(signal: AbortSignal | undefined) {
    this.#unlisten = whenAborted(signal, () => this.#controller.abort(signal?.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects if it takes longer, or is ended meanwhile, also if what it does takes no notice of the signal. */
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

/** Browsers want it called as what it is, a function of the page, and not of an object that keeps it. */
const globalFetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request);

const bodyOf = async (response: Response): Promise<unknown> => {
  const text = await response.text().catch(() => '');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
