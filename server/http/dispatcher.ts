/** From a request to its reply: finds the route, reads the body, and answers requests that reach no route. */
import type { AdapterRequest } from './adapter.ts';
import { type BodyLimits, framingFault, hasBody, readBody } from './body.ts';
import type { Cors } from './cors.ts';
import { Exchange } from './exchange.ts';
import type { Host } from './host.ts';
import { isAskedDirectly } from './network.ts';
import { problem, refusal } from './problem.ts';
import type { Reply, Route } from './route.ts';
import { createRouter, type Found, type Router, withoutTrailingSlash } from './router.ts';

export interface DispatcherOptions {
  readonly host: Host;
  readonly routes: readonly Route[];
  /** Prefix under which routes also answer; `''` for none. */
  readonly rootPath: string;
  readonly cors: Cors | undefined;
  readonly limits: BodyLimits & {
    /** Bytes of large bodies that routes are handling; beyond them a further one gets 503. */
    readonly maxHandledBytes: number;
  };
}

/** Bytes from which on a body counts among those that are handled. */
const LARGE_BODY = 64 * 1024;
/** Maximum bytes of these, all together; each may be in memory several times while it is handled. */
export const MAX_HANDLED = 256 * 1024 * 1024;

export class Dispatcher {
  /** The reply to every request once the server is about to end. */
  stopping: Reply | undefined;
  /** Known after listening on all addresses. */
  port = 0;
  readonly #host: Host;
  readonly #router: Router;
  readonly #rootPath: string;
  readonly #cors: Cors | undefined;
  readonly #limits: DispatcherOptions['limits'];
  readonly #tooSlow: Reply;
  /** Bytes of the large bodies that routes are handling. */
  #handled = 0;

  constructor({ host, routes, rootPath, cors, limits }: DispatcherOptions) {
    this.#host = host;
    this.#router = createRouter(routes, rootPath);
    this.#rootPath = rootPath;
    this.#cors = cors;
    this.#limits = limits;
    const detail = `The request body must be complete within ${limits.requestTimeoutMs} ms.`;
    this.#tooSlow = problem(408, 'Request Timeout', detail);
  }

  /** An uncaught exception would end the process. */
  serve(request: AdapterRequest): void {
    const exchange = new Exchange(this.#host, request, this.#router.inner(request.path));
    try {
      this.#answer(request, exchange);
    } catch (thrown) {
      this.#host.report(thrown);
      exchange.cut();
    }
  }

  #answer(request: AdapterRequest, exchange: Exchange): void {
    const { path: url } = request;
    exchange.fullPath = url;
    const { headers } = exchange;
    const preflight = this.#cors && applyCors(this.#cors, exchange);
    const fault = framingFault(headers) ?? request.fault;
    const last = fault !== undefined ? problem(400, 'Bad Request', fault) : this.stopping;
    const found = this.#router.find(exchange.method, exchange.path);

    if (last !== undefined) {
      exchange.reply(found.kind === 'route' ? asRefused(found.route, last, exchange) : last, true);
    } else if (preflight !== undefined) {
      exchange.reply(preflight);
    } else if (found.kind !== 'route') {
      this.#refuse(refusalOf(found, this.#rootPath, exchange, this.port), request, exchange);
    } else {
      exchange.params = found.params;
      exchange.isPublic = found.route.isPublic === true;
      if (hasBody(headers)) this.#runWithBody(request, exchange, found.route);
      else run(exchange, found.route);
    }
  }

  /** A body in chunks is dropped first: its reply may end the connection, and the client would not read it. */
  #refuse(reply: Reply, request: AdapterRequest, exchange: Exchange): void {
    if (exchange.headers['transfer-encoding'] === undefined) {
      exchange.reply(reply);
      return;
    }
    exchange.defer();
    readBody(request, exchange, Number.NaN, { ...this.#limits, maxBodyBytes: 0 }, (outcome) => {
      exchange.reply(reply, outcome !== undefined && outcome !== 'tooLarge');
    });
  }

  #runWithBody(request: AdapterRequest, exchange: Exchange, route: Route): void {
    const announced = Number(exchange.headers['content-length']);
    const { maxBodyBytes: own } = route;
    const allowed = own === undefined ? this.#limits : { ...this.#limits, maxBodyBytes: own };
    exchange.defer();
    readBody(request, exchange, announced, allowed, (outcome) => {
      if (outcome === 'tooLarge') {
        exchange.reply(asRefused(route, tooLarge(allowed.maxBodyBytes), exchange));
      } else if (outcome === 'farTooLarge') {
        exchange.reply(asRefused(route, tooLarge(allowed.maxBodyBytes), exchange), true);
      } else if (outcome === 'crowdedOut') {
        exchange.reply(asRefused(route, crowdedOut, exchange), true);
      } else if (outcome === 'tooSlow') {
        exchange.reply(asRefused(route, this.#tooSlow, exchange), true);
      } else if (outcome === undefined || outcome.length < LARGE_BODY) {
        exchange.body = outcome;
        run(exchange, route);
      } else {
        this.#runWithLarge(outcome, exchange, route);
      }
    });
  }

  /** It counts until the route has finished, also after a disconnect. */
  #runWithLarge(body: Buffer, exchange: Exchange, route: Route): void {
    const { length } = body;
    if (this.#handled > 0 && this.#handled + length > this.#limits.maxHandledBytes) {
      exchange.reply(asRefused(route, crowdedOut, exchange));
      return;
    }
    this.#handled += length;
    exchange.body = body;
    const finished = (): void => {
      this.#handled -= length;
    };
    const running = run(exchange, route);
    if (running === undefined) finished();
    else void running.then(finished, finished);
  }
}

/** A promise if the route replies later. */
const run = (exchange: Exchange, route: Route): Promise<void> | undefined => {
  try {
    const replied = route.handle(exchange);
    if (replied instanceof Promise) {
      exchange.defer();
      return replied.then(
        (reply) => exchange.reply(reply),
        (thrown: unknown) => exchange.fail(thrown),
      );
    }
    exchange.reply(replied);
  } catch (thrown) {
    exchange.fail(thrown);
  }
  return undefined;
};

const asRefused = (route: Route, reply: Reply, exchange: Exchange): Reply => route.refused?.(reply, exchange) ?? reply;

const notFound = refusal(404, 'Not Found');
const tooLarge = (maxBodyBytes: number): Reply =>
  problem(413, 'Content Too Large', `A request body may have ${maxBodyBytes} bytes at most.`);
const crowdedOut: Reply = {
  ...problem(503, 'Service Unavailable', 'The server is handling too many request bodies: send this one again later.'),
  headers: { 'content-type': 'application/problem+json', 'retry-after': '5' },
};

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
