/**
 * One request and its reply: the one place that touches what uWS lends us, by five promises.
 *
 * H1  What is needed later is copied out of `req` before the callback returns: uWS frees `req` then.
 * H2  `onAborted` is attached before anything else: uWS ends the process if a response without it has not ended when the
 *     callback returns, and on a connection that was reset it does not end, whatever is written.
 * H3  After the reply, or once the client has gone, `res` is never touched again.
 * H4  A reply is checked first, and then written once and in one piece; a stream piece by piece, each in one cork.
 * H5  A reply that ends the connection is written in a later turn: until then uWS closes the connection if another request
 *     follows, where it would answer that one, and keep the connection, if the reply had been written at once.
 */
import { STATUS_CODES } from 'node:http';
import type { Backlog, Holder } from './backlog.ts';
import { type HeaderLines, withExposed } from './cors.ts';
import type { Network } from './network.ts';
import { clientOf, copyHeaders, unknownClient } from './request-parts.ts';
import type { Call, Reply, Sink } from './route.ts';
import type { HttpRequest, HttpResponse } from './uws-types.ts';

/** What an exchange needs of its server. None of these throws. */
export interface Host {
  readonly draining: boolean;
  /** What waits to be sent. */
  readonly unsent: Backlog;
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

const noParams: Readonly<Record<string, string>> = {};

/** UTF-16 units of a stream that are handed to the socket at once. */
const pieceLength = 64 * 1024;

export class Exchange implements Call, Sink, Holder {
  readonly method: string;
  readonly path: string;
  fullPath: string;
  params = noParams;
  body: Buffer | undefined = undefined;
  /** Added to every reply. */
  extraHeaders: HeaderLines = [];
  /** Headers of our own that a page of another origin may read of the reply. */
  exposed: readonly string[] = [];

  readonly #host: Host;
  readonly #res: HttpResponse;
  #req: HttpRequest | undefined;
  #state: 'called' | 'deferred' | 'closing' | 'sending' | 'streaming' | 'replied' | 'gone' = 'called';
  #headers: Record<string, string> | undefined;
  #query: string | undefined;
  #client: Call['client'] | undefined;
  #abort: AbortController | undefined;
  #listeners: (() => void)[] | undefined;
  /** Of a stream: what the socket has not been given yet, and whether it has room. */
  #rest = '';
  #isFull = false;
  /** The stream ends once the socket has taken everything. */
  #isEnding = false;

  constructor(host: Host, res: HttpResponse, req: HttpRequest, method: string, path: string) {
    this.#host = host;
    this.#res = res;
    this.#req = req;
    this.method = method;
    this.path = path;
    this.fullPath = path;
    res.onAborted(() => this.#lose()); // H2
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
      this.#state = 'deferred';
      this.#host.opened();
    }
    return this.#res;
  }

