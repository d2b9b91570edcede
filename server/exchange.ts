/**
 * One request and its reply: the one place that touches what uWS lends us, by four promises.
 *
 * H1  What is needed later is copied out of `req` before the callback returns: uWS frees `req` then.
 * H2  `onAborted` is attached before the callback returns without a reply: else uWS ends the process.
 * H3  After the reply, or once the client has gone, `res` is never touched again.
 * H4  A reply is checked first, and then written once and in one piece; a stream piece by piece, each in one cork.
 */
import { STATUS_CODES } from 'node:http';
import { SocketAddress } from 'node:net';
import type { HeaderLines } from './cors.ts';
import type { Network } from './network.ts';
import { noteRepeated } from './repeated-headers.ts';
import type { Call, Reply, Sink } from './route.ts';
import type { HttpRequest, HttpResponse } from './uws-types.ts';

/** What an exchange needs of its server. None of these throws. */
export interface Host {
  readonly draining: boolean;
  /** The reply for something thrown; checked already. */
  problem(thrown: unknown): Reply;
  /** For what has no reply. */
  report(error: unknown): void;
  readonly network?: Pick<Network, 'clientOf'> | undefined;
  /** An exchange goes on after its callback, and is over. */
  opened(): void;
  closed(): void;
}

/** Bytes (or UTF-16 units) from which a body is handed to the socket in parts, so that it is not copied whole. */
const largeBody = 64 * 1024;

const unknownClient: Call['client'] = { host: '', port: 0 };
const noParams: Readonly<Record<string, string>> = {};

export class Exchange implements Call, Sink {
  readonly method: string;
  readonly path: string;
  params = noParams;
  body: Buffer | undefined = undefined;
  /** Added to every reply. */
  extraHeaders: HeaderLines = [];

  readonly #host: Host;
  readonly #res: HttpResponse;
  #req: HttpRequest | undefined;
  #state: 'called' | 'deferred' | 'streaming' | 'replied' | 'gone' = 'called';
  #headers: Record<string, string> | undefined;
  #query: string | undefined;
  #client: Call['client'] | undefined;
  #abort: AbortController | undefined;
  #listeners: (() => void)[] | undefined;

  constructor(host: Host, res: HttpResponse, req: HttpRequest, method: string, path: string) {
    this.#host = host;
    this.#res = res;
    this.#req = req;
    this.method = method;
    this.path = path;
  }

  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= copyHeaders(this.#lent()));
  }

