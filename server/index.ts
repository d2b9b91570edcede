/** A server for workflows: routes, identity and an HTTP adapter, wired to a runtime of their own. */
import {
  createRuntime,
  Failure,
  guardedLog,
  type Runtime,
  type RuntimeSetup,
  silentLog,
  type Workflow,
} from '../runtime/index.ts';
import { changesRoute } from './api/changes.ts';
import { executionStreamRoute } from './api/execution-stream.ts';
import { executionRoutes } from './api/executions.ts';
import { journalRoute } from './api/journal.ts';
import { overviewRoutes, type ServedWorkflow } from './api/overview.ts';
import { openObjectStore } from './files/open.ts';
import { staticRoutes } from './files/routes.ts';
import type { Adapter, AdapterName } from './http/adapter.ts';
import { type Cors, corsFault, createCors } from './http/cors.ts';
import { listen } from './http/listen.ts';
import { createNetwork, type Network } from './http/network.ts';
import { isSentFromElsewhere } from './http/origin.ts';
import { refusal } from './http/problem.ts';
import { problemOf } from './http/problems.ts';
import type { Route } from './http/route.ts';
import { WebAdapter } from './http/web/adapter.ts';
import { Attempts } from './identity/attempts.ts';
import { createWho } from './identity/caller.ts';
import { createIdentifier } from './identity/identifier.ts';
import { createOperatorDoor } from './identity/operator-door.ts';
import { ConsentPages } from './nat/consent-pages.ts';
import { chatRoutes } from './nat/routes/chat.ts';
import { interactionRoutes } from './nat/routes/interactions.ts';
import { jobRoutes } from './nat/routes/jobs.ts';
import { modelRoutes } from './nat/routes/models.ts';
import { oauthRoutes } from './nat/routes/oauth-callback.ts';
import { streamRoutes } from './nat/routes/streams.ts';
import { workflowRoutes } from './nat/routes/workflow.ts';
import { socketRoutes } from './nat/websocket/routes.ts';
import { Sockets } from './nat/websocket/sockets.ts';
import { FALLBACK, SHARED_NAMES, UNREAD } from './notices.ts';
import { openStore } from './open-store.ts';
import { openApiRoutes } from './openapi/routes.ts';
import { consoleRoutes } from './operator/console-routes.ts';
import { InspectorSockets } from './operator/inspector/sockets.ts';
import { inspectorRoute } from './operator/inspector-routes.ts';
import { healthRoute, monitorRoute } from './operator/monitor-routes.ts';
import { operatorRoutes } from './operator/operator-routes.ts';
import { maxChatBytes, type RoutePaths, type ServerOptions, serverDefaults } from './options.ts';
import { listed, newestOf } from './versions.ts';
import { createWire } from './wire/bodies.ts';

export type { ServerOptions } from './options.ts';

export interface ServerSetup extends Pick<RuntimeSetup, 'store' | 'log' | 'clock' | 'random'> {
  /** Served at the paths of `config.workflow`. The newest of its name. */
  readonly workflow: Workflow;
  /**
   * Further ones, which `config.endpoints` name, and older versions, with which open executions go on. Of the same name the one
   * that is listed last is the newest.
   */
  readonly workflows?: readonly Workflow[];
  /** What differs from the defaults. */
  readonly config?: Partial<ServerOptions>;
}

export interface Server {
  readonly runtime: Runtime;
  /** What speaks HTTP. */
  readonly adapter: Adapter['name'];
  /** The one it got, where 0 was asked for. */
  readonly port: number;
  /** `http://host:port`, with the root path. */
  readonly url: string;
  /** Every route and socket there is, as `GET /health` and `SOCKET /websocket`, without the root path. */
  readonly routes: readonly string[];
  /** Requests that wait for their body or their reply, streams, and sockets. */
  readonly openRequests: number;
  /** Takes no new work, lets what executes finish for `stopTimeoutMs`, ends the rest, and closes every connection. */
  close(): Promise<void>;
}

export interface HandlerSetup extends ServerSetup {
  /**
   * The address of the client, where the server around knows it, such as that of a header which only it can set. `trustProxy`
   * counts from there. Default: unknown.
   */
  readonly clientOf?: (request: Request) => string | undefined;
}

/**
 * All routes but sockets, as a function of the Fetch standard. Where it serves below a path, `config.rootPath` says which. It
 * rejects if its connection is to be cut before there is a reply.
 */
export interface Handler {
  (request: Request): Promise<Response>;
  readonly runtime: Runtime;
  /** Requests that wait for their body or their reply, and streams. */
  readonly openRequests: number;
  /** As `Server.close`. */
  close(): Promise<void>;
}

