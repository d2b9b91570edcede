/** A server for workflows: routes, identity and an HTTP adapter, wired to a runtime of their own. */
import { createRuntime, Failure, guardedLog, type Runtime, silentLog } from '../runtime/index.ts';
import type { Adapter, AdapterName } from './http/adapter.ts';
import { corsFault, createCors } from './http/cors.ts';
import { listen } from './http/listen.ts';
import { createNetwork } from './http/network.ts';
import { problemOf } from './http/problems.ts';
import { WebAdapter } from './http/web/adapter.ts';
import { Attempts } from './identity/attempts.ts';
import { createWho } from './identity/caller.ts';
import { createIdentifier } from './identity/identifier.ts';
import { createOperatorAccess } from './identity/operator-access.ts';
import { guarded, mount, servedBy } from './mount.ts';
import { consentLinkOf } from './nat/consent-links.ts';
import { FALLBACK, LOST_BYTES, SHARED_NAMES, UNREAD } from './notices.ts';
import { openStore } from './open-store.ts';
import type { ServerOptions } from './options.ts';
import { ourProtocols } from './protocols.ts';
import { type HandlerSetup, type ServerSetup, settingsOf } from './setup.ts';
import { listed, newestOf } from './versions.ts';
import { createWire } from './wire/bodies.ts';

export type { Call, Reply, Route } from './http/route.ts';
export type { SocketRoute } from './http/sockets.ts';
export type { ServerOptions } from './options.ts';
export type { App, Mounted, Protocol } from './protocol.ts';
export { api, files, nat, openApi, operator, ourProtocols } from './protocols.ts';
export type { HandlerSetup, ServerSetup } from './setup.ts';

export interface Server {
  readonly runtime: Runtime;
  /** The HTTP library in use. */
  readonly adapter: Adapter['name'];
  /** The actual port, if the setting is 0. */
  readonly port: number;
  /** `http://host:port`, with the root path. */
  readonly url: string;
  /** Every route and socket, such as `GET /health` and `SOCKET /websocket`, without the root path. */
  readonly routes: readonly string[];
  /** Requests that wait for their body or their reply, streams, and sockets. */
  readonly openRequests: number;
  /**
   * Accepts no new work, gives running executions `stopTimeoutMs` to finish, ends the others, and closes every
   * connection.
   */
  close(): Promise<void>;
}

/**
 * All routes except sockets, as a function of the Fetch standard. `config.rootPath` is the path where it is mounted. It
 * rejects if its connection is to be cut before a reply.
 */
export interface Handler {
  (request: Request): Promise<Response>;
  readonly runtime: Runtime;
  /** Requests that wait for their body or their reply, and streams. */
  readonly openRequests: number;
  /** Like `Server.close`. */
  close(): Promise<void>;
}

/** Resolves when it listens. Rejects with `options_invalid`, with the error of a build, or if the port is in use. */
export const createServer = async (setup: ServerSetup): Promise<Server> => {
  const config = settingsOf(setup);
  return open(setup, config, config.adapter);
};

/**
 * For an existing server: Next.js, Hono, Express, Bun, Deno. `host` and `port` have no effect. A local address does not
 * make an operator, and any host name is accepted unless `allowedHosts` is set. Rejects like `createServer`.
 */
export const createHandler = async (setup: HandlerSetup): Promise<Handler> => {
  const config = settingsOf(setup);
  const { clientOf, ...rest } = setup;
  const web = new WebAdapter((request) => ({ host: clientOf?.(request) ?? '', port: 0 }));
  const server = await open(rest, { ...config, host: ANY_ADDRESS }, web);
  const handle = (request: Request): Promise<Response> => web.handle(request);
  return Object.defineProperties(handle, {
    runtime: { value: server.runtime },
    openRequests: { get: () => server.openRequests },
    close: { value: server.close },
  }) as Handler;
};

const ANY_ADDRESS = '0.0.0.0';

const open = async (
  setup: ServerSetup,
  config: ServerOptions,
  adapter: AdapterName | Adapter | undefined,
): Promise<Server> => {
  const { workflow, workflows: others = [], config: _, protocols, ...given } = setup;
  const log = guardedLog(setup.log ?? silentLog);
  const all = listed(workflow, others);
  const workflows = newestOf(all);
  const served = servedBy(config, workflow, workflows); // before anything is opened
  const identifier = createIdentifier(config.identity);
  const network = createNetwork(config);
  const fault = corsFault(config.cors);
  if (fault !== undefined) throw new Failure('options_invalid', { detail: `cors ${fault}` });
  for (const warning of identifier.warnings) log.warn({}, warning);
  if (config.sharedAnonymousNames) log.warn({}, SHARED_NAMES);
  const opened = given.store === undefined ? await openStore(config) : { store: given.store };
  const { runtime: options, providers } = config;
  const consentLink = consentLinkOf(config);
  const setupOfRuntime = { ...given, ...opened, log, workflows: all, options, providers, consentLink };
  const runtime = await createRuntime(setupOfRuntime).catch(async (error: unknown) => {
    await opened.store?.close();
    throw error;
  });
  const attempts = new Attempts(() => runtime.now());
  const operators = createOperatorAccess({ identifier, keys: config.identity.operatorKey, network, attempts });
  const who = createWho({ identifier, operators, hasPages: config.console, sharesNames: config.sharedAnonymousNames });
  const wire = createWire(config.rootPath, workflows);
  const [cors, problem] = [createCors(config.cors), problemOf(log)];
  const shared = { runtime, config, log, workflows, served, wire, who, identifier, operators, network, cors, problem };

  try {
    const { routes, sockets, close } = await mount(protocols ?? ourProtocols(), shared);
    const { host, port, rootPath } = config;
    const http = await listen({
      ...config.limits,
      // uWebSockets.js loses bytes at both ends of a header: two users of a proxy could be one.
      adapter: adapter ?? (identifier.header === undefined ? undefined : 'node'),
      host,
      port,
      routes: routes.map((route) => guarded(route, network, cors)),
      network,
      sockets,
      pingAfter: (ms, run) => runtime.after(ms, run),
      rootPath,
      cors: config.cors,
      problem,
      onError: (err) => void problem(err), // a refusal whose client has left is no error
      onUnread: () => log.info({}, UNREAD),
    });
    if (identifier.header !== undefined && http.adapter === 'uws') log.warn({ header: identifier.header }, LOST_BYTES);
    if (http.fallback !== undefined) log.warn({ adapter: http.adapter, reason: http.fallback }, FALLBACK);
    return {
      runtime,
      adapter: http.adapter,
      port: http.port,
      url: `http://${host.includes(':') ? `[${host}]` : host}:${http.port}${rootPath}`,
      routes: [
        ...routes.map(({ method, path }) => `${method} ${path}`),
        ...sockets.map(({ path }) => `SOCKET ${path}`),
      ],
      get openRequests() {
        return http.openRequests;
      },
      close: async () => {
        // Runs end first, so that requests that wait for them get a reply before their connections close.
        const closing = http.close({ graceMs: runtime.options.stopTimeoutMs + REPLY_GRACE_MS });
        await runtime.stop();
        http.closeSockets();
        await close();
        await closing;
      },
    };
  } catch (error) {
    await runtime.stop();
    throw error;
  }
};

/** Time for writing replies after the end of the last run. Milliseconds. */
const REPLY_GRACE_MS = 1_000;
