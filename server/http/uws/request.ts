/**
 * One request of uWebSockets.js. Only this file touches the library's objects, and it keeps six promises.
 *
 * H1  Values that are needed later are copied out of `req` before the callback returns: the library frees `req` then.
 * H2  `onAborted` is attached first. The library ends the process if a response without it has not ended when the
 *     callback returns; and on a reset connection a response never ends, whatever is written.
 * H3  After the reply, or after a disconnect, `res` is never touched again.
 * H4  A reply is written once and in one piece; a stream piece by piece, each in one cork.
 * H5  A reply that ends the connection is written in a later turn. Until then the library closes the connection if
 *     another request follows. With a reply written at once, it would answer that request and keep the connection.
 * H6  The reply to a chunked body ends the connection. The library reads sizes of chunks leniently (a space before a size
 *     makes it 0, an extension is taken for digits), so a proxy may see another end of the body, and bytes inside of
 *     it would be a request.
 */
import { STATUS_CODES } from 'node:http';
import { type AdapterRequest, isBodiless, type ReplyListener } from '../adapter.ts';
import type { HeaderLines } from '../cors.ts';
import type { Call, Reply } from '../route.ts';
import { clientOf, copyHeaders, credentialFault } from './request-parts.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

/** Bytes (or UTF-16 units) from which a body is passed to the socket in parts, so that it is not copied as a whole. */
const largeBody = 64 * 1024;

export class UwsRequest implements AdapterRequest {
  readonly method: string;
  readonly path: string;

  readonly #res: HttpResponse;
  /** Undefined once the callback has returned. */
  #req: HttpRequest | undefined;
  #headers: Record<string, string> | undefined;
  #query: string | undefined;
  #listener: ReplyListener | undefined;
  #isOver = false;
  /** Bytes of the content that is being sent; 0 without one. */
  #length = 0;
  /** The part of the content that the socket has not accepted as a whole, and where it begins. */
  #unsent: { readonly part: Buffer | undefined; readonly at: number } = { part: undefined, at: 0 };

  constructor(res: HttpResponse, req: HttpRequest) {
    res.onAborted(() => this.#lose()); // H2
    this.#res = res;
    this.#req = req;
    this.method = req.getCaseSensitiveMethod();
    this.path = req.getUrl();
  }

  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= copyHeaders(this.#lent()));
  }

  get query(): string {
    return (this.#query ??= this.#lent().getQuery() ?? '');
  }

  get fault(): string | undefined {
    return credentialFault(this.headers);
  }

  get client(): Call['client'] {
    return clientOf(this.#res);
  }

  attach(listener: ReplyListener): void {
    this.#listener = listener;
  }

  /** The callback is about to return: H1. */
  returned(): void {
    if (!this.#isOver) {
      this.#headers = this.headers;
      this.#query = this.query;
    }
    this.#req = undefined;
  }

  read(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    if (this.#isOver) return; // H3
    this.#res.onData((chunk, isLast) => take(new Uint8Array(chunk), isLast));
  }

  /**
   * Only this restarts the timeout of the library. A request that was not paused must not be resumed, or it is never
   * read again.
   */
  waitLonger(): void {
    if (this.#isOver) return; // H3
    this.#res.pause();
    this.#res.resume();
  }

  send(reply: Reply, lines: HeaderLines, close: boolean): void {
    if (this.#isOver) return; // H3
    if (close || this.#isChunked) this.#sendLater(reply, lines);
    else if (this.#req !== undefined) this.#write(reply, lines, false);
    else this.#res.cork(() => this.#write(reply, lines, false)); // H4
  }

  begin(reply: Reply, lines: HeaderLines, write: () => void): void {
    if (this.#isOver) return; // H3
    const begin = (): void => {
      this.#writeHead(reply, lines);
      if (this.#isChunked) this.#res.writeHeader('connection', 'close');
      this.#length = reply.content?.length ?? 0;
      this.#res.onWritable((offset) => this.#drain(offset));
      write();
    };
    if (this.#req !== undefined) begin();
    else this.#res.cork(begin); // H4
  }

  write(piece: string | Buffer): boolean {
    if (this.#isOver) return true; // H3
    let hasRoom = true;
    this.#res.cork(() => {
      hasRoom = typeof piece === 'string' ? this.#res.write(piece) : this.#sendPart(piece); // H4
    });
    return hasRoom;
  }

  /** The socket has room again. */
  #drain(offset: number): boolean {
    const { part, at } = this.#unsent;
    if (part !== undefined && !this.#sendPart(part.subarray(offset - at), offset)) return false;
    if (!this.#isOver) this.#listener?.drained();
    return true;
  }

  /** Whether the socket has accepted all of it. The rest is sent when it has room. */
  #sendPart(part: Buffer, at = this.#unsent.at): boolean {
    const [fitted, ended] = this.#res.tryEnd(part, this.#length);
    this.#unsent = fitted ? { part: undefined, at: at + part.length } : { part, at };
    if (ended) this.#finish();
    return fitted;
  }

  /** Not with `closeConnection`: the library would write that header into the body. */
  end(): void {
    if (this.#isOver || this.#length > 0) return; // H3; a content ends with its last byte
    this.#res.cork(() => this.#res.end()); // H4
    this.#finish();
  }

  cut(): void {
    if (!this.#isOver) this.#res.close(); // the abort handler runs inside
  }

  /** H6 */
  get #isChunked(): boolean {
    return this.headers['transfer-encoding'] !== undefined;
  }

  #lent(): HttpRequest {
    if (this.#req === undefined) throw new Error('a request must be read before its callback returns');
    return this.#req;
  }

  /** H5 */
  #sendLater(reply: Reply, lines: HeaderLines): void {
    setImmediate(() => {
      if (!this.#isOver) this.#res.cork(() => this.#write(reply, lines, true)); // H3 H4
    });
  }

  #write(reply: Reply, lines: HeaderLines, close: boolean): void {
    this.#writeHead(reply, lines);
    const { status, body } = reply;
    if (isBodiless(this.method, status)) {
      if (close) this.#res.endWithoutBody(0, true);
      else this.#res.endWithoutBody();
      this.#finish();
    } else if (body !== undefined && body.length >= largeBody) {
      this.#writeLarge(typeof body === 'string' ? Buffer.from(body) : body, close);
    } else {
      this.#res.end(body, close);
      this.#finish();
    }
  }

  #writeHead({ status, headers }: Reply, lines: HeaderLines): void {
    const res = this.#res;
    if (status !== 200) res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
    for (const name in headers) res.writeHeader(name, headers[name]!);
    for (const [name, value] of lines) res.writeHeader(name, value);
  }

  #writeLarge(body: Buffer, close: boolean): void {
    const res = this.#res;
    // Returns whether the socket accepted everything, as `onWritable` requires.
    const send = (offset: number): boolean => {
      const [fitted, ended] = res.tryEnd(body.subarray(offset), body.length);
      if (ended) this.#finish();
      else if (!this.#isOver) this.#listener?.progressed(body.length); // everything stays in memory until the end
      return fitted;
    };
    if (close) res.writeHeader('connection', 'close');
    res.onWritable(send);
    send(0);
  }

  /** The connection may have been lost while the end was written. */
  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.progressed(0);
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.gone();
  }
}