  get query(): string {
    return (this.#query ??= this.#lent().getQuery() ?? '');
  }

  get client(): Call['client'] {
    if (this.#client !== undefined) return this.#client;
    if (!this.#isOpen()) return unknownClient; // H3
    const client = clientOf(this.#res);
    return (this.#client = this.#host.network?.clientOf(client, this.headers) ?? client);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.gone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get gone(): boolean {
    return this.#state === 'gone';
  }

  onGone(listener: () => void): void {
    if (this.gone) listener();
    else if (this.#state !== 'replied') (this.#listeners ??= []).push(listener);
  }

  /** The reply comes after the callback. Returns `res` for reading the body. */
  defer(): HttpResponse {
    if (this.#state === 'called') {
      this.#headers = this.headers; // H1
      this.#query = this.query; // H1
      this.#req = undefined; // H1
      this.#res.onAborted(() => this.#lose()); // H2
      this.#state = 'deferred';
      this.#host.opened();
    }
    return this.#res;
  }

  /** Nothing happens if there was a reply already, or nobody is left. `close` ends the connection after it. */
  reply(reply: Reply, close = this.#host.draining): void {
    const fault = replyFault(reply);
    const sound = fault === undefined ? reply : this.#host.problem(new TypeError(fault));
    if (this.#state === 'called') this.#write(sound, close);
    else if (this.#state === 'deferred') this.#res.cork(() => this.#write(sound, close)); // H3 H4
  }

  fail(thrown: unknown): void {
    if (this.#state === 'streaming') {
      this.#host.report(thrown);
      this.#res.close(); // the abort handler runs inside
    } else if (!this.gone) this.reply(this.#host.problem(thrown));
    else if (!(thrown instanceof Error && thrown.name === 'AbortError')) this.#host.report(thrown);
  }

  write(piece: string): boolean {
    let fits = true;
    if (this.#state === 'streaming' && piece !== '') {
      this.#res.cork(() => {
        fits = this.#res.write(piece); // H3 H4
      });
    }
    return fits;
  }

  end(): void {
    if (this.#state !== 'streaming') return;
    this.#res.cork(() => this.#res.end(undefined, this.#host.draining)); // H3 H4
    this.#finish('replied');
  }

  onDrain(listener: () => void): void {
    if (this.#state !== 'streaming') return;
    this.#res.onWritable(() => {
      listener();
      return true;
    });
  }

  /** A part of the request that is still on loan. */
  #lent(): HttpRequest {
    if (this.#req === undefined) throw new Error('a request must be read before `handle` has replied');
    return this.#req;
  }

  #isOpen(): boolean {
    return this.#state !== 'replied' && this.#state !== 'gone';
  }

  #write(reply: Reply, close: boolean): void {
    this.#writeHead(reply);
    const { status, body, stream } = reply;
    if (stream !== undefined) this.#stream(stream);
    else if (this.method === 'HEAD' || status === 204 || status === 304) {
      if (close) this.#res.endWithoutBody(0, true);
      else this.#res.endWithoutBody();
      this.#finish('replied');
    } else if (body !== undefined && body.length >= largeBody) {
      this.#writeLarge(typeof body === 'string' ? Buffer.from(body) : body, close);
    } else {
      this.#res.end(body, close);
      this.#finish('replied');
    }
  }

  /** What has been written cannot be taken back: if the stream cannot begin, the connection ends. */
  #stream(begin: (sink: Sink) => void): void {
    this.defer();
    this.#state = 'streaming';
    this.body = undefined;
    try {
      begin(this);
    } catch (error) {
      this.fail(error);
    }
  }

  #writeHead({ status, headers }: Reply): void {
    const res = this.#res;
    if (status !== 200) res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
    for (const name in headers) res.writeHeader(name, headers[name]!);
    for (const [name, value] of this.extraHeaders) res.writeHeader(name, value);
  }

  #writeLarge(body: Buffer, close: boolean): void {
    const res = this.#res;
    // Returns whether the socket took all it was given, as `onWritable` wants to know.
    const send = (offset: number): boolean => {
      const [fitted, ended] = res.tryEnd(body.subarray(offset), body.length);
      if (ended) this.#finish('replied');
      return fitted;
    };
    if (close) res.writeHeader('connection', 'close');
    if (!send(0) && this.#state !== 'replied') this.defer().onWritable(send);
  }

  #lose(): void {
    if (!this.#isOpen()) return;
    const listeners = this.#listeners ?? [];
    this.#finish('gone');
    this.#abort?.abort();
    for (const listener of listeners) {
      try {
        listener();
      } catch (error) {
        this.#host.report(error);
      }
    }
  }

  #finish(state: 'replied' | 'gone'): void {
    const wasOpen = this.#state === 'deferred' || this.#state === 'streaming';
    this.#state = state;
    this.#req = undefined;
    this.#listeners = undefined;
    this.body = undefined; // it has been read; a run may keep the exchange for its headers
    if (wasOpen) this.#host.closed();
  }
}

/**
 * Nothing is inherited from it. Objects of one class share their hidden class, where `Object.create(null)` makes a hash
 * table each time; and a parked execution keeps its headers.
 */
class Bag {
  [name: string]: string;
}
Reflect.deleteProperty(Bag.prototype, 'constructor');
Object.setPrototypeOf(Bag.prototype, null);

export const copyHeaders = (req: HttpRequest): Record<string, string> => {
  const headers = new Bag();
  req.forEach((name, value) => {
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
    if (before !== undefined) noteRepeated(headers, name);
  });
  return headers;
};

export const clientOf = (res: Pick<HttpResponse, 'getRemoteAddress' | 'getRemotePort'>): Call['client'] => {
  const given = new Uint8Array(res.getRemoteAddress());
  const port = res.getRemotePort?.() ?? 0;
  if (given.length === 4) return { host: `${given[0]}.${given[1]}.${given[2]}.${given[3]}`, port };
  const bytes = Buffer.from(given);
  const isMapped = bytes.readUInt32BE(8) === 0xffff && bytes.subarray(0, 8).every((byte) => byte === 0);
  if (isMapped) return { host: bytes.subarray(-4).join('.'), port };
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return { host: new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address, port };
};

/** Why a reply cannot be sent. uWS would write a line break in a header as it is, and so another header. */
export const replyFault = (reply: Reply): string | undefined => {
  if (typeof reply !== 'object' || reply === null) return `a route must give a reply, got ${reply}`;
  const { status, headers, body } = reply;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) return `a reply needs a status, got ${status}`;
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body))
    return 'a body must be text or a Buffer';
  for (const name in headers) {
    const value: unknown = headers[name];
    if (typeof value !== 'string' || value.includes('\n') || value.includes('\r') || value.includes('\0')) {
      return `the value of the reply header ${name} cannot be sent`;
    }
  }
  return undefined;
};
