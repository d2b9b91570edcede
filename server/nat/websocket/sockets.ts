/** The sockets on which conversations are led: what is accepted, and how much a client may send. */

import type { AdapterSocket, Handshaken, SocketKind, SocketReader } from '../../http/adapter.ts';
import { Allowance } from '../../http/allowance.ts';
import type { Network } from '../../http/network.ts';
import { type MountedSockets, OpenSockets, type SocketHost } from '../../http/sockets.ts';
import { guestCookie, readGuest } from '../../identity/guest.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import { type Handshake, readHandshake } from './handshake.ts';

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

/** Beyond it messages are dropped: only answers to a client who sends and does not read get there. */
const MAX_UNSENT = 1024 * 1024;

/** Bytes beyond the limit that are read all the same, so that the client can be told. */
const MORE_READ = 1024 * 1024;

export class Sockets implements MountedSockets {
  readonly #routes: readonly SocketRoute[];
  readonly #options: SocketOptions;
  readonly #open: OpenSockets[] = [];

  constructor(routes: readonly SocketRoute[], options: SocketOptions) {
    this.#routes = routes;
    this.#options = options;
  }

  kinds(rootPath: string, part: SocketHost): SocketKind[] {
    return this.#routes.flatMap((route) =>
      [...new Set(['', rootPath])].map((prefix) => this.#kind({ ...route, path: prefix + route.path }, part)),
    );
  }

  /** Says goodbye to all clients. */
  close(): void {
    for (const open of this.#open) open.close();
  }

  #kind(route: SocketRoute, { host, cors }: SocketHost): SocketKind {
    const { maxMessageBytes, idleTimeoutMs } = this.#options;
    const open = new OpenSockets((ms, run) => route.runtime.after(ms, run));
    this.#open.push(open);
    const kind: SocketKind = {
      path: route.path,
      maxMessageBytes: maxMessageBytes + Math.min(maxMessageBytes, MORE_READ),
      maxUnsentBytes: MAX_UNSENT,
      idleTimeoutMs,
      accept: (given) => this.#accept(route, given, cors),
    };
    return open.hold(kind, host);
  }

  #accept(route: SocketRoute, given: Handshaken, cors: SocketHost['cors']): ReturnType<SocketKind['accept']> {
    const handshake = readHandshake(given, { path: route.path, cors, network: route.network });
    if ('detail' in handshake) return handshake;
    const cookie = readGuest(handshake.headers) === undefined ? guestCookie(handshake.guest) : undefined;
    return { cookie, open: (socket) => new Talk(route, handshake, socket, this.#options) };
  }
}

/** What a client says on one socket. */
class Talk implements SocketReader {
  readonly #route: SocketRoute;
  readonly #options: SocketOptions;
  readonly #connection: Connection;
  readonly #allowance: Allowance;

  constructor(route: SocketRoute, handshake: Handshake, socket: AdapterSocket, options: SocketOptions) {
    this.#route = route;
    this.#options = options;
    this.#allowance = new Allowance(options.messagesPerSecond, route.runtime.now());
    this.#connection = new Connection(route, handshake, {
      get isClear() {
        return socket.unsent === 0;
      },
      send: (messages) => socket.send(messages),
      close: (code, reason) => socket.end(code, reason),
    });
  }

  message(bytes: Buffer, isBinary: boolean): void {
    const { maxMessageBytes, messagesPerSecond } = this.#options;
    const allowed = this.#allowance.take(this.#route.runtime.now());
    if (allowed === 'last') this.#connection.refuse(`More than ${messagesPerSecond} messages a second are dropped.`);
    if (allowed !== 'granted') return;
    if (isBinary) this.#connection.refuse('Binary messages are not understood.');
    else if (bytes.length > maxMessageBytes) {
      this.#connection.refuse(`A message may have ${maxMessageBytes} bytes at most.`);
    } else this.#connection.heard(bytes.toString());
  }

  drained(): void {
    this.#connection.drained();
  }

  closed(): void {
    this.#connection.closed();
  }
}
