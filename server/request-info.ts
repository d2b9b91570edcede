/** A request as a workflow sees it: parsed when somebody looks, and only then. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Json, RequestInfo, Trace } from '../runtime/index.ts';
import { readCookies } from './identity.ts';
import type { Call } from './route.ts';

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
    return this.#call.path;
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
    return Object.fromEntries(new URLSearchParams(this.#call.query));
  }
  get cookies(): Readonly<Record<string, string>> {
    return readCookies(this.headers.cookie);
  }
  get client(): RequestInfo['client'] {
    const { client } = this.#call;
    return client.host === '' ? null : client;
  }
}

/** Where a run stands in a trace that may have begun elsewhere. Ids nobody sent are made when somebody asks. */
export class HttpTrace implements Trace {
  readonly #headers: Readonly<Record<string, string>>;
  #traceId: string | undefined;
  #runId: string | undefined;

  constructor(headers: Readonly<Record<string, string>>) {
    this.#headers = headers;
  }

  get traceId(): string {
    this.#traceId ??=
      fromTraceparent(this.#headers.traceparent) ?? fromUuid(this.#headers['workflow-trace-id']) ?? randomId();
    return this.#traceId;
  }
  get runId(): string {
    this.#runId ??= this.#headers['workflow-run-id'] || randomUUID();
    return this.#runId;
  }
  get parentId(): string | null {
    return this.#headers['workflow-parent-id'] || null;
  }
  get parentName(): string | null {
    return this.#headers['workflow-parent-name'] || null;
  }
}

const randomId = (): string => randomBytes(16).toString('hex');

const HEX = /^[0-9a-f]{32}$/;

/** An id of zeros is no id (W3C Trace Context). */
const traceId = (text: string | undefined): string | undefined => {
  const id = text?.toLowerCase() ?? '';
  return HEX.test(id) && !/^0+$/.test(id) ? id : undefined;
};

const fromTraceparent = (header: string | undefined): string | undefined => {
  const parts = header?.split('-') ?? [];
  return parts.length >= 4 ? traceId(parts[1]) : undefined;
};

/** What NAT's UUID parser takes: bare, hyphenated, in braces, or as a URN. */
const fromUuid = (header: string | undefined): string | undefined =>
  traceId(header?.replace(/^urn:uuid:/i, '').replace(/[{}-]/g, ''));
