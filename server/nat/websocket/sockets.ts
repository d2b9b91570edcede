/**
 * The sockets of a server: what uWS calls, and how many there are. Promises to uWS:
 *
 * W1  An upgrade is decided before its callback returns: so nothing of the request is touched later.
 * W2  After `close` a socket is never touched again.
 * W3  Messages are copied before the callback returns: uWS frees them then.
 */

import { Allowance } from '../../http/allowance.ts';
import type { Cors } from '../../http/cors.ts';
import type { Host } from '../../http/exchange.ts';
import type { Network } from '../../http/network.ts';
import type { App, WebSocket, WebSocketBehavior } from '../../http/uws-types.ts';
import { guestCookie, readGuest } from '../../identity/guest.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import { type Handshake, readHandshake } from './handshake.ts';
import { drainedLater, guarded, OpenSockets, refuse, upgrade } from './open-sockets.ts';
import type { Sink } from './view.ts';

export interface SocketOptions {
  /** Bytes a message may have; a longer one is answered with an error. Default 16_777_216. */
  readonly maxMessageBytes: number;
  /** Messages a client may send on average; ten times as many at once. Beyond it they are dropped. Default 20. */
  readonly messagesPerSecond: number;
  /** Silence after which a client that does not even answer pings is gone: 8_000 to 960_000. Default 120_000. */
  readonly idleTimeoutMs: number;
}

export interface SocketRoute extends ConnectionDeps {
  readonly path: string;
  readonly network: Network;
}

/** What sockets need of the HTTP server they are part of. */
export interface SocketHost {
  readonly cors: Cors | undefined;
  readonly host: Pick<Host, 'draining' | 'opened' | 'closed' | 'report'>;
}

type Live = {
  readonly handshake: Handshake;
  readonly allowance: Allowance;
  /** From `open` on. */
  sink: SocketSink | undefined;
  connection: Connection | undefined;
};

/** Beyond it uWS drops what is sent: only answers to a client who sends and does not read get there. */
const MAX_UNSENT = 1024 * 1024;

/** Bytes beyond the limit that are read all the same. */
const MORE_READ = 1024 * 1024;

/** uWS counts bytes in 32 bits. */
const MAX_READ = 2 ** 31;

export class Sockets {
  readonly #routes: readonly SocketRoute[];
  readonly #options: SocketOptions;
  readonly #open: OpenSockets<Live>[] = [];

  constructor(routes: readonly SocketRoute[], options: SocketOptions) {
    this.#routes = routes;
    this.#options = options;
  }

  mount(app: App, rootPath: string, part: SocketHost): void {
    for (const route of this.#routes) {
      for (const prefix of new Set(['', rootPath])) {
        const path = prefix + route.path;
        app.ws(path, guarded(this.#behavior({ ...route, path }, part), part.host));
      }
    }
  }

  /** Says goodbye to all clients. */
  close(): void {
    for (const open of this.#open) open.close();
  }

  #behavior(route: SocketRoute, { host, cors }: SocketHost) {
    const { maxMessageBytes, messagesPerSecond, idleTimeoutMs } = this.#options;
    const { runtime } = route;
    const open = new OpenSockets<Live>((ms, run) => runtime.after(ms, run));
    this.#open.push(open);
    return {
      compression: 0,
      // More is read, so that the client can be told.
      maxPayloadLength: Math.min(maxMessageBytes + Math.min(maxMessageBytes, MORE_READ), MAX_READ),
      maxBackpressure: MAX_UNSENT,
      idleTimeout: Math.min(960, Math.max(8, Math.ceil(idleTimeoutMs / 1000))),
      sendPingsAutomatically: true,
      upgrade(res, req, context) {
        const handshake = readHandshake(res, req, { path: route.path, cors, network: route.network });
        if (host.draining) refuse(res, '503 Service Unavailable', 'The server is shutting down.');
        else if ('detail' in handshake) refuse(res, handshake.status, handshake.detail);
        else {
          const allowance = new Allowance(messagesPerSecond, runtime.now());
          const cookie = readGuest(handshake.headers) === undefined ? guestCookie(handshake.guest) : undefined;
          upgrade(res, req, context, { handshake, allowance, sink: undefined, connection: undefined }, cookie);
        }
      },
      open(socket) {
        open.add(socket);
        host.opened();
        const live = socket.getUserData();
        live.sink = new SocketSink(socket);
        live.connection = new Connection(route, live.handshake, live.sink);
      },
      message(socket, message, isBinary) {
        const { connection, allowance } = socket.getUserData();
        const allowed = allowance.take(runtime.now());
        if (allowed === 'last') connection?.refuse(`More than ${messagesPerSecond} messages a second are dropped.`);
        if (allowed !== 'granted') return;
        if (isBinary) connection?.refuse('Binary messages are not understood.');
        else if (message.byteLength > maxMessageBytes) {
          connection?.refuse(`A message may have ${maxMessageBytes} bytes at most.`);
        } else connection?.heard(Buffer.from(message).toString()); // W3
      },
      drain(socket) {
        drainedLater(socket.getUserData().connection, host);
      },
      close(socket) {
        open.delete(socket);
        const { connection, sink } = socket.getUserData();
        sink?.closed(); // W2
        connection?.closed();
        host.closed();
      },
    } satisfies WebSocketBehavior<Live>;
  }
}

class SocketSink implements Sink {
  #socket: WebSocket<Live> | undefined;

  constructor(socket: WebSocket<Live>) {
    this.#socket = socket;
  }

  get isClear(): boolean {
    return this.#socket?.getBufferedAmount() === 0;
  }

  send(messages: readonly string[]): void {
    const socket = this.#socket;
    socket?.cork(() => {
      for (const message of messages) socket.send(message);
    });
  }

  close(code: number, reason: string): void {
    this.#socket?.end(code, reason);
  }

  closed(): void {
    this.#socket = undefined;
  }
}
