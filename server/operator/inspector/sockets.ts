/** `/inspect/socket`: the sockets of those who watch the actors. They are told, and not listened to. */
import { Failure, type Runtime } from '../../../runtime/index.ts';
import type { AcceptedSocket, Handshaken, SocketKind, SocketRefusal } from '../../http/adapter.ts';
import type { Network } from '../../http/network.ts';
import { failureReply } from '../../http/problems.ts';
import { type MountedSockets, OpenSockets, type SocketHost } from '../../http/sockets.ts';
import type { OperatorDoor } from '../../identity/operator-door.ts';
import { readWatch } from './watch.ts';
import { Watcher } from './watcher.ts';

/** Each costs a bit of every event; nobody looks at so many screens. */
export const MAX_WATCHERS = 20;

const PATH = '/inspect/socket';

/** More than a watcher is ever sent before it has read: see `limits.maxUnsent`. */
const MAX_UNSENT = 1024 * 1024;

export class InspectorSockets implements MountedSockets {
  readonly #runtime: Runtime;
  readonly #door: OperatorDoor;
  readonly #network: Network;
  readonly #open: OpenSockets;
  readonly path = PATH;

  constructor(runtime: Runtime, door: OperatorDoor, network: Network) {
    this.#runtime = runtime;
    this.#door = door;
    this.#network = network;
    this.#open = new OpenSockets((ms, run) => runtime.after(ms, run));
  }

  kinds(rootPath: string, { host }: SocketHost): SocketKind[] {
    return [...new Set(['', rootPath])].map((prefix) =>
      this.#open.hold(
        {
          path: prefix + PATH,
          maxMessageBytes: 1024,
          maxUnsentBytes: MAX_UNSENT,
          idleTimeoutMs: 120_000,
          accept: (handshake) => this.#accept(handshake),
        },
        host,
      ),
    );
  }

  /** Says goodbye to all of them. */
  close(): void {
    this.#open.close();
  }

  #accept({ headers, query, client }: Handshaken): SocketRefusal | AcceptedSocket {
    try {
      this.#network.checkHost(headers);
      this.#door.enter({ headers, client: this.#network.clientOf(client, headers) });
      const watch = readWatch(query);
      if (this.#open.size >= MAX_WATCHERS) return { status: 503, detail: `There are ${MAX_WATCHERS} watchers.` };
      return {
        open: (socket) => {
          const watcher = new Watcher(this.#runtime, watch, socket);
          watcher.begin();
          return { message: () => {}, drained: () => watcher.drained(), closed: () => watcher.stop() };
        },
      };
    } catch (thrown) {
      const failure = Failure.from(thrown);
      return { status: failureReply(failure).status, detail: failure.message };
    }
  }
}
