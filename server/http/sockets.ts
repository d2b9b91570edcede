/** The common part of all sockets: upgrades and refusals, counting, pings, and closing. */
import type { AcceptedSocket, AdapterSocket, Handshaken, SocketKind, SocketReader, SocketRefusal } from './adapter.ts';
import type { Backlog, Holder } from './backlog.ts';
import { type After, hasBody } from './body.ts';
import type { Host } from './host.ts';

/** Proxies close connections that are silent for a minute. */
const PING_MS = 25_000;

const GOING_AWAY = 1001;

const TRY_AGAIN_LATER = 1013;

/** The functions that sockets need of their HTTP server. */
export interface SocketHost extends Pick<Host, 'draining' | 'opened' | 'closed' | 'report' | 'unsent' | 'network'> {
  /** Counts bytes of incomplete messages. */
  readonly unread: Backlog;
}

/** Sockets at one path, defined by a protocol. */
export interface SocketRoute extends Omit<SocketKind, 'accept'> {
  /** The setting that moves it, e.g. `workflow.websocket_path`. */
  readonly setting?: string;
  /** Decides synchronously. `path` begins with the server's root path, if the request has it. */
  accept(handshake: Handshaken, path: string): SocketRefusal | AcceptedSocket;
}

/** The open sockets of a server. All are pinged, also active ones. */
export class OpenSockets {
  readonly #sockets = new Set<AdapterSocket>();
  readonly #after: After;
  #callOffPing: (() => void) | undefined;

  constructor(after: After) {
    this.#after = after;
  }

  /** For the adapter, below `prefix`. Sockets are counted here. An error of a socket ends it, and is reported. */
  hold(route: SocketRoute, host: SocketHost, prefix = ''): SocketKind {
    const path = prefix + route.path;
    return {
      ...route,
      path,
      accept: (handshake) => {
        const accepted = accept(route, handshake, path, host);
        if ('status' in accepted) return accepted;
        const { headers, client } = handshake;
        const address = (host.network?.clientOf(client, headers) ?? client).host;
        const open = (socket: AdapterSocket) => new Held(socket, address, accepted, host, this.#sockets, this);
        return { address, cookie: accepted.cookie, open };
      },
    };
  }

  /** Closes all of them, with a message about the shutdown. */
  close(): void {
    for (const socket of [...this.#sockets]) socket.end(GOING_AWAY, 'The server is shutting down.');
  }

  /** The number of sockets has changed. */
  changed(): void {
    if (this.#sockets.size === 0) {
      this.#callOffPing?.();
      this.#callOffPing = undefined;
    } else if (this.#callOffPing === undefined) this.#pingLater();
  }

  #pingLater(): void {
    this.#callOffPing = this.#after(PING_MS, () => {
      this.#pingLater();
      for (const socket of [...this.#sockets]) socket.ping();
    });
  }
}

const accept = (
  route: SocketRoute,
  handshake: Handshaken,
  path: string,
  host: SocketHost,
): SocketRefusal | AcceptedSocket => {
  if (host.draining) return { status: 503, detail: 'The server is shutting down.' };
  if (handshake.headers['sec-websocket-version'] !== '13') return otherVersion;
  try {
    return hasBody(handshake.headers) ? withBody : route.accept(handshake, path);
  } catch (thrown) {
    host.report(thrown);
    return { status: 500, detail: 'The server could not answer.' };
  }
};

const otherVersion: SocketRefusal = { status: 400, detail: 'Sec-WebSocket-Version must be 13.' };

/** Later bytes could be misread as something else than frames. */
const withBody: SocketRefusal = {
  status: 400,
  detail: 'A request to open a socket has no body: send neither Content-Length nor Transfer-Encoding.',
};

/** One open socket. Its incomplete message counts for all clients together. */
class Held implements SocketReader, Holder {
  readonly address: string;
  readonly #socket: AdapterSocket;
  readonly #counted: CountedSocket;
  readonly #host: SocketHost;
  readonly #all: Set<AdapterSocket>;
  readonly #open: OpenSockets;
  #reader: SocketReader | undefined;

  constructor(
    socket: AdapterSocket,
    address: string,
    accepted: AcceptedSocket,
    host: SocketHost,
    all: Set<AdapterSocket>,
    open: OpenSockets,
  ) {
    this.#socket = socket;
    this.address = address;
    this.#counted = new CountedSocket(socket, address, host.unsent);
    this.#host = host;
    this.#all = all;
    this.#open = open;
    all.add(socket);
    open.changed();
    host.opened();
    try {
      this.#reader = accepted.open(this.#counted);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  message(bytes: Buffer, isBinary: boolean): void {
    try {
      this.#reader?.message(bytes, isBinary);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  unfinished(bytes: number): void {
    if (bytes > 0) this.#host.unread.hold(this, bytes);
    else this.#host.unread.release(this);
  }

  /** Its incomplete message is dropped. */
  cut(): void {
    this.#socket.end(TRY_AGAIN_LATER, 'The server is receiving too many messages: send this one again later.');
    this.#socket.cut();
  }

  drained(): void {
    this.#counted.gotOn();
    try {
      this.#reader?.drained();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  closed(): void {
    this.#counted.closed();
    this.#host.unread.release(this);
    this.#all.delete(this.#socket);
    this.#open.changed();
    try {
      this.#reader?.closed();
    } catch (thrown) {
      this.#host.report(thrown);
    }
    this.#host.closed();
  }

  /** An uncaught exception in a callback would end the process. */
  #fail(thrown: unknown): void {
    this.#host.report(thrown);
    this.#socket.cut();
  }
}

/** A socket whose unsent bytes count for all clients together. */
class CountedSocket implements AdapterSocket, Holder {
  readonly address: string;
  readonly #socket: AdapterSocket;
  readonly #unsent: Backlog;
  #isClosed = false;

  constructor(socket: AdapterSocket, address: string, unsent: Backlog) {
    this.address = address;
    this.#socket = socket;
    this.#unsent = unsent;
  }

  get unsent(): number {
    return this.#socket.unsent;
  }

  get maxMessageBytes(): number | undefined {
    return this.#socket.maxMessageBytes;
  }

  send(messages: readonly string[]): void {
    if (this.#isClosed) return;
    this.#socket.send(messages);
    const { unsent } = this;
    if (unsent > 0 && !this.#isClosed) this.#unsent.grow(this, unsent);
  }

  /** Unsent bytes were sent. */
  gotOn(): void {
    if (this.#isClosed) return;
    const { unsent } = this;
    if (unsent > 0) this.#unsent.hold(this, unsent);
    else this.#unsent.release(this);
  }

  ping(): void {
    this.#socket.ping();
  }

  end(code: number, reason: string): void {
    this.#socket.end(code, reason);
  }

  cut(): void {
    this.#socket.cut();
  }

  closed(): void {
    this.#isClosed = true;
    this.#unsent.release(this);
  }
}
