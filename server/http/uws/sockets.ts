/**
 * Sockets of uWebSockets.js. Promises:
 *
 * W1  An upgrade is decided before its callback returns, so nothing of the request is touched later.
 * W2  After `close` a socket is never touched again.
 * W3  Messages are valid until the callback returns: the library frees them then.
 */
import { STATUS_CODES } from 'node:http';
import {
  type AcceptedSocket,
  type AdapterSocket,
  refusalBody,
  type SocketKind,
  type SocketReader,
  type SocketRefusal,
} from '../adapter.ts';
import type { Holder } from '../backlog.ts';
import { clientOf, copyHeaders } from './request-parts.ts';
import type { Tier } from './tiers.ts';
import type { HttpRequest, HttpResponse, WebSocket, WebSocketBehavior } from './types.ts';

type Live = { readonly accepted: AcceptedSocket; socket: UwsSocket | undefined; reader: SocketReader | undefined };

type Behavior = Required<Pick<WebSocketBehavior<Live>, 'upgrade' | 'open'>> & WebSocketBehavior<Live>;

/** The library counts bytes in 32 bits. */
const MAX_READ = 2 ** 31;

export const behaviorOf = (kind: SocketKind, tier: Tier): Behavior => ({
  compression: 0,
  maxPayloadLength: Math.min(tier.maxMessageBytes, MAX_READ),
  maxBackpressure: kind.maxUnsentBytes,
  idleTimeout: Math.min(960, Math.max(8, Math.ceil(kind.idleTimeoutMs / 1000))),
  sendPingsAutomatically: true,
  upgrade(res, req, context) {
    if (req.getUrl() !== kind.path || !asksForSocket(req)) return void req.setYield(true); // the pattern matches other paths too
    const accepted = kind.accept({ headers: copyHeaders(req), query: req.getQuery() ?? '', client: clientOf(res) });
    if ('status' in accepted) return refuse(res, accepted);
    const { cookie, address = '' } = accepted;
    if (!tier.hasRoomFor(address)) return tier.isLast ? refuse(res, tooMany) : void req.setYield(true);
    if (cookie !== undefined) res.writeStatus('101 Switching Protocols').writeHeader('set-cookie', cookie);
    res.upgrade<Live>(
      { accepted, socket: undefined, reader: undefined },
      req.getHeader('sec-websocket-key'),
      '', // no subprotocol is offered
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open(socket) {
    const live = socket.getUserData();
    live.socket = new UwsSocket(socket, live.accepted.address ?? '', tier.maxMessageBytes);
    tier.take(live.socket);
    live.reader = live.accepted.open(live.socket);
    if (!live.socket.isOpen) live.reader.closed(); // it was cut inside
  },
  message(socket, message, isBinary) {
    socket.getUserData().reader?.message(Buffer.from(message), isBinary); // W3
  },
  drain(socket) {
    drainedLater(socket.getUserData());
  },
  close(socket) {
    const { socket: ours, reader } = socket.getUserData();
    if (ours !== undefined) {
      ours.closed(); // W2
      tier.give(ours);
    }
    reader?.closed();
  },
});

/** The library asks for a key only. Without these headers, a proxy takes the connection for one of HTTP. */
const asksForSocket = (req: Pick<HttpRequest, 'getHeader'>): boolean =>
  req.getHeader('upgrade').toLowerCase() === 'websocket' &&
  /(^|,)\s*upgrade\s*(,|$)/i.test(req.getHeader('connection'));

const tooMany: SocketRefusal = {
  status: 503,
  detail: 'Too many sockets are open: close some of them, or try again later.',
};

/**
 * Bytes that do not fit during the library's drain callback are never drained (20.51), so they are written in the next
 * turn.
 */
const drainedLater = (live: Live): void => {
  setImmediate(() => {
    if (live.socket?.isOpen) live.reader?.drained();
  });
};

/** In a later turn, like all replies that end a connection: see H5 in `request.ts`. */
const refuse = (res: HttpResponse, { status, detail }: SocketRefusal): void => {
  let isGone = false;
  res.onAborted(() => {
    isGone = true;
  });
  setImmediate(() => {
    if (isGone) return;
    res.cork(() => {
      res
        .writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`)
        .writeHeader('content-type', 'application/json')
        .writeHeader('cache-control', 'no-store')
        .end(refusalBody(detail), true);
    });
  });
};

class UwsSocket implements AdapterSocket, Holder {
  readonly address: string;
  readonly maxMessageBytes: number;
  #socket: WebSocket<Live> | undefined;

  constructor(socket: WebSocket<Live>, address: string, maxMessageBytes: number) {
    this.#socket = socket;
    this.address = address;
    this.maxMessageBytes = maxMessageBytes;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  get unsent(): number {
    return this.#socket?.getBufferedAmount() ?? Number.POSITIVE_INFINITY;
  }

  send(messages: readonly string[]): void {
    const socket = this.#socket;
    socket?.cork(() => {
      for (const message of messages) socket.send(message);
    });
  }

  ping(): void {
    this.#socket?.ping();
  }

  end(code: number, reason: string): void {
    this.#socket?.end(code, reason);
  }

  cut(): void {
    this.#socket?.close();
  }

  closed(): void {
    this.#socket = undefined;
  }
}
