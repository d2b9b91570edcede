/**
 * `/inspect/socket`: the sockets of those who watch the actors. They are told, and not listened to. Promises to uWS are
 * those of `server/nat/websocket/sockets.ts`.
 */
import { Failure, type Runtime } from '../../../runtime/index.ts';
import type { Network } from '../../http/network.ts';
import { failureReply } from '../../http/problems.ts';
import { clientOf, copyHeaders } from '../../http/request-parts.ts';
import type { App, HttpResponse, WebSocket, WebSocketBehavior } from '../../http/uws-types.ts';
import type { OperatorDoor } from '../../identity/operator-door.ts';
import {
  drainedLater,
  guarded,
  handshakeFault,
  OpenSockets,
  refuse,
  upgrade,
} from '../../nat/websocket/open-sockets.ts';
import type { SocketHost } from '../../nat/websocket/sockets.ts';
import { readWatch, type Watch } from './watch.ts';
import { Watcher, type WatchSink } from './watcher.ts';

/** Each costs a bit of every event; nobody looks at so many screens. */
export const MAX_WATCHERS = 20;

const PATH = '/inspect/socket';

/** More than a watcher is ever sent before it has read: see `limits.maxUnsent`. */
const MAX_UNSENT = 1024 * 1024;

type Live = { readonly watch: Watch; watcher: Watcher | undefined; sink: SocketSink | undefined };

export class InspectorSockets {
  readonly #runtime: Runtime;
  readonly #door: OperatorDoor;
  readonly #network: Network;
  readonly #open: OpenSockets<Live>;

  constructor(runtime: Runtime, door: OperatorDoor, network: Network) {
    this.#runtime = runtime;
    this.#door = door;
    this.#network = network;
    this.#open = new OpenSockets((ms, run) => runtime.after(ms, run));
  }

  mount(app: App, rootPath: string, { host }: SocketHost): void {
    for (const prefix of new Set(['', rootPath])) app.ws(prefix + PATH, guarded(this.#behavior(host), host));
  }

  /** Says goodbye to all of them. */
  close(): void {
    this.#open.close();
  }

  #behavior(host: SocketHost['host']) {
    const open = this.#open;
    return {
      compression: 0,
      maxPayloadLength: 1024,
      maxBackpressure: MAX_UNSENT,
      idleTimeout: 120,
      sendPingsAutomatically: true,
      upgrade: (res, req, context) => {
        if (host.draining) return refuse(res, '503 Service Unavailable', 'The server is shutting down.');
        try {
          const headers = copyHeaders(req);
          const fault = handshakeFault(headers);
          if (fault !== undefined) return refuse(res, '400 Bad Request', fault);
          this.#network.checkHost(headers);
          this.#door.enter({ headers, client: this.#network.clientOf(clientOf(res), headers) });
          const watch = readWatch(req.getQuery() ?? '');
          if (open.size >= MAX_WATCHERS) refuse(res, '503 Service Unavailable', `There are ${MAX_WATCHERS} watchers.`);
          else upgrade<Live>(res, req, context, { watch, watcher: undefined, sink: undefined });
        } catch (thrown) {
          refuseAs(res, thrown);
        }
      },
      open: (socket) => {
        open.add(socket);
        host.opened();
        const live = socket.getUserData();
        live.sink = new SocketSink(socket);
        live.watcher = new Watcher(this.#runtime, live.watch, live.sink);
        live.watcher.begin();
      },
      drain(socket) {
        drainedLater(socket.getUserData().watcher, host);
      },
      close(socket) {
        open.delete(socket);
        const { watcher, sink } = socket.getUserData();
        sink?.closed();
        watcher?.stop();
        host.closed();
      },
    } satisfies WebSocketBehavior<Live>;
  }
}

class SocketSink implements WatchSink {
  #socket: WebSocket<Live> | undefined;

  constructor(socket: WebSocket<Live>) {
    this.#socket = socket;
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

  closed(): void {
    this.#socket = undefined;
  }
}

const refuseAs = (res: HttpResponse, thrown: unknown): void => {
  const failure = Failure.from(thrown);
  refuse(res, statusLines[failureReply(failure).status] ?? '500 Internal Server Error', failure.message);
};

const statusLines: Readonly<Record<number, string>> = {
  403: '403 Forbidden',
  421: '421 Misdirected Request',
  422: '422 Unprocessable Content',
  429: '429 Too Many Requests',
};
