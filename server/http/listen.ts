/** The HTTP server: assigns replies to exchanges, starts and stops. */
import { setImmediate } from 'node:timers/promises';
import type { Adapter, AdapterName, AdapterRequest } from './adapter.ts';
import { Backlog, MAX_UNREAD, MAX_UNSENT } from './backlog.ts';
import { type After, framingFault, hasBody, readBody } from './body.ts';
import { type Chosen, chooseAdapter } from './choose-adapter.ts';
import { type Cors, type CorsOptions, createCors } from './cors.ts';
import { Exchange, type Host, replyFault } from './exchange.ts';
import { isAskedDirectly, type Network } from './network.ts';
import { problem, refusal } from './problem.ts';
import type { Reply, Route } from './route.ts';
import { createRouter, type Found, withoutTrailingSlash } from './router.ts';
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

const asRefused = (route: Route, reply: Reply, exchange: Exchange): Reply => route.refused?.(reply, exchange) ?? reply;

const notFound = refusal(404, 'Not Found');
const serverError = problem(500, 'Internal Server Error', 'The server could not answer.');
const tooLarge = (maxBodyBytes: number): Reply =>
  problem(413, 'Content Too Large', `A request body may have ${maxBodyBytes} bytes at most.`);
const crowdedOut: Reply = {
  ...problem(503, 'Service Unavailable', 'The server is receiving too many request bodies: send this one again later.'),
  headers: { 'content-type': 'application/problem+json', 'retry-after': '5' },
};
/** By then this server has ended, and another one may serve. */
const stoppingWithin = (graceMs: number): Reply => {
  const reply = problem(503, 'Service Unavailable', 'The server is shutting down.');
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(Math.max(1, Math.ceil(graceMs / 1_000))) } };
};

