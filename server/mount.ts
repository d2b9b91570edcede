/** Mounts protocols: adds their routes and sockets to one server. */
import { Failure, type Workflow } from '../runtime/index.ts';
import type { Cors } from './http/cors.ts';
import type { Network } from './http/network.ts';
import { isSentFromElsewhere } from './http/origin.ts';
import { refusal } from './http/problem.ts';
import type { Route } from './http/route.ts';
import { overlapsOf } from './http/router.ts';
import type { SocketRoute } from './http/sockets.ts';
import type { ServerOptions } from './options.ts';
import type { App, Mounted, Protocol } from './protocol.ts';
import type { RoutePaths, ServedWorkflow } from './wire/served.ts';

export interface Table {
  readonly routes: readonly Route[];
  readonly sockets: readonly SocketRoute[];
  /** Closes what the protocols have opened. */
  close(): Promise<void>;
}

export const mount = async (protocols: readonly Protocol[], shared: Omit<App, 'routes'>): Promise<Table> => {
  const routes: Route[] = [];
  const app: App = { ...shared, routes };
  const mounted: Mounted[] = [];
  const owners = new Map<Route, Owner>();
  const close = async (): Promise<void> => {
    for (const one of mounted) await one.close?.();
  };
  try {
    for (const protocol of protocols) {
      const one = await protocol(app);
      mounted.push(one);
      routes.push(...one.routes);
      for (const route of [...one.routes, ...(one.sockets ?? []).map(openingOf)]) {
        owners.set({ ...route }, { protocol: one.name, setting: route.setting });
      }
    }
    requireApart(owners);
  } catch (error) {
    await close();
    throw error;
  }
  return { routes, sockets: mounted.flatMap(({ sockets = [] }) => sockets), close };
};

interface Owner {
  readonly protocol: string;
  readonly setting: string | undefined;
}

/** A request to open a socket is a GET. */
const openingOf = ({ path, setting }: SocketRoute): Route => ({
  method: 'GET',
  path,
  ...(setting !== undefined && { setting }),
  handle: () => refusal(404, 'Not Found'),
});

/** Throws `options_invalid` for routes that can answer the same request. One setting of one protocol may have routes that overlap. */
const requireApart = (owners: ReadonlyMap<Route, Owner>): void => {
  const wrong = new Map<string, string>();
  for (const pair of overlapsOf([...owners.keys()])) {
    const [one, other] = [owners.get(pair[0])!, owners.get(pair[1])!];
    const isOneOwner = one.protocol === other.protocol && one.setting === other.setting;
    if (isOneOwner && pair[0].path !== pair[1].path) continue;
    const [first, second] = pair.map((route) => `${route.method} ${route.path} of ${shown(owners.get(route)!)}`);
    const settings = [...new Set([one, other].flatMap(({ setting }) => setting ?? []))];
    const mend = settings.length > 0 ? `change ${settings.join(' or ')}` : 'give one of them another path';
    const key = `${shown(one)} ${shown(other)}`;
    if (!wrong.has(key)) wrong.set(key, `${first} and ${second} answer the same requests: ${mend}`);
  }
  if (wrong.size > 0) throw new Failure('options_invalid', { detail: [...wrong.values()].join('\n') });
};

const shown = ({ protocol, setting }: Owner): string => (setting === undefined ? protocol : `${protocol} (${setting})`);

/**
 * Unknown host names get no route, because their pages could belong to anyone. A GET that starts a run is refused to
 * pages of other sites, because they can make every browser send one.
 */
export const guarded = (route: Route, network: Network, cors: Cors): Route => {
  const isForOwnPages = route.method === 'GET' && route.isUnsafe === true && route.isForeign !== true;
  return {
    ...route,
    handle(call) {
      network.checkHost(call.headers);
      if (isForOwnPages && isSentFromElsewhere(call.headers, cors)) return foreignPage;
      return route.handle(call);
    },
  };
};

const foreignPage = refusal(403, 'Pages of this origin may not start runs; set cors.allow_origins to those that may.');

/** Throws `options_invalid` for an endpoint with an unknown workflow. */
export const servedBy = (
  config: ServerOptions,
  workflow: Workflow,
  workflows: readonly Workflow[],
): readonly ServedWorkflow[] => [
  { workflow, functionName: undefined, paths: pathsOf(config, config.workflow), setting: 'workflow' },
  ...config.endpoints.map((endpoint, at) => ({
    workflow: named(workflows, endpoint.functionName),
    functionName: endpoint.functionName,
    paths: pathsOf(config, endpoint),
    setting: `endpoints[${at}]`,
  })),
];

const pathsOf = ({ disableLegacyRoutes }: ServerOptions, paths: RoutePaths): RoutePaths =>
  disableLegacyRoutes ? { ...paths, legacyPath: null, legacyOpenaiApiPath: null } : paths;

const named = (workflows: readonly Workflow[], name: string): Workflow => {
  const found = workflows.find((workflow) => workflow.name === name);
  if (found !== undefined) return found;
  const detail = `endpoints: no workflow is named ${name}; there are ${workflows.map((known) => known.name).join(', ')}`;
  throw new Failure('options_invalid', { detail });
};