/** Listens when it resolves. Rejects with `options_invalid`, with what a build threw, or if the port is taken. */
export const createServer = (setup: ServerSetup): Promise<Server> => open(setup, setup.config?.adapter);

/**
 * For a server that is there already: Next.js, Hono, Express, Bun, Deno. `host` and `port` do not count. A caller is never an
 * operator for being at this machine, and any name is known unless `allowedHosts` is given. Rejects as `createServer`.
 */
export const createHandler = async ({ clientOf, ...setup }: HandlerSetup): Promise<Handler> => {
  const web = new WebAdapter((request) => ({ host: clientOf?.(request) ?? '', port: 0 }));
  const server = await open({ ...setup, config: { ...setup.config, host: ANY_ADDRESS } }, web);
  const handle = (request: Request): Promise<Response> => web.handle(request);
  return Object.defineProperties(handle, {
    runtime: { value: server.runtime },
    openRequests: { get: () => server.openRequests },
    close: { value: server.close },
  }) as Handler;
};

const ANY_ADDRESS = '0.0.0.0';

const open = async (setup: ServerSetup, adapter: AdapterName | Adapter | undefined): Promise<Server> => {
  const config: ServerOptions = { ...serverDefaults, ...setup.config };
  const { workflow, workflows = [], config: _, ...given } = setup;
  const log = guardedLog(setup.log ?? silentLog);
  const all = listed(workflow, workflows);
  const newest = newestOf(all);
  for (const { functionName } of config.endpoints) named(newest, functionName); // before anything is opened
  const identifier = createIdentifier(config.identity);
  const network = createNetwork(config);
  const fault = corsFault(config.cors);
  if (fault !== undefined) throw new Failure('options_invalid', { detail: `cors ${fault}` });
  for (const warning of identifier.warnings) log.warn({}, warning);
  if (config.sharedAnonymousNames) log.warn({}, SHARED_NAMES);
  const { objectStore } = config;
  const store = objectStore === null ? undefined : await openObjectStore(objectStore, config.maxStoreBytes);
  const opened = given.store === undefined ? await openStore(config) : { store: given.store };
  const { runtime: options, providers } = config;
  const runtime = await createRuntime({ ...given, ...opened, log, workflows: all, options, providers }).catch(
    async (error: unknown) => {
      await opened.store?.close();
      throw error;
    },
  );
  const { operatorKey: keys } = config.identity;
  const attempts = new Attempts(() => runtime.now());
  const door = createOperatorDoor({ identifier, keys, network, attempts });
  const who = createWho({ identifier, door, hasPages: config.console, sharesNames: config.sharedAnonymousNames });
  const wire = createWire(config.rootPath, newest);
  const deps = { runtime, who, wire };
  const streamDeps = { ...deps, stepAdaptor: config.stepAdaptor, cancelOnDisconnect: config.cancelOnDisconnect };
  const problem = problemOf(log);
  const cors = createCors(config.cors);
  const consents = new ConsentPages(providers, cors);
  const { enableInteractiveExtensions } = config;
  const chatDeps = { ...streamDeps, problem, enableInteractiveExtensions, maxChatBytes: maxChatBytes(config) };
  const report = (err: unknown): void => log.error({ err }, 'a request failed');

  const inspector = config.console ? new InspectorSockets(runtime, door, network) : undefined;
  const isGuarded = keys !== undefined;
  const jobs = [
    ...jobRoutes(deps, workflow, pathsOf(config, config.workflow)),
    ...config.endpoints.flatMap((endpoint) =>
      jobRoutes(deps, named(newest, endpoint.functionName), pathsOf(config, endpoint)),
    ),
  ];

  const served = servedBy(config, workflow, newest);
  const routes: Route[] = [
    ...(config.oauthCallbackPath === null
      ? []
      : oauthRoutes({ ...deps, consents }, config.oauthCallbackPath, config.cors.allowOrigins ?? [])),
    ...executionRoutes(deps),
    executionStreamRoute(deps),
    journalRoute(deps),
    changesRoute(deps),
    ...overviewRoutes({ ...deps, rootPath: config.rootPath, served, hasConsole: config.console }),
    ...modelRoutes(served, runtime.now()),
    ...interactionRoutes(deps),
    ...(config.monitorUsers ? [monitorRoute(runtime, door, network, isGuarded)] : []),
    ...(config.console ? [...consoleRoutes(), inspectorRoute(door, config.rootPath), ...operatorRoutes(door)] : []),
    healthRoute,
    ...workflowRoutes(deps, workflow, pathsOf(config, config.workflow)),
    ...streamRoutes(streamDeps, workflow, pathsOf(config, config.workflow)),
    ...chatRoutes(chatDeps, workflow, pathsOf(config, config.workflow)),
    ...config.endpoints.flatMap((endpoint) =>
      workflowRoutes(deps, named(newest, endpoint.functionName), pathsOf(config, endpoint)),
    ),
    ...config.endpoints.flatMap((endpoint) => {
      const { functionName } = endpoint;
      return streamRoutes(streamDeps, named(newest, functionName), pathsOf(config, endpoint), functionName);
    }),
    ...config.endpoints.flatMap((endpoint) => {
      const { functionName } = endpoint;
      return chatRoutes(chatDeps, named(newest, functionName), pathsOf(config, endpoint), functionName);
    }),
    ...(config.asyncJobs ? jobs : []),
    ...(store === undefined ? [] : staticRoutes({ ...config, store, who, cors, isGuarded })),
  ];

  routes.push(...openApiRoutes(routes, newest, config.rootPath));

  const socketDeps = { ...deps, identifier, network, steps: config.stepAdaptor, log, consents };
  const spoken = [
    ...socketRoutes(socketDeps, workflow, config.workflow),
    ...config.endpoints.flatMap((endpoint) => {
      const { functionName } = endpoint;
      return socketRoutes(socketDeps, named(newest, functionName), endpoint, functionName);
    }),
  ];
  const sockets = new Sockets(spoken, config.sockets);
  const socketPaths = [...spoken.map(({ path }) => path), ...(inspector === undefined ? [] : [inspector.path])];

  try {
    const { host, rootPath } = config;
    const http = await listen({
      ...config.limits,
      adapter,
      host,
      port: config.port,
      routes: routes.map((route) => guarded(route, network, cors, config.oauthCallbackPath)),
      network,
      sockets: [sockets, ...(inspector ? [inspector] : [])],
      rootPath,
      cors: config.cors,
      problem,
      onError: report,
      onUnread: () => log.info({}, UNREAD),
    });
    if (http.fallback !== undefined) log.warn({ adapter: http.adapter, reason: http.fallback }, FALLBACK);
    return {
      runtime,
      adapter: http.adapter,
      port: http.port,
      url: `http://${host.includes(':') ? `[${host}]` : host}:${http.port}${rootPath}`,
      routes: [
        ...routes.map(({ method, path }) => `${method} ${path}`),
        ...socketPaths.map((path) => `SOCKET ${path}`),
      ],
      get openRequests() {
        return http.openRequests;
      },
      close: async () => {
        // Runs end first, so that requests which wait for one are answered before their connections close.
        const closing = http.close({ graceMs: runtime.options.stopTimeoutMs + REPLY_GRACE_MS });
        await runtime.stop();
        sockets.close();
        inspector?.close();
        await closing;
      },
    };
  } catch (error) {
    await runtime.stop();
    throw error;
  }
};

