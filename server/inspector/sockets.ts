/**
 * `/inspect/socket`: the sockets of those who watch the actors. They are told, and not listened to. Promises to uWS are
 * those of `server/websocket/sockets.ts`.
 */
import { Failure, type Runtime } from '../../runtime/index.ts';
import { clientOf, copyHeaders } from '../exchange.ts';
import type { Network } from '../network.ts';
import type { OperatorDoor } from '../operator-door.ts';
import { failureReply } from '../problems.ts';
import type { App, HttpResponse, WebSocket, WebSocketBehavior } from '../uws-types.ts';
import { refuse, type SocketHost, upgrade } from '../websocket/sockets.ts';
import { readWatch, type Watch } from './watch.ts';
import { Watcher, type WatchSink } from './watcher.ts';

/** Each costs a bit of every event; nobody looks at so many screens. */
export const MAX_WATCHERS = 20;

const PATH = '/inspect/socket';

/** More than a watcher is ever sent before it has read: see `limits.maxUnsent`. */
const MAX_UNSENT = 1024 * 1024;

const GOING_AWAY = 1001;

type Live = { readonly watch: Watch; watcher: Watcher | undefined; sink: SocketSink | undefined };

export class InspectorSockets {
  readonly #runtime: Runtime;
  readonly #door: OperatorDoor;
  readonly #network: Network;
  readonly #open = new Set<WebSocket<Live>>();

  constructor(runtime: Runtime, door: OperatorDoor, network: Network) {
    this.#runtime = runtime;
    this.#door = door;
    this.#network = network;
  }

  mount(app: App, rootPath: string, { host }: SocketHost): void {
    for (const prefix of new Set(['', rootPath])) app.ws(prefix + PATH, this.#behavior(host));
  }

  /** Says goodbye to all of them. */
  close(): void {
    for (const socket of [...this.#open]) socket.end(GOING_AWAY, 'The server is shutting down.');
  }

  #behavior(host: SocketHost['host']): WebSocketBehavior<Live> {
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
        // What does not fit while uWS tells of a drain is never drained (20.51): so it is written in the next turn.
        const { watcher } = socket.getUserData();
        setImmediate(() => watcher?.drained());
      },
      close(socket) {
        open.delete(socket);
        const { watcher, sink } = socket.getUserData();
        sink?.closed();
        watcher?.stop();
        host.closed();
      },
    };
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
