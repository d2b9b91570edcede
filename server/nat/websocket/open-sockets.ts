/** What sockets of all kinds have in common: how they are opened and refused, kept alive, and closed. */
import { hasBody } from '../../http/body.ts';
import type { Host } from '../../http/exchange.ts';
import type { HttpRequest, HttpResponse, UpgradeContext, WebSocket, WebSocketBehavior } from '../../http/uws-types.ts';

/** Proxies cut connections that are silent for a minute. */
export const PING_MS = 25_000;

const GOING_AWAY = 1001;

/** The open sockets of one kind. All are pinged, also those on which something was just said. */
export class OpenSockets<Data> {
  readonly #sockets = new Set<WebSocket<Data>>();
  readonly #after: (ms: number, run: () => void) => () => void;
  #callOffPing: (() => void) | undefined;

  constructor(after: (ms: number, run: () => void) => () => void) {
    this.#after = after;
  }

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: WebSocket<Data>): void {
    this.#sockets.add(socket);
    if (this.#callOffPing === undefined) this.#pingLater();
  }

  delete(socket: WebSocket<Data>): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    this.#callOffPing?.();
    this.#callOffPing = undefined;
  }

  /** Says goodbye to all clients. */
  close(): void {
    for (const socket of [...this.#sockets]) socket.end(GOING_AWAY, 'The server is shutting down.');
  }

  #pingLater(): void {
    this.#callOffPing = this.#after(PING_MS, () => {
      this.#pingLater();
      for (const socket of [...this.#sockets]) socket.ping();
    });
  }
}

/** uWS ends the process for an exception that leaves a callback: here it ends the socket, and is reported. */
export const guarded = <Data>(
  behavior: Required<Pick<WebSocketBehavior<Data>, 'upgrade' | 'open' | 'close'>> & WebSocketBehavior<Data>,
  { report }: Pick<Host, 'report'>,
): WebSocketBehavior<Data> => {
  const { upgrade: ask, open, message, drain, close } = behavior;
  const fail = (socket: WebSocket<Data>, thrown: unknown): void => {
    report(thrown);
    socket.close();
  };
  return {
    ...behavior,
    upgrade(res, req, context) {
      try {
        ask(res, req, context);
      } catch (thrown) {
        report(thrown);
        refuse(res, '500 Internal Server Error', 'The server could not answer.');
      }
    },
    open(socket) {
      try {
        open(socket);
      } catch (thrown) {
        fail(socket, thrown);
      }
    },
    message(socket, bytes, isBinary) {
      try {
        message?.(socket, bytes, isBinary);
      } catch (thrown) {
        fail(socket, thrown);
      }
    },
    drain(socket) {
      try {
        drain?.(socket);
      } catch (thrown) {
        fail(socket, thrown);
      }
    },
    close(socket, code, reason) {
      try {
        close(socket, code, reason);
      } catch (thrown) {
        report(thrown);
      }
    },
  };
};

/** What does not fit while uWS tells of a drain is never drained (20.51): so it is written in the next turn. */
export const drainedLater = (reader: { drained(): void } | undefined, { report }: Pick<Host, 'report'>): void => {
  setImmediate(() => {
    try {
      reader?.drained();
    } catch (thrown) {
      report(thrown);
    }
  });
};

/** Why what follows a request to open a socket could be taken for something else than frames; undefined if it cannot. */
export const handshakeFault = (headers: Readonly<Record<string, string>>): string | undefined =>
  hasBody(headers)
    ? 'A request to open a socket has no body: send neither Content-Length nor Transfer-Encoding.'
    : undefined;

export const upgrade = <Data>(
  res: HttpResponse,
  req: HttpRequest,
  context: UpgradeContext,
  data: Data,
  cookie?: string,
): void => {
  if (cookie !== undefined) res.writeStatus('101 Switching Protocols').writeHeader('set-cookie', cookie);
  res.upgrade(
    data,
    req.getHeader('sec-websocket-key'),
    '', // no subprotocol is offered
    req.getHeader('sec-websocket-extensions'),
    context,
  );
};

/** In a later turn, as all replies that end a connection: see H5 in `server/http/exchange.ts`. */
export const refuse = (res: HttpResponse, status: string, detail: string): void => {
  let isGone = false;
  res.onAborted(() => {
    isGone = true;
  });
  setImmediate(() => {
    if (isGone) return;
    res.cork(() => {
      res.writeStatus(status).writeHeader('content-type', 'application/json').end(JSON.stringify({ detail }), true);
    });
  });
};
