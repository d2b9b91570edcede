/** Requests of the client: one place that knows base, headers, and what an error looks like. */
import { RequestError } from './errors.ts';

export interface HttpOptions {
  /** Where the server is, with its root path if it has one. Default: the page's own origin. */
  readonly baseUrl?: string;
  /** Sent with every request, such as `authorization`; a function is asked each time. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export class Http {
  readonly #base: string;
  readonly #headers: HttpOptions['headers'];
  readonly #fetch: typeof globalThis.fetch;

  constructor({ baseUrl = '', headers, fetch = globalFetch }: HttpOptions) {
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#headers = headers;
    this.#fetch = fetch;
  }

  /** Resolves to a reply of 2xx; rejects with a `RequestError` for any other, and as `fetch` does if there is none. */
  async send(path: string, { method = 'GET', headers = {}, body, signal }: Request = {}): Promise<Response> {
    const own = typeof this.#headers === 'function' ? this.#headers() : this.#headers;
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.#fetch(this.#urlOf(path), {
      method,
      headers: { ...own, ...content, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    if (!response.ok) throw new RequestError(response.status, await bodyOf(response));
    return response;
  }

  /** Paths that a server has told begin with its root path already. */
  #urlOf(path: string): string {
    const root = /^https?:\/\/[^/]+(\/.*)$/.exec(this.#base)?.[1];
    return root !== undefined && path.startsWith(`${root}/`)
      ? `${this.#base.slice(0, -root.length)}${path}`
      : `${this.#base}${path}`;
  }
}

/** Browsers want it called as what it is, a function of the page, and not of an object that keeps it. */
const globalFetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request);

const bodyOf = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
