/**
 * The interface between the server and an HTTP library. Two adapters implement it, in `uws/` and `node/`; no other file
 * knows these libraries. A third, in `web/`, serves inside another server. One contract suite tests all three.
 */
import type { HeaderLines } from './cors.ts';
import type { Call, Reply } from './route.ts';

export const adapterNames = ['uws', 'node'] as const;
export type AdapterName = (typeof adapterNames)[number];

export interface Adapter {
  /** `web`: inside another server, see `createHandler`. */
  readonly name: AdapterName | 'web';
  create(options: AdapterOptions): AdapterServer;
}

export interface AdapterOptions {
  /** Maximum bytes of all headers of a request; more gets 431. */
  readonly maxHeaderBytes: number;
  /** Timeout of a request body in milliseconds. The server measures the time; an adapter only has to wait as long. */
  readonly requestTimeoutMs: number;
  readonly sockets: readonly SocketKind[];
  /** Called once, if a connection ended before a request could be read, and the library does not say why. */
  onUnread(): void;
  /** Called for each request that opens no socket. It calls `request.attach` first, and never throws. */
  serve(request: AdapterRequest): void;
}

export interface AdapterServer {
  /**
   * Listens on this name or address. `localhost` means all its addresses, port 0 a free port. Rejects with an error
   * that names host, port and reason.
   */
  listen(host: string, port: number): Promise<Bound>;
  /** Ends every connection at once. All have ended when it returns. */
  close(): void;
}

export interface Bound {
  readonly port: number;
  /** Stops listening. Open connections stay. */
  unbind(): void;
}

/**
 * One request on its connection: its content, and the ways to answer it. It is answered once: by `send`, by `begin`, or
 * not at all. After the end of the reply, and after `gone`, every call is ignored.
 */
export interface AdapterRequest {
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** Without the query, percent-encoded. */
  readonly path: string;
  /** Without the question mark; `''` without a query. Readable until the reply, like `headers`. */
  readonly query: string;
  /** See `Call.headers`. Always the same object. */
  readonly headers: Readonly<Record<string, string>>;
  /** Why the request cannot be accepted, for example because the library has lost bytes. */
  readonly fault: string | undefined;
  /** The other end of the connection. */
  readonly client: Call['client'];
  /** Sets the listener for the progress of the reply. */
  attach(listener: ReplyListener): void;

  /** Passes the body on as it arrives. `chunk` is valid during the call only. */
  read(take: (chunk: Uint8Array, isLast: boolean) => void): void;
  /** The server waits for more of the body. A library with its own timeout restarts it. */
  waitLonger(): void;

  /** A complete reply. A small one is sent in one piece. `close` ends the connection after it. */
  send(reply: Reply, lines: HeaderLines, close: boolean): void;
  /** The head of a reply whose body follows. Texts of unknown length, or the bytes of `reply.content`. */
  begin(reply: Reply, lines: HeaderLines, write: () => void): void;
  /** False: the socket is full. This piece is still sent, and `drained` is called when there is room. */
  write(piece: string | Buffer): boolean;
  /** Ends the body of a reply after `begin`. `progressed` is called as for `send`. */
  end(): void;
  /** Ends the connection at once, whatever was written. `gone` is called before it returns. */
  cut(): void;
}

export interface ReplyListener {
  /**
   * After `send` or `end`: bytes that are still in memory for the client. 0 is the end, and may be reported before the
   * call returns.
   */
  progressed(unsentBytes: number): void;
  /** The socket of a reply after `begin` has room again. */
  drained(): void;
  /** The connection ended before the reply. Called once, as the last call. */
  gone(): void;
}

/** Sockets at one path. None of its functions throws. */
export interface SocketKind {
  readonly path: string;
  /** Bytes; a longer message ends the connection. See also `AdapterSocket.maxMessageBytes`. */
  readonly maxMessageBytes: number;
  /** Maximum of unsent bytes; a message beyond it is dropped. */
  readonly maxUnsentBytes: number;
  /** The connection ends after this idle time, pongs included. */
  readonly idleTimeoutMs: number;
  /** Decides synchronously about a request to open a socket. */
  accept(handshake: Handshaken): SocketRefusal | AcceptedSocket;
}

/** A request to open a socket. */
export interface Handshaken {
  /** See `Call.headers`. The receiver owns the object and may add to it. */
  readonly headers: Record<string, string>;
  /** Without the question mark; `''` without a query. */
  readonly query: string;
  readonly client: Call['client'];
}

export interface SocketRefusal {
  readonly status: number;
  readonly detail: string;
}

export interface AcceptedSocket {
  /** The address of the client; `''`, the default, if unknown. */
  readonly address?: string;
  /** Headers of the acceptance. */
  readonly cookie?: string | undefined;
  /** Called when the socket is open; not called if the client has disconnected before. It may cut the socket. */
  open(socket: AdapterSocket): SocketReader;
}

/** After `closed`, every call is ignored. */
export interface AdapterSocket {
  /** Unsent bytes; infinite after `closed`. */
  readonly unsent: number;
  /** Bytes; a longer message ends the connection. Default: that of its kind. It is less while many sockets are open. */
  readonly maxMessageBytes?: number | undefined;
  /** Messages inside are sent in one piece. */
  send(messages: readonly string[]): void;
  ping(): void;
  /** Sends a close frame after all messages, and ends the connection. */
  end(code: number, reason: string): void;
  /** Ends the connection at once. */
  cut(): void;
}

export interface SocketReader {
  /** `bytes` is valid during the call only. */
  message(bytes: Buffer, isBinary: boolean): void;
  /**
   * Bytes in memory of a message that is not complete yet; 0 once it is. Not called by a library that does not report
   * them.
   */
  unfinished?(bytes: number): void;
  /** Unsent bytes were sent. */
  drained(): void;
  /** Called once, as the last call. */
  closed(): void;
}

/** Statuses without a body, whatever a route returns. */
export const isBodiless = (method: string, status: number): boolean =>
  method === 'HEAD' || status === 204 || status === 304;

/** The body of a refused upgrade. */
export const refusalBody = (detail: string): string => JSON.stringify({ detail });