/** Rejects with an error that names host and port if it cannot listen. */
export const listen = async (options: HttpOptions): Promise<HttpServer> => {
  const { maxBodyBytes, requestTimeoutMs, maxHeaderBytes } = { ...defaults, ...options };
  const after = options.after ?? afterByNode;
  const unread = new Backlog(MAX_UNREAD);
  const limits = { maxBodyBytes, requestTimeoutMs, after, unread };
  const tooSlow = problem(408, 'Request Timeout', `The request body must be complete within ${requestTimeoutMs} ms.`);
  const rootPath = options.rootPath?.replace(/\/$/, '') ?? '';
  const router = createRouter(options.routes, rootPath);
  const cors = options.cors === undefined ? undefined : createCors(options.cors);

  let openRequests = 0;
  /** Known after listening on all addresses. */
  let port = 0;
  /** The reply to every request once the server is about to end. */
  let stopping: Reply | undefined;
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
      return stopping !== undefined;
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

  const run = (exchange: Exchange, route: Route): void => {
    try {
      const replied = route.handle(exchange);
      if (replied instanceof Promise) {
        exchange.defer();
        replied.then(
          (reply) => exchange.reply(reply),
          (thrown: unknown) => exchange.fail(thrown),
        );
      } else {
        exchange.reply(replied);
      }
    } catch (thrown) {
      exchange.fail(thrown);
    }
  };

  const runWithBody = (request: AdapterRequest, exchange: Exchange, route: Route): void => {
    const announced = Number(exchange.headers['content-length']);
    const { maxBodyBytes: own } = route;
    const allowed = own === undefined ? limits : { ...limits, maxBodyBytes: own };
    exchange.defer();
    readBody(request, exchange, announced, allowed, (outcome) => {
      if (outcome === 'tooLarge') {
        exchange.reply(asRefused(route, tooLarge(allowed.maxBodyBytes), exchange));
      } else if (outcome === 'farTooLarge') {
        exchange.reply(asRefused(route, tooLarge(allowed.maxBodyBytes), exchange), true);
      } else if (outcome === 'crowdedOut') {
        exchange.reply(asRefused(route, crowdedOut, exchange), true);
      } else if (outcome === 'tooSlow') {
        exchange.reply(asRefused(route, tooSlow, exchange), true);
      } else {
        exchange.body = outcome;
        run(exchange, route);
      }
    });
  };

  const answer = (request: AdapterRequest, exchange: Exchange): void => {
    const { path: url } = request;
    exchange.fullPath = url;
    const { headers } = exchange;
    const preflight = cors && applyCors(cors, exchange);
    const fault = framingFault(headers) ?? request.fault;
    const last = fault !== undefined ? problem(400, 'Bad Request', fault) : stopping;
    const found = router.find(exchange.method, exchange.path);

    if (last !== undefined) {
      exchange.reply(found.kind === 'route' ? asRefused(found.route, last, exchange) : last, true);
    } else if (preflight !== undefined) {
      exchange.reply(preflight);
    } else if (found.kind !== 'route') {
      exchange.reply(refusalOf(found, rootPath, exchange, port));
    } else {
      exchange.params = found.params;
      exchange.isPublic = found.route.isPublic === true;
      if (hasBody(headers)) runWithBody(request, exchange, found.route);
      else run(exchange, found.route);
    }
  };

  /** An uncaught exception would end the process. */
  const serve = (request: AdapterRequest): void => {
    const exchange = new Exchange(host, request, router.inner(request.path));
    try {
      answer(request, exchange);
    } catch (thrown) {
      report(thrown);
      exchange.cut();
    }
  };

  const open = new OpenSockets(options.pingAfter ?? afterByNode);
  const prefixes = [...new Set(['', rootPath])];
  const sockets = (options.sockets ?? []).flatMap((route) => prefixes.map((prefix) => open.hold(route, host, prefix)));
  const { adapter, fallback } = await chosen(options.adapter, maxHeaderBytes);
  const server = adapter.create({
    maxHeaderBytes,
    requestTimeoutMs,
    sockets,
    serve,
    onUnread: options.onUnread ?? (() => {}),
  });
  const bound = await server.listen(options.host, options.port);
  port = bound.port;

  const drain = async (graceMs: number): Promise<void> => {
    stopping = stoppingWithin(graceMs);
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

/** Sets what the exchange adds to its reply, or returns the whole reply to a preflight request. */
const applyCors = (cors: Cors, exchange: Exchange): Reply | undefined => {
  const { headers } = exchange;
  const { origin = '' } = headers;
  const method = headers['access-control-request-method'] ?? '';
  if (exchange.method === 'OPTIONS' && origin !== '' && method !== '') {
    return cors.preflight({ origin, method, headers: headers['access-control-request-headers'] || undefined });
  }
  exchange.extraHeaders = cors.linesFor(origin);
  exchange.exposed = cors.exposes(origin, exchange.headers);
  return undefined;
};

const refusalOf = (
  found: Exclude<Found, { kind: 'route' }>,
  rootPath: string,
  exchange: Exchange,
  port: number,
): Reply => {
  switch (found.kind) {
    case 'nothing':
      return notFound;
    case 'otherMethod':
      return refusal(405, 'Method Not Allowed', { allow: found.allow });
    case 'trailingSlash':
      return {
        status: 307,
        headers: { location: locationOf(rootPath + withoutTrailingSlash(exchange.path), exchange, port) },
      };
  }
};

/**
 * A path, because a proxy knows its own scheme and host better. It begins with one slash: two would begin a host. It
 * has the prefix even if the request has none, because a proxy may have removed it. Clients on this machine without a
 * proxy get a whole URL, as from NAT.
 */
const locationOf = (path: string, { query, headers }: Exchange, port: number): string => {
  const origin = isAskedDirectly(headers, port) ? `http://${headers.host}` : '';
  return `${origin}${path.replace(/^\/+/, '/')}${query === '' ? '' : `?${query}`}`;
};
