/** One request of the Fetch standard. A stream is written as its reader pulls it. */
import { type AdapterRequest, isBodiless, type ReplyListener } from '../adapter.ts';
import { framingFault } from '../body.ts';
import type { HeaderLines } from '../cors.ts';
import { addHeader, headerBag } from '../header-bag.ts';
import { problem } from '../problem.ts';
import type { Call, Reply } from '../route.ts';

/** The state of a request. `over`: the reply has ended, or never will. */
export interface Outcome {
  reply(response: Response): void;
  fail(reason: unknown): void;
  over(): void;
}

/** Unread bytes of a stream at which it counts as full. */
const HIGH_WATER_BYTES = 64 * 1024;

const encoder = new TextEncoder();

export class WebRequest implements AdapterRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly fault: string | undefined;
  readonly headerBytes: number;
  readonly client: Call['client'];

  readonly #body: ReadableStream<Uint8Array> | null;
  readonly #signal: AbortSignal;
  readonly #outcome: Outcome;
  readonly #leave = (): void => this.#lose();
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #listener: ReplyListener | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isFull = false;
  #isOver = false;

  constructor(request: Request, client: Call['client'], outcome: Outcome) {
    const { pathname, search, host } = new URL(request.url);
    this.method = request.method;
    this.path = pathname;
    this.query = search.slice(1);
    this.#body = request.body;
    this.headers = headersOf(request, host);
    this.fault = codingFault(request);
    this.headerBytes = bytesOf(this.headers);
    this.client = client;
    this.#signal = request.signal;
    this.#outcome = outcome;
  }

  attach(listener: ReplyListener): void {
    this.#listener = listener;
    if (this.#signal.aborted) queueMicrotask(this.#leave);
    else this.#signal.addEventListener('abort', this.#leave, { once: true });
  }

  read(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    void this.#pass(take).catch(this.#leave);
  }

  /** The surrounding server has its own timeouts. */
  waitLonger(): void {}

  send(reply: Reply, lines: HeaderLines): void {
    if (this.#isOver) return;
    const { status, body = '' } = reply;
    const headers = headOf(reply, lines);
    if (isBodiless(this.method, status)) {
      this.#sendWhole(new Response(null, { status, headers }));
      return;
    }
    const length = Buffer.byteLength(body);
    headers.set('content-length', String(length));
    if (length > HIGH_WATER_BYTES)
      this.#sendLarge(typeof body === 'string' ? Buffer.from(body) : body, status, headers);
    else this.#sendWhole(new Response(length === 0 ? null : bodyOf(body), { status, headers }));
  }

  begin(reply: Reply, lines: HeaderLines, write: () => void): void {
    if (this.#isOver) return;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => this.#drain(),
        cancel: this.#leave,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
    );
    const headers = headOf(reply, lines);
    if (reply.content !== undefined) headers.set('content-length', String(reply.content.length));
    this.#outcome.reply(new Response(stream, { status: reply.status, headers }));
    write();
  }

  write(piece: string | Buffer): boolean {
    if (this.#isOver || this.#stream === undefined) return true;
    this.#stream.enqueue(typeof piece === 'string' ? encoder.encode(piece) : new Uint8Array(piece));
    this.#isFull = (this.#stream.desiredSize ?? 0) <= 0;
    return !this.#isFull;
  }

  end(): void {
    if (this.#isOver) return;
    this.#stream?.close();
    this.#finish();
    this.#listener?.progressed(0);
  }

  cut(): void {
    if (this.#isOver) return;
    this.#stream?.error(CUT);
    this.#lose();
  }

  #sendWhole(response: Response): void {
    this.#outcome.reply(response);
    this.#finish();
    this.#listener?.progressed(0);
  }

  /** In pieces, as its reader pulls them: unread bytes count as unsent. */
  #sendLarge(body: Buffer, status: number, headers: Headers): void {
    let sent = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      const piece = body.subarray(sent, sent + HIGH_WATER_BYTES);
      sent += piece.length;
      controller.enqueue(new Uint8Array(piece));
      if (sent === body.length) {
        controller.close();
        this.#finish();
      }
      this.#listener?.progressed(body.length - sent);
    };
    const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
      this.#stream = controller;
    };
    const stream = new ReadableStream<Uint8Array>({ start, pull, cancel: this.#leave }, { highWaterMark: 0 });
    this.#outcome.reply(new Response(stream, { status, headers }));
    this.#listener?.progressed(body.length);
  }

  async #pass(take: (chunk: Uint8Array, isLast: boolean) => void): Promise<void> {
    this.#reader = this.#body?.getReader();
    let isEmpty = Number(this.headers['content-length']) > 0;
    while (!this.#isOver) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (this.#isOver) return;
      if (value !== undefined) isEmpty = false;
      if (done && isEmpty) return this.send(bodyIsRead, []);
      take(value ?? nothing, done);
      if (done) return;
    }
  }

  #drain(): void {
    if (!this.#isFull || this.#isOver) return;
    this.#isFull = false;
    this.#listener?.drained();
  }

  /** The client has disconnected, or was cut. */
  #lose(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#outcome.fail(this.#signal.aborted ? this.#signal.reason : CUT);
    this.#listener?.gone();
  }

  #finish(): void {
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#leave);
    void this.#reader?.cancel().catch(() => {});
    this.#outcome.over();
  }
}

/** For the author of the server around us: a body of which nothing comes was read by a parser, as those of Express do. */
export const bodyIsRead = problem(
  500,
  'Internal Server Error',
  'The body of this request was read before. Call the handler before any middleware that reads bodies.',
);

const CUT = new Error('The connection was cut.');

const nothing = new Uint8Array(0);

const bodyOf = (body: string | Buffer): string | Uint8Array<ArrayBuffer> =>
  typeof body === 'string' ? body : new Uint8Array(body);

/**
 * The headers as on a connection: with a host, and with a length or coding if there is a body. The surrounding server
 * has removed the transfer coding.
 */
const headersOf = (request: Request, host: string): Record<string, string> => {
  const headers = headerBag();
  for (const [name, value] of request.headers) if (name !== 'transfer-encoding') addHeader(headers, name, value);
  headers.host ??= host;
  if (request.body === null) delete headers['content-length'];
  else if (headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  return headers;
};

/** The surrounding server has decoded the body only if it was sent in chunks and nothing else. */
const codingFault = ({ headers }: Request): string | undefined => {
  const coding = headers.get('transfer-encoding');
  return coding === null ? undefined : framingFault({ 'transfer-encoding': coding });
};

const bytesOf = (headers: Readonly<Record<string, string>>): number => {
  let bytes = 0;
  for (const name in headers) bytes += name.length + headers[name]!.length + 4;
  return bytes;
};

const headOf = ({ headers }: Reply, lines: HeaderLines): Headers => {
  const head = new Headers(headers);
  for (const [name, value] of lines) head.append(name, value);
  return head;
};
