/** The HTTP server: starts, listens and stops. */
import { setImmediate } from 'node:timers/promises';
import type { Adapter, AdapterName } from './adapter.ts';
import { Backlog, MAX_UNREAD, MAX_UNSENT } from './backlog.ts';
import type { After } from './body.ts';
import { type Chosen, chooseAdapter } from './choose-adapter.ts';
import { type CorsOptions, createCors } from './cors.ts';
import { Dispatcher, MAX_HANDLED } from './dispatcher.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import { problem } from './problem.ts';
import { replyFault } from './reply-fault.ts';
import type { Reply, Route } from './route.ts';
import { OpenSockets, type SocketHost, type SocketRoute } from './sockets.ts';

export interface HttpOptions {
  /** The HTTP library. Default: the fastest that loads on this machine. */
  readonly adapter?: AdapterName | Adapter | undefined;
  readonly routes: readonly Route[];
  /** Listens on this name or address only; `localhost` is all of its addresses. */
  readonly host: string;
  /** 0 is a free port. */
  readonly port: number;
  /** Prefix under which routes also answer, e.g. `/api`. Default none. */
  readonly rootPath?: string;
  /** Default: no CORS headers, and a preflight request is an OPTIONS request like any other (405). */
  readonly cors?: CorsOptions;
  /** Maximum bytes of a body; more gets 413. Default 1_048_576. */
  readonly maxBodyBytes?: number;
  /** Timeout for a complete body; then 408. Default 30_000. */
  readonly requestTimeoutMs?: number;
  /** Maximum bytes of all headers of a request; more gets 431. Default 16_384. */
  readonly maxHeaderBytes?: number;
  /** Maximum bytes of large bodies that routes are handling; beyond them a further one gets 503. Default 268_435_456. */
  readonly maxHandledBytes?: number;
  /** The reply for an error of a route. If it throws itself, the reply is a 500. */
  problem(thrown: unknown): Reply;
  /** Gets errors that have no reply: of `problem`, of listeners, and of routes whose client has disconnected. */
  onError(error: unknown): void;
  /** Called once, if a connection ended before a request could be read: see `AdapterOptions`. */
  readonly onUnread?: () => void;
  /** The address of a client behind proxies. Default: the other end of the connection. */
  readonly network?: Pick<Network, 'clientOf'>;
  /** Sockets on the same port. They answer below `rootPath` too. */
  readonly sockets?: readonly SocketRoute[];
  /** Timers. Default: those of Node. */
  readonly after?: After;
  /** Timers for the pings of sockets. Default: those of Node. */
  readonly pingAfter?: After;
}

export interface HttpServer {
  readonly adapter: Adapter['name'];
  /** Why it is not the default, if none was requested. */
  readonly fallback: string | undefined;
  readonly port: number;
  /** Requests that wait for their body or their reply, and sockets. */
  readonly openRequests: number;
  /**
   * Stops listening, refuses requests on open connections with 503, gives open requests `graceMs` to finish, and then
   * ends every connection. A second call waits for the first.
   */
  close(options: { graceMs: number }): Promise<void>;
  /** Closes all sockets with a message about the shutdown. */
  closeSockets(): void;
}

export const defaults = { maxBodyBytes: 1024 * 1024, requestTimeoutMs: 30_000, maxHeaderBytes: 16_384 } as const;

const afterByNode: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

const serverError = problem(500, 'Internal Server Error', 'The server could not answer.');
/** By then this server has ended, and another one may serve. */
const stoppingWithin = (graceMs: number): Reply => {
  const reply = problem(503, 'Service Unavailable', 'The server is shutting down.');
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(Math.max(1, Math.ceil(graceMs / 1_000))) } };
};

/** Rejects with an error that names host and port if it cannot listen. */
export const listen = async (options: HttpOptions): Promise<HttpServer> => {
  const { maxBodyBytes, requestTimeoutMs, maxHeaderBytes } = { ...defaults, ...options };
  const { maxHandledBytes = MAX_HANDLED } = options;
  const after = options.after ?? afterByNode;
  const unread = new Backlog(MAX_UNREAD);
  const rootPath = options.rootPath?.replace(/\/$/, '') ?? '';

  let openRequests = 0;
  let onIdle = (): void => {};

  const report = (error: unknown): void => {
    try {
      options.onError(error);
    } catch {
      // There is no listener left for an error.
    }
  };

  const host: Host & SocketHost = {
    get draining() {
      return dispatcher.stopping !== undefined;
    },
    unsent: new Backlog(MAX_UNSENT),
    unread,
    problem: (thrown) => {
      try {
        const reply = options.problem(thrown);
        const fault = replyFault(reply);
        if (fault === undefined) return reply;
        report(new TypeError(fault, { cause: thrown }));
      } catch (error) {
        report(error);
      }
      return serverError;
    },
    report,
    network: options.network,
    opened: () => {
      openRequests += 1;
    },
    closed: () => {
      openRequests -= 1;
      if (openRequests === 0) onIdle();
    },
  };

  const dispatcher = new Dispatcher({
    host,
    routes: options.routes,
    rootPath,
    cors: options.cors && createCors(options.cors),
    limits: { maxBodyBytes, requestTimeoutMs, after, unread, maxHandledBytes },
  });
  const open = new OpenSockets(options.pingAfter ?? afterByNode);
  const prefixes = [...new Set(['', rootPath])];
  const sockets = (options.sockets ?? []).flatMap((route) => prefixes.map((prefix) => open.hold(route, host, prefix)));
  const { adapter, fallback } = await chosen(options.adapter, maxHeaderBytes);
  const server = adapter.create({
    maxHeaderBytes,
    requestTimeoutMs,
    sockets,
    serve: (request) => dispatcher.serve(request),
    onUnread: options.onUnread ?? (() => {}),
  });
  const bound = await server.listen(options.host, options.port);
  dispatcher.port = bound.port;

  const drain = async (graceMs: number): Promise<void> => {
    dispatcher.stopping = stoppingWithin(graceMs);
    bound.unbind();
    let isOver = false;
    const callOff = after(graceMs, () => {
      isOver = true;
      onIdle();
    });
    do {
      if (openRequests > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      // A reply written in this turn of the event loop is sent at its end, and one that ends its connection in the next
      // turn.
      await setImmediate();
    } while (openRequests > 0 && !isOver);
    callOff();
    server.close();
  };
  let closing: Promise<void> | undefined;

  return {
    adapter: adapter.name,
    fallback,
    port: bound.port,
    get openRequests() {
      return openRequests;
    },
    close: ({ graceMs }) => (closing ??= drain(graceMs)),
    closeSockets: () => open.close(),
  };
};

const chosen = async (wanted: HttpOptions['adapter'], maxHeaderBytes: number): Promise<Chosen> =>
  typeof wanted === 'object' ? { adapter: wanted } : chooseAdapter(wanted, maxHeaderBytes);