/**
 * No route is there under a name that is not ours: its page could be anybody's. A GET that starts a run is not for pages of
 * others, which can make every browser send one. A provider sends browsers back from its own page, to `callback`.
 */
const guarded = (route: Route, network: Network, cors: Cors, callback: string | null): Route => {
  const isStart = route.method === 'GET' && route.isUnsafe === true && route.path !== callback;
  return {
    ...route,
    handle(call) {
      network.checkHost(call.headers);
      if (isStart && isSentFromElsewhere(call.headers, cors)) return foreignPage;
      return route.handle(call);
    },
  };
};

const foreignPage = refusal(403, 'Pages of this origin may not start runs; set cors.allow_origins to those that may.');

/** What replies get to be written after the last run has ended. */
const REPLY_GRACE_MS = 1_000;

const pathsOf = ({ disableLegacyRoutes }: ServerOptions, paths: RoutePaths): RoutePaths =>
  disableLegacyRoutes ? { ...paths, legacyPath: null, legacyOpenaiApiPath: null } : paths;

const servedBy = (config: ServerOptions, workflow: Workflow, newest: readonly Workflow[]): ServedWorkflow[] => [
  { workflow, paths: config.workflow },
  ...config.endpoints.map((paths) => ({ workflow: named(newest, paths.functionName), paths })),
];

const named = (workflows: readonly Workflow[], name: string): Workflow => {
  const found = workflows.find((workflow) => workflow.name === name);
  if (found !== undefined) return found;
  const detail = `endpoints: no workflow is named ${name}; there are ${workflows.map((known) => known.name).join(', ')}`;
  throw new Failure('options_invalid', { detail });
};
