/** Sockets by the package `ws`. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type AcceptedSocket,
  type AdapterSocket,
  refusalBody,
  type SocketKind,
  type SocketReader,
} from '../adapter.ts';
import type { Connection } from './connection.ts';
import { clientOf, hostFault, readHeaders } from './request-parts.ts';
import type { Target } from './target.ts';

/** Timeout for the client's close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Of a client's frame. */
const CONTROL_HEAD_BYTES = 6;
/** Memory of one read besides its bytes. */
const READ_COST = 256;
/** Bytes of an incomplete message from which they are reported. A read contains more than one message at times. */
const REPORTED_BYTES = 16 * 1024;

export class NodeSockets {
  readonly #kinds = new Map<string, { kind: SocketKind; server: WebSocketServer }>();
  readonly #cookies = new WeakMap<IncomingMessage, string>();

  constructor(kinds: readonly SocketKind[]) {
    for (const kind of kinds) {
      const server = new WebSocketServer({
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload: kind.maxMessageBytes,
        ...{ closeTimeout: CLOSE_TIMEOUT_MS }, // newer than the type declarations
      });
      server.on('headers', (lines, req) => {
        const cookie = this.#cookies.get(req);
        if (cookie !== undefined) lines.push(`set-cookie: ${cookie}`);
      });
      this.#kinds.set(kind.path, { kind, server });
    }
  }

  /** Whether the request opens a socket. Any other is answered like a request without `Upgrade`. */
  opens({ method, headers }: IncomingMessage, { path }: Target): boolean {
    return (
      method === 'GET' &&
      headers.upgrade?.toLowerCase() === 'websocket' &&
      headers['sec-websocket-key']?.length === 24 &&
      this.#kinds.has(path)
    );
  }

  open(req: IncomingMessage, target: Target, socket: Socket, first: Buffer, connection: Connection): void {
    const { kind, server } = this.#kinds.get(target.path)!;
    const headers = readHeaders(req, target);
    const fault = hostFault(req, target, headers);
    const accepted =
      fault === undefined
        ? kind.accept({ headers, query: target.query, client: clientOf(socket) })
        : { status: 400, detail: fault };
    if ('status' in accepted) {
      const { status, detail } = accepted;
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      connection.refuse({ status, headers, body: refusalBody(detail) });
      return;
    }
    if (accepted.cookie !== undefined) this.#cookies.set(req, accepted.cookie);
    server.handleUpgrade(req, socket, first, (opened) => {
      connection.upgraded = new NodeSocket(opened, socket, kind, accepted);
    });
  }
}

class NodeSocket implements AdapterSocket {
  readonly #opened: WebSocket;
  readonly #socket: Socket;
  readonly #maxUnsentBytes: number;
  readonly #idleTimeoutMs: number;
  #idle: NodeJS.Timeout | undefined;
  readonly #reader: SocketReader;
  #isClosed = false;
  /** A sent message is still waiting. */
  #isFull = false;
  /** Received since the last complete message. */
  #unfinished = 0;
  #isReported = false;
  /** Of the present read: whether it completes a message, and bytes of its control frames. */
  #isComplete = false;
  #controlBytes = 0;

  constructor(opened: WebSocket, socket: Socket, kind: SocketKind, accepted: AcceptedSocket) {
    this.#opened = opened;
    this.#socket = socket;
    this.#maxUnsentBytes = kind.maxUnsentBytes;
    this.#idleTimeoutMs = kind.idleTimeoutMs;
    this.#isHeard();
    socket.on('data', (bytes) => {
      this.#isHeard();
      this.#received(bytes.length);
    });
    opened.on('error', ignore); // violations of the protocol also close the socket
    opened.on('message', (bytes, isBinary) => {
      this.#isComplete = true;
      if (!this.#isClosed) this.#reader.message(bytes as Buffer, isBinary);
    });
    opened.on('ping', (data) => this.#control(data));
    opened.on('pong', (data) => this.#control(data));
    opened.on('close', () => this.#close());
    this.#reader = accepted.open(this);
    if (this.#isClosed) this.#reader.closed(); // it was cut inside
  }

  get unsent(): number {
    return this.#isClosed ? Number.POSITIVE_INFINITY : this.#opened.bufferedAmount;
  }

  send(messages: readonly string[]): void {
    if (this.#isClosed) return;
    this.#socket.cork();
    for (const message of messages) {
      if (this.unsent <= this.#maxUnsentBytes) this.#opened.send(message, this.#sent);
    }
    this.#socket.uncork();
    this.#isFull = this.unsent > 0;
  }

  ping(): void {
    if (!this.#isClosed) this.#opened.ping();
  }

  end(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#opened.close(code, reason);
    this.#close();
  }

  cut(): void {
    this.#opened.terminate();
    this.#close();
  }

  readonly #sent = (): void => {
    if (!this.#isFull || this.unsent > 0) return;
    this.#isFull = false;
    this.#reader.drained();
  };

  #isHeard(): void {
    clearTimeout(this.#idle);
    if (!this.#isClosed) this.#idle = setTimeout(() => this.cut(), this.#idleTimeoutMs);
  }

  #control({ length }: Buffer): void {
    this.#controlBytes += CONTROL_HEAD_BYTES + length;
  }

  /** The library has taken these bytes already, and has emitted what they complete. */
  #received(length: number): void {
    const more = length - this.#controlBytes;
    if (this.#isComplete) this.#unfinished = 0;
    else if (more > 0) this.#unfinished += more + READ_COST;
    this.#isComplete = false;
    this.#controlBytes = 0;
    const bytes = this.#unfinished < REPORTED_BYTES ? 0 : this.#unfinished;
    if (this.#isClosed || (bytes === 0 && !this.#isReported)) return;
    this.#isReported = bytes > 0;
    this.#reader.unfinished?.(bytes);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#reader?.closed();
  }
}

const ignore = (): void => {};
