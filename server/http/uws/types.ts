/**
 * The part of uWebSockets.js that we use, as in version 20.51 and later. The packages with bindings have no type
 * declarations. Optional members are missing in the older version.
 */

type Text = string | ArrayBuffer | Uint8Array;

/** Valid until the callback that received it returns; any later call throws. */
export interface HttpRequest {
  /** As sent: methods are case-sensitive. */
  getCaseSensitiveMethod(): string;
  /** Path without the query, still percent-encoded. */
  getUrl(): string;
  /** Without the question mark; undefined without a query. */
  getQuery(): string | undefined;
  /** First line of that name, trimmed; `''` for an absent header and for an empty one. */
  getHeader(lowerCaseName: string): string;
  forEach(visit: (lowerCaseName: string, value: string) => void): void;
  /** True passes the request to the next matching handler. */
  setYield(pass: boolean): HttpRequest;
}

/** Valid until it was ended, closed or aborted; any later call throws. */
export interface HttpResponse {
  /** Must be the first call, e.g. `404 Not Found`. Default `200 OK`. */
  writeStatus(line: string): HttpResponse;
  /** Writes both as they are: a line break in them would start a new header. */
  writeHeader(name: string, value: string): HttpResponse;
  /** Starts or continues a chunked body. False: the chunk was queued, wait for `onWritable`. */
  write(chunk: Text): boolean;
  /** Copies the bytes that the socket does not accept at once. */
  end(body?: Text, closeConnection?: boolean): HttpResponse;
  /** A length other than 0 leaves the response open for ever, so only 0 is allowed (20.51). */
  endWithoutBody(reportedLength?: 0, closeConnection?: boolean): HttpResponse;
  /** Writes as much of the body as the socket accepts: `[everything was written, response has ended]`. */
  tryEnd(rest: Text, totalSize: number): [boolean, boolean];
  /** Bytes of the body that were sent so far. Return false if bytes are left again. */
  onWritable(more: (offset: number) => boolean): HttpResponse;
  /** A chunk is only valid during the call. */
  onData(take: (chunk: ArrayBuffer, isLast: boolean) => void): HttpResponse;
  onAborted(listener: () => void): HttpResponse;
  /** Everything that is written inside is sent in one piece. */
  cork(write: () => void): HttpResponse;
  /** Ends the connection at once; the abort listener runs inside this call. */
  close(): HttpResponse;
  pause(): void;
  /** Also restarts the timeout for a slow request body. */
  resume(): void;
  /** 4 or 16 bytes. */
  getRemoteAddress(): ArrayBuffer;
  getRemotePort?(): number;
  upgrade<Data>(data: Data, key: string, protocol: string, extensions: string, context: UpgradeContext): void;
}

/** Native, opaque. */
type UpgradeContext = { readonly upgradeContext: unique symbol };
/** Native, opaque. */
export type ListenSocket = { readonly listenSocket: unique symbol };

/** `getUserData()` returns the value that was passed to `upgrade`. */
export interface WebSocket<Data> {
  getUserData(): Data;
  /** 0: queued, 1: sent, 2: dropped because the queue is full. */
  send(message: Text, isBinary?: boolean, compress?: boolean): 0 | 1 | 2;
  getBufferedAmount(): number;
  ping(message?: Text): 0 | 1 | 2;
  /** Sends a close frame. */
  end(code?: number, reason?: Text): void;
  /** Drops the connection without a close frame. */
  close(): void;
  cork(write: () => void): WebSocket<Data>;
  getRemoteAddress(): ArrayBuffer;
}

export interface WebSocketBehavior<Data> {
  /** 0: no compression. */
  compression?: 0;
  /** Bytes; a longer message ends the connection. Default 16_384. */
  maxPayloadLength?: number;
  /** Seconds without any traffic after which the connection ends. Default 120. */
  idleTimeout?: number;
  /** Bytes queued before messages are dropped. Default 65_536. */
  maxBackpressure?: number;
  closeOnBackpressureLimit?: boolean;
  sendPingsAutomatically?: boolean;
  upgrade?(res: HttpResponse, req: HttpRequest, context: UpgradeContext): void;
  open?(socket: WebSocket<Data>): void;
  message?(socket: WebSocket<Data>, message: ArrayBuffer, isBinary: boolean): void;
  drain?(socket: WebSocket<Data>): void;
  close?(socket: WebSocket<Data>, code: number, reason: ArrayBuffer): void;
}

export interface App {
  any(pattern: string, handler: (res: HttpResponse, req: HttpRequest) => void): App;
  ws<Data>(pattern: string, behavior: WebSocketBehavior<Data>): App;
  /** Called with 1 for each connection, and with -1 when it has ended, unless it has become a socket. */
  filter(changed: (res: HttpResponse, change: 1 | -1) => void): App;
  /** Calls back before it returns; false if the address cannot be used, without saying why. */
  listen(host: string, port: number, options: number, listening: (socket: ListenSocket | false) => void): App;
  /** Ends every connection at once. */
  close(): App;
}

export interface Uws {
  App(): App;
  us_listen_socket_close(socket: ListenSocket): void;
  us_socket_local_port(socket: ListenSocket): number;
}
