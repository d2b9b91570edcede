/** The sockets of conversations: upgrades, and limits for messages. */

import type { AdapterSocket, SocketReader } from '../../http/adapter.ts';
import { Allowance } from '../../http/allowance.ts';
import type { SocketRoute } from '../../http/sockets.ts';
import { guestCookie, readGuest } from '../../identity/guest.ts';
import type { ServedWorkflow } from '../../wire/served.ts';
import type { SocketOptions } from '../options.ts';
import type { NatApp } from '../placed.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import { Conversations } from './conversation.ts';
import { type Handshake, readHandshake } from './handshake.ts';
import { inputReader } from './input.ts';

/** Unsent bytes beyond which messages are dropped. Only clients that send without reading reach it. */
const MAX_UNSENT = 1024 * 1024;

/** Bytes beyond the limit that are still read, so that the client gets an error. */
const MORE_READ = 1024 * 1024;

const readOf = (allowed: number): number => allowed + Math.min(allowed, MORE_READ);

/** The inverse of `readOf`. */
const allowedOf = (read: number): number => Math.max(Math.floor(read / 2), read - MORE_READ);

/** Undefined for a workflow without a path for sockets. */
export const socketRoutes = (app: NatApp, served: ServedWorkflow): SocketRoute[] => {
  const { runtime, config, cors, network } = app;
  const { workflow, functionName, paths, setting } = served;
  const { websocketPath: path } = paths;
  if (path === null || path === undefined) return [];
  const options = config.sockets;
  const [conversations, readInput] = [new Conversations(runtime), inputReader(workflow)];
  const deps: ConnectionDeps = { ...app, steps: config.stepAdaptor, workflow, functionName, conversations, readInput };
  return [
    {
      path,
      setting: `${setting}.websocket_path`,
      maxMessageBytes: readOf(options.maxMessageBytes),
      maxUnsentBytes: MAX_UNSENT,
      idleTimeoutMs: options.idleTimeoutMs,
      accept: (given, path) => {
        const handshake = readHandshake(given, { path, cors, network });
        if ('detail' in handshake) return handshake;
        const cookie = readGuest(handshake.headers) === undefined ? guestCookie(handshake.guest) : undefined;
        return { cookie, open: (socket) => new Talk(deps, handshake, socket, options) };
      },
    },
  ];
};

/** Handles the messages of a client on one socket. */
class Talk implements SocketReader {
  readonly #deps: ConnectionDeps;
  readonly #socket: AdapterSocket;
  readonly #options: SocketOptions;
  readonly #connection: Connection;
  readonly #allowance: Allowance;

  constructor(deps: ConnectionDeps, handshake: Handshake, socket: AdapterSocket, options: SocketOptions) {
    this.#deps = deps;
    this.#socket = socket;
    this.#options = options;
    this.#allowance = new Allowance(options.messagesPerSecond, deps.runtime.now());
    this.#connection = new Connection(deps, handshake, {
      get isClear() {
        return socket.unsent === 0;
      },
      send: (messages) => socket.send(messages),
      close: (code, reason) => socket.end(code, reason),
    });
  }

  message(bytes: Buffer, isBinary: boolean): void {
    const { messagesPerSecond } = this.#options;
    const allowed = this.#allowance.take(this.#deps.runtime.now());
    if (allowed === 'last') this.#connection.refuse(`More than ${messagesPerSecond} messages a second are dropped.`);
    if (allowed !== 'granted') return;
    if (isBinary) this.#connection.refuse('Binary messages are not understood.');
    else if (bytes.length > this.#maxMessageBytes) {
      this.#connection.refuse(`A message may have ${this.#maxMessageBytes} bytes at most.`);
    } else this.#connection.heard(bytes.toString());
  }

  get #maxMessageBytes(): number {
    const { maxMessageBytes } = this.#options;
    return Math.min(maxMessageBytes, allowedOf(this.#socket.maxMessageBytes ?? readOf(maxMessageBytes)));
  }

  drained(): void {
    this.#connection.drained();
  }

  closed(): void {
    this.#connection.closed();
  }
}
