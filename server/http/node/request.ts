/**
 * One request of node:http. The socket gets a stream or a large body at its own pace. A reply ends when the socket has
 * accepted everything.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AdapterRequest, isBodiless, type ReplyListener } from '../adapter.ts';
import type { HeaderLines } from '../cors.ts';
import type { Call, Reply } from '../route.ts';
import { clientOf, hostFault, readHeaders } from './request-parts.ts';
import { readTarget } from './target.ts';

/** Bytes from which a body is passed to the socket in parts, and size of a part. */
const largeBody = 64 * 1024;

/** A client that accepts nothing for this long is cut. */
export const STALLED_MS = 10_000;

export class NodeRequest implements AdapterRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly fault: string | undefined;

  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** `isLast`: the connection ends with the next reply. */
  readonly #connection: { isLast: boolean };
  readonly #awaitsContinue: boolean;
  #listener: ReplyListener | undefined;
  #isOver = false;

  constructor(req: IncomingMessage, res: ServerResponse, connection: { isLast: boolean }, awaitsContinue: boolean) {
    const target = readTarget(req.url ?? '');
    this.#req = req;
    this.#res = res;
    this.#connection = connection;
    this.#awaitsContinue = awaitsContinue;
    this.method = req.method ?? '';
    this.path = target.path;
    this.query = target.query;
    this.headers = readHeaders(req, target);
    this.fault = hostFault(req, target, this.headers);
    res.on('finish', () => this.#finish());
    req.on('error', ignore);
    res.on('error', ignore);
  }

  get client(): Call['client'] {
    return clientOf(this.#req.socket);
  }

  /** Whether its body is complete. */
  get isWhole(): boolean {
    return this.#req.complete;
  }

  get isAnswered(): boolean {
    return this.#res.headersSent;
  }

  attach(listener: ReplyListener): void {
    this.#listener = listener;
  }

  read(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    if (this.#isOver) return;
    if (this.#awaitsContinue) this.#res.writeContinue();
    let left = Number(this.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    let isWhole = false;
    this.#req.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      isWhole = left === 0;
      take(chunk, isWhole);
    });
    this.#req.on('end', () => {
      if (!isWhole) take(nothing, true);
    });
  }

  waitLonger(): void {}

  /** Its socket has room again. The library reports this unless the connection is detached. */
  drained(): void {
    this.#res.emit('drain');
  }

  send(reply: Reply, lines: HeaderLines, close: boolean): void {
    if (this.#isOver) return;
    if (close) this.#connection.isLast = true;
    const { body } = reply;
    if (isBodiless(this.method, reply.status)) {
      this.#writeHead(reply, lines, undefined, close);
      this.#end();
    } else {
      const length = body === undefined ? 0 : Buffer.byteLength(body);
      this.#writeHead(reply, lines, length, close);
      if (length < largeBody) this.#end(body);
      else this.#sendLarge(typeof body === 'string' ? Buffer.from(body) : body!);
    }
  }

  begin(reply: Reply, lines: HeaderLines, write: () => void): void {
    if (this.#isOver) return;
    this.#writeHead(reply, lines, reply.content?.length, false);
    this.#res.on('drain', () => {
      this.#hasMoved();
      this.#listener?.drained();
    });
    write();
  }

  write(piece: string | Buffer): boolean {
    if (this.#isOver) return true;
    const hasRoom = this.#res.write(piece);
    if (!hasRoom) this.#isStalled();
    return hasRoom;
  }

  end(): void {
    if (!this.#isOver) this.#end();
  }

  /** A body without length in HTTP/1.0 ends with its connection: only a reset shows that it is incomplete. */
  cut(): void {
    if (this.#isOver) return;
    const { socket, httpVersion } = this.#req;
    this.lose();
    if (httpVersion === '1.0') socket.resetAndDestroy();
    else socket.destroy();
  }

  /** The connection has ended. */
  lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.gone();
  }

  #writeHead({ status, headers }: Reply, lines: HeaderLines, length: number | undefined, close: boolean): void {
    const head: string[] = [];
    for (const name in headers) head.push(name, bytesOf(headers[name]!));
    for (const [name, value] of lines) head.push(name, bytesOf(value));
    if (length !== undefined) head.push('content-length', String(length));
    if (close) head.push('connection', 'close');
    this.#res.writeHead(status, head);
  }

  #sendLarge(body: Buffer): void {
    let offset = 0;
    const more = (): void => {
      this.#hasMoved();
      while (!this.#isOver && offset + largeBody < body.length) {
        const hasRoom = this.#res.write(body.subarray(offset, offset + largeBody));
        offset += largeBody;
        if (!hasRoom) {
          this.#isStalled();
          this.#listener?.progressed(body.length - offset);
          return;
        }
      }
      if (!this.#isOver && !this.#res.writableEnded) this.#end(body.subarray(offset));
    };
    this.#res.on('drain', more);
    more();
  }

  #end(body?: string | Buffer): void {
    this.#res.end(body);
    const { writableLength } = this.#req.socket;
    if (writableLength === 0) this.#finish();
    else {
      this.#isStalled();
      this.#listener?.progressed(writableLength);
    }
  }

  #isStalled(): void {
    this.#req.socket.setTimeout(STALLED_MS);
  }

  #hasMoved(): void {
    if (!this.#isOver) this.#req.socket.setTimeout(0);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener?.progressed(0);
  }
}

const nothing = Buffer.alloc(0);

const ignore = (): void => {};

const isAscii = /^[\0-\x7f]*$/;

/** As UTF-8, where node:http would write Latin-1 or throw. */
const bytesOf = (value: string): string => (isAscii.test(value) ? value : Buffer.from(value).toString('latin1'));
