/** `/inspect/socket`: the sockets of watchers. Their messages are ignored. */
import { Failure } from '../../../runtime/index.ts';
import { failureReply } from '../../http/problems.ts';
import type { SocketRoute } from '../../http/sockets.ts';
import type { App } from '../../protocol.ts';
import { readWatch } from './watch.ts';
import { Watcher } from './watcher.ts';

/** Maximum number of watchers: each adds a cost to every event. */
export const MAX_WATCHERS = 20;

/** More than a watcher is ever sent before it has read: see `limits.maxUnsent`. */
const MAX_UNSENT = 1024 * 1024;

export const inspectorSocket = ({
  runtime,
  operators,
  network,
}: Pick<App, 'runtime' | 'operators' | 'network'>): SocketRoute => {
  let watchers = 0;
  return {
    path: '/inspect/socket',
    maxMessageBytes: 1024,
    maxUnsentBytes: MAX_UNSENT,
    idleTimeoutMs: 120_000,
    accept: ({ headers, query, client }) => {
      try {
        network.checkHost(headers);
        operators.require({ headers, client: network.clientOf(client, headers) });
        const watch = readWatch(query);
        if (watchers >= MAX_WATCHERS) return { status: 503, detail: `There are ${MAX_WATCHERS} watchers.` };
        return {
          open: (socket) => {
            const watcher = new Watcher(runtime, watch, socket);
            watchers += 1;
            watcher.begin();
            return {
              message: () => {},
              drained: () => watcher.drained(),
              closed: () => {
                watchers -= 1;
                watcher.stop();
              },
            };
          },
        };
      } catch (thrown) {
        const failure = Failure.from(thrown);
        return { status: failureReply(failure).status, detail: failure.message };
      }
    },
  };
};
