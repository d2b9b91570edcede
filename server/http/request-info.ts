/** A request for a workflow, parsed on first use. */
import type { Json, RequestInfo } from '../../runtime/index.ts';
import { readCookies } from './cookies.ts';
import type { Call } from './route.ts';

const NONE: Readonly<Record<string, string>> = Object.freeze({});

export class HttpRequestInfo implements RequestInfo {
  readonly #call: Call;
  readonly payload: Json | undefined;
  readonly scheme = 'http';

  constructor(call: Call, payload: unknown) {
    this.#call = call;
    this.payload = payload as Json | undefined;
  }

  get method(): string {
    return this.#call.method;
  }
  get path(): string {
    return this.#call.fullPath ?? this.#call.path;
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#call.headers;
  }
  get pathParams(): Readonly<Record<string, string>> {
    return this.#call.params;
  }
  get port(): number | null {
    const port = /:(\d+)$/.exec(this.headers.host ?? '')?.[1];
    return port === undefined ? null : Number(port);
  }
  get query(): Readonly<Record<string, string>> {
    const { query } = this.#call;
    return query === '' ? NONE : Object.fromEntries(new URLSearchParams(query));
  }
  get cookies(): Readonly<Record<string, string>> {
    const { cookie } = this.headers;
    return cookie === undefined ? NONE : readCookies(cookie);
  }
  get client(): RequestInfo['client'] {
    const { client } = this.#call;
    return client.host === '' ? null : client;
  }
}