  /** Nothing happens if there was a reply already, or nobody is left. `close` ends the connection after it. */
  reply(reply: Reply, close = this.#host.draining): void {
    const fault = replyFault(reply);
    const sound = fault === undefined ? reply : this.#host.problem(new TypeError(fault));
    if (this.#state !== 'called' && this.#state !== 'deferred') return;
    if (close) this.#replyAndClose(sound);
    else if (this.#state === 'called') this.#write(sound, close);
    else this.#res.cork(() => this.#write(sound, close)); // H3 H4
  }

  fail(thrown: unknown): void {
    if (this.#state === 'streaming') {
      this.#host.report(thrown);
      this.cut();
    } else if (!this.gone) this.reply(this.#host.problem(thrown));
    else if (!(thrown instanceof Error && thrown.name === 'AbortError')) this.#host.report(thrown);
  }

  /** Ends the connection at once, whatever was written. */
  cut(): void {
    if (!this.#isOpen()) return;
    if (this.#state === 'called') this.defer();
    this.#res.close(); // the abort handler runs inside
  }

  write(piece: string): boolean {
    if (this.#state !== 'streaming' || this.#isEnding || piece === '') return true;
    this.#rest += piece;
    this.#flush();
    return !this.#isFull;
  }

  end(): void {
    if (this.#state !== 'streaming') return;
    this.#isEnding = true;
    if (!this.#isFull) this.#endStream();
  }

  onDrain(listener: () => void): void {
    if (this.#state !== 'streaming') return;
    this.#res.onWritable(() => {
      this.#drained(listener);
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

  /** H5 */
  #replyAndClose(reply: Reply): void {
    this.defer();
    this.#state = 'closing';
    setImmediate(() => {
      if (this.#state === 'closing') this.#res.cork(() => this.#write(reply, true)); // H3 H4
    });
  }

  #write(reply: Reply, close: boolean): void {
    this.#writeHead(reply);
    const { status, body, stream } = reply;
    if (this.method === 'HEAD' || status === 204 || status === 304) {
      if (close) this.#res.endWithoutBody(0, true);
      else this.#res.endWithoutBody();
      this.#finish('replied');
    } else if (stream !== undefined) this.#stream(stream);
    else if (body !== undefined && body.length >= largeBody) {
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
    this.onDrain(nothing);
    try {
      begin(this);
    } catch (error) {
      this.fail(error);
    }
  }

  /** As much as the socket takes; the rest waits here and not in uWS, which would copy it. */
  #flush(): void {
    let offset = 0;
    while (offset < this.#rest.length && !this.#isFull) {
      const end = pieceEnd(this.#rest, offset + pieceLength);
      const piece = offset === 0 && end === this.#rest.length ? this.#rest : this.#rest.slice(offset, end);
      this.#res.cork(() => {
        this.#isFull = !this.#res.write(piece); // H3 H4
      });
      if (this.#state !== 'streaming') return;
      offset = end;
    }
    this.#rest = this.#rest.slice(offset);
    if (this.#isFull) this.#host.unsent.hold(this, this.#rest.length + pieceLength);
    else this.#host.unsent.release(this);
  }

  #drained(listener: () => void): void {
    this.#isFull = false;
    this.#flush();
    if (this.#isFull || this.#state !== 'streaming') return;
    if (this.#isEnding) this.#endStream();
    else this.#run(listener);
  }

  /** Not with `closeConnection`: uWS would write that header into the body. */
  #endStream(): void {
    this.#res.cork(() => this.#res.end()); // H3 H4
    this.#finish('replied');
  }

  #writeHead({ status, headers }: Reply): void {
    const res = this.#res;
    if (status !== 200) res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
    for (const name in headers) res.writeHeader(name, headers[name]!);
    const lines = this.exposed.length > 0 ? withExposed(this.extraHeaders, this.exposed, headers) : this.extraHeaders;
    for (const [name, value] of lines) res.writeHeader(name, value);
  }

  #writeLarge(body: Buffer, close: boolean): void {
    const res = this.#res;
    this.defer();
    this.#state = 'sending';
    // Returns whether the socket took all it was given, as `onWritable` wants to know.
    const send = (offset: number): boolean => {
      const [fitted, ended] = res.tryEnd(body.subarray(offset), body.length);
      if (ended) this.#finish('replied');
      else this.#host.unsent.hold(this, body.length - offset);
      return fitted;
    };
    if (close) res.writeHeader('connection', 'close');
    res.onWritable(send);
    send(0);
  }

  #lose(): void {
    if (!this.#isOpen()) return;
    const listeners = this.#listeners ?? [];
    this.#finish('gone');
    this.#abort?.abort();
    for (const listener of listeners) this.#run(listener);
  }

  #run(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#host.report(error);
    }
  }

  /** Also when the connection was lost while the end was written. */
  #finish(state: 'replied' | 'gone'): void {
    if (!this.#isOpen()) return;
    const wasOpen = this.#state !== 'called';
    if (this.#state === 'sending' || this.#state === 'streaming') this.#host.unsent.release(this);
    this.#state = state;
    this.#rest = '';
    this.#req = undefined;
    this.#listeners = undefined;
    this.body = undefined; // it has been read; a run may keep the exchange for its headers
    if (wasOpen) this.#host.closed();
  }
}

const nothing = (): void => {};

/** A character of two units is not taken apart. */
const pieceEnd = (text: string, end: number): number => {
  if (end >= text.length) return text.length;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
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
