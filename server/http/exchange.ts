/**
 * One request and its reply, between a route and an adapter. A reply is checked first and then passed to the adapter,
 * once. After it, or after a disconnect, the adapter's request is not touched.
 */
import { heapBytesOf } from '../../runtime/index.ts';
import { type AdapterRequest, isBodiless, type ReplyListener } from './adapter.ts';
import { type AddedHeaders, linesFor } from './added-headers.ts';
import type { Holder } from './backlog.ts';
import { sendContent } from './content.ts';
import type { HeaderLines } from './cors.ts';
import type { Host } from './host.ts';
import { PIECE, pieceEnd } from './pieces.ts';
import { replyFault } from './reply-fault.ts';
import { type Call, type Reply, type Sink, unknownClient } from './route.ts';

const noParams: Readonly<Record<string, string>> = {};

export class Exchange implements Call, Sink, Holder, ReplyListener, AddedHeaders {
  readonly method: string;
  readonly path: string;
  fullPath: string;
  params = noParams;
  body: Buffer | undefined = undefined;
  extraHeaders: HeaderLines = [];
  exposed: readonly string[] = [];
  isPublic = false;

  readonly #host: Host;
  /** Undefined after the reply, and after a disconnect. */
  #request: AdapterRequest | undefined;
  #state: 'called' | 'sending' | 'streaming' | 'replied' | 'gone' = 'called';
  /** Whether it continues after its callback. */
  #isDeferred = false;
  #headers: Call['headers'] | undefined;
  #query: string | undefined;
  #client: Call['client'] | undefined;
  #abort: AbortController | undefined;
  #listeners: (() => void)[] | undefined;
  #onDrain: (() => void) | undefined;
  /** For a stream: unwritten text, and whether the socket has room. */
  #rest = '';
  #isFull = false;
  /** The stream ends once the socket has accepted everything. */
  #isEnding = false;

  constructor(host: Host, request: AdapterRequest, path: string) {
    this.#host = host;
    this.#request = request;
    this.method = request.method;
    this.path = path;
    this.fullPath = path;
    request.attach(this);
  }

  get headers(): Call['headers'] {
    return (this.#headers ??= this.#unanswered().headers);
  }

  get query(): string {
    return (this.#query ??= this.#unanswered().query);
  }

  get client(): Call['client'] {
    if (this.#client !== undefined) return this.#client;
    if (this.#request === undefined) return unknownClient;
    const { client } = this.#request;
    return (this.#client = this.#host.network?.clientOf(client, this.headers) ?? client);
  }

  get address(): string {
    return this.client.host;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.isGone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }

  onGone(listener: () => void): void {
    if (this.isGone) listener();
    else if (this.#state !== 'replied') (this.#listeners ??= []).push(listener);
  }

  /** The reply comes after the callback. */
  defer(): void {
    if (this.#isDeferred || this.#request === undefined) return;
    this.#headers = this.headers;
    this.#query = this.query;
    this.#isDeferred = true;
    this.#host.opened();
  }

  /** Has no effect after a reply or a disconnect. `close` ends the connection after it. */
  reply(reply: Reply, close = this.#host.draining): void {
    const fault = replyFault(reply);
    const sound = fault === undefined ? reply : this.#host.problem(new TypeError(fault));
    const request = this.#request;
    const content = (reply as Reply | undefined)?.content; // any value may come from a route
    if (this.#state !== 'called' || request === undefined) {
      content?.close();
      return;
    }
    if (close) this.defer();
    const lines = linesFor(sound, this);
    const hasBody = !isBodiless(this.method, sound.status);
    if (content !== undefined && hasBody && sound === reply) {
      this.#stream(request, sound, (sink) => sendContent(content, sink), lines);
    } else if (sound.stream !== undefined && hasBody) {
      this.#stream(request, sound, sound.stream, lines);
    } else {
      content?.close();
      this.#state = 'sending';
      request.send(sound, lines, close);
      if (this.#state === 'sending') this.defer();
    }
  }

  fail(thrown: unknown): void {
    if (this.#state === 'streaming') {
      this.#host.report(thrown);
      this.cut();
    } else if (!this.isGone) this.reply(this.#host.problem(thrown));
    else if (!(thrown instanceof Error && thrown.name === 'AbortError')) this.#host.report(thrown);
  }

  /** Ends the connection at once, whatever was written. */
  cut(): void {
    this.#request?.cut(); // `gone` is called inside
  }

  write(piece: string | Buffer): boolean {
    if (this.#state !== 'streaming' || this.#isEnding || piece.length === 0) return true;
    if (typeof piece !== 'string') return this.#writeBytes(piece);
    this.#rest += piece;
    this.#flush();
    return !this.#isFull;
  }

  #writeBytes(piece: Buffer): boolean {
    this.#isFull = !this.#request!.write(piece);
    if (this.#state === 'streaming' && this.#isFull) this.#host.unsent.hold(this, piece.length);
    return !this.#isFull;
  }

  end(): void {
    if (this.#state !== 'streaming') return;
    this.#isEnding = true;
    if (!this.#isFull) this.#endStream();
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  progressed(unsentBytes: number): void {
    if (unsentBytes === 0) this.#finish('replied');
    else this.#host.unsent.hold(this, unsentBytes);
  }

  drained(): void {
    this.#isFull = false;
    this.#flush();
    if (this.#isFull || this.#state !== 'streaming') return;
    if (this.#isEnding) this.#endStream();
    else if (this.#onDrain !== undefined) this.#run(this.#onDrain);
  }

  gone(): void {
    if (!this.#isOpen()) return;
    const listeners = this.#listeners ?? [];
    this.#finish('gone');
    this.#abort?.abort();
    for (const listener of listeners) this.#run(listener);
  }

  #unanswered(): AdapterRequest {
    if (this.#request === undefined) throw new Error('a request must be read before `handle` has replied');
    return this.#request;
  }

  #isOpen(): boolean {
    return this.#state !== 'replied' && this.#state !== 'gone';
  }

  /** Written bytes cannot be taken back: if the stream fails to begin, the connection ends. */
  #stream(request: AdapterRequest, reply: Reply, begin: (sink: Sink) => void, lines: HeaderLines): void {
    this.defer();
    this.#state = 'streaming';
    this.body = undefined;
    request.begin(reply, lines, () => {
      try {
        begin(this);
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Writes what the socket accepts. The rest waits here and not in the adapter, which would copy it. */
  #flush(): void {
    let offset = 0;
    while (offset < this.#rest.length && !this.#isFull) {
      const end = pieceEnd(this.#rest, offset + PIECE);
      const piece = offset === 0 && end === this.#rest.length ? this.#rest : this.#rest.slice(offset, end);
      this.#isFull = !this.#request!.write(piece);
      if (this.#state !== 'streaming') return;
      offset = end;
    }
    this.#rest = this.#rest.slice(offset);
    if (this.#isFull) this.#host.unsent.hold(this, heapBytesOf(this.#rest) + PIECE);
    else this.#host.unsent.release(this);
  }

  #endStream(): void {
    this.#state = 'sending';
    this.#request!.end();
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
    if (this.#isDeferred) this.#host.unsent.release(this);
    this.#state = state;
    this.#rest = '';
    this.#request = undefined;
    this.#onDrain = undefined;
    this.#listeners = undefined;
    this.body = undefined; // the body was read; a run may keep the exchange for its headers
    if (this.#isDeferred) this.#host.closed();
  }
}
