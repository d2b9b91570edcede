/**
 * What the server needs of a library that speaks HTTP. Two adapters implement it, in `uws/` and `node/`; no other file
 * knows either library. A third, in `web/`, serves within another server. One contract suite runs on all three.
 */
import type { HeaderLines } from './cors.ts';
import type { Call, Reply } from './route.ts';

export const adapterNames = ['uws', 'node'] as const;
export type AdapterName = (typeof adapterNames)[number];

export interface Adapter {
  /** `web`: within another server, see `createHandler`. */
  readonly name: AdapterName | 'web';
  create(options: AdapterOptions): AdapterServer;
}

export interface AdapterOptions {
  /** Bytes that all headers of a request may have together; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** Milliseconds that a request body may take. The server keeps the time; an adapter only has to wait as long. */
  readonly requestTimeoutMs: number;
  readonly sockets: readonly SocketKind[];
  /** Called once, if a connection has ended before a request of it could be read, and the library does not say why. */
  onUnread(): void;
  /** Called for each request that opens no socket. It calls `request.attach` first, and never throws. */
  serve(request: AdapterRequest): void;
}

export interface AdapterServer {
  /**
   * Listens on this name or address; `localhost` is all of its addresses, and port 0 a free one. Rejects with an error that
   * names host, port and reason.
   */
  listen(host: string, port: number): Promise<Bound>;
  /** Ends every connection at once. All of them are gone when it returns. */
  close(): void;
}

export interface Bound {
  readonly port: number;
  /** Stops listening. Open connections stay. */
  unbind(): void;
}

/**
 * One request on its connection: what it says, and the ways to answer it. It is answered once: by `send`, by `begin`, or not
 * at all. After the end of the reply, and after `gone`, every call is ignored.
 */
export interface AdapterRequest {
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** Without the query, percent-encoded. */
  readonly path: string;
  /** Without the question mark; `''` if there is none. Readable until the reply, as `headers` are. */
  readonly query: string;
  /** See `Call.headers`. Always the same object. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why the request cannot be taken as it came, e.g. bytes that the library has lost. */
  readonly fault: string | undefined;
  /** The other end of the connection. */
  readonly client: Call['client'];
  /** Who learns how the reply gets on. */
  attach(listener: ReplyListener): void;

  /** Passes on the body as it comes. `chunk` is valid during the call only. */
  read(take: (chunk: Uint8Array, isLast: boolean) => void): void;
  /** The server waits for more of the body: a library that would end a slow connection starts its clock again. */
  waitLonger(): void;

  /** A whole reply, which leaves in one piece if it is small. `close` ends the connection after it. */
  send(reply: Reply, lines: HeaderLines, close: boolean): void;
  /** The head of a reply whose body comes over time. It leaves together with what `write` does first. */
  begin(reply: Reply, lines: HeaderLines, write: () => void): void;
  /** False: the socket is full. This piece will arrive all the same, and `drained` is called when there is room. */
  write(piece: string): boolean;
  /** Ends the body of a reply that was begun; `progressed` is called as for `send`. */
  end(): void;
  /** Ends the connection at once, whatever was written: `gone` is called before it returns. */
  cut(): void;
}

export interface ReplyListener {
  /** After `send` or `end`: bytes that are still in memory for the client. 0 is the end, and may come before the call returns. */
  progressed(unsentBytes: number): void;
  /** Of a reply that was begun. */
  drained(): void;
  /** The connection ended before the reply did. Called once, and nothing is called after it. */
  gone(): void;
}

/** Sockets at one path. None of its functions throws. */
export interface SocketKind {
  readonly path: string;
  /** Bytes; a longer message ends the connection. */
  readonly maxMessageBytes: number;
  /** Bytes that may wait to be sent; a message beyond them is dropped. */
  readonly maxUnsentBytes: number;
  /** Silence, pongs included, after which the connection ends. */
  readonly idleTimeoutMs: number;
  /** Decides at once about a request to open a socket. */
  accept(handshake: Handshaken): SocketRefusal | AcceptedSocket;
}

/** A request to open a socket. */
export interface Handshaken {
  /** See `Call.headers`. The receiver owns the object, and may add to it. */
  readonly headers: Record<string, string>;
  /** Without the question mark; `''` if there is none. */
  readonly query: string;
  readonly client: Call['client'];
}

export interface SocketRefusal {
  readonly status: number;
  readonly detail: string;
}

export interface AcceptedSocket {
  /** Sent along with the acceptance. */
  readonly cookie?: string | undefined;
  /** Called when the socket is open; not at all if the client has gone before. It may cut the socket. */
  open(socket: AdapterSocket): SocketReader;
}

/** After `closed`, every call is ignored. */
export interface AdapterSocket {
  /** Bytes that have not left yet; infinite after `closed`. */
  readonly unsent: number;
  /** Leave in one piece. */
  send(messages: readonly string[]): void;
  ping(): void;
  /** Sends a close frame, after all messages, and ends the connection. */
  end(code: number, reason: string): void;
  /** Ends the connection at once. */
  cut(): void;
}

export interface SocketReader {
  /** `bytes` is valid during the call only. */
  message(bytes: Buffer, isBinary: boolean): void;
  /** Something that waited to be sent has left. */
  drained(): void;
  /** Called once, and nothing is called after it. */
  closed(): void;
}

/** A reply that has no body, whatever its route gives. */
export const isBodiless = (method: string, status: number): boolean =>
  method === 'HEAD' || status === 204 || status === 304;

/** The body of the refusal of a socket. */
export const refusalBody = (detail: string): string => JSON.stringify({ detail });
