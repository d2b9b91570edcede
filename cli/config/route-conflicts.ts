/** Two routes cannot have the same path: the second would never be reached. NAT defines the routes of a path. */

import type { RoutePaths } from '../../server/options.ts';
import { nameOf } from './reader.ts';

export interface RouteBlock extends RoutePaths {
  readonly websocketPath: string | null;
  readonly openaiApiPath: string | null;
  /** Only with POST. */
  readonly openaiApiV1Path: string | null;
  readonly legacyOpenaiApiPath: string | null;
}

/** A block with its place in the configuration, such as `['general', 'front_end', 'workflow']`. */
export type PlacedBlock = { readonly place: readonly (string | number)[]; readonly block: RouteBlock };

export type RouteProblem = { readonly path: readonly (string | number)[]; readonly what: string };

export interface FixedRoutes {
  readonly oauthCallbackPath: string | null;
  readonly monitorUsers: boolean;
  readonly console: boolean;
  readonly disableLegacyRoutes: boolean;
  readonly asyncJobs: boolean;
  readonly objectStore: string | null;
}

type PathName = Exclude<keyof RouteBlock, 'method'>;

/** The names in the file, in the order in which routes are added, and the routes below each path. */
const families: readonly (readonly [name: PathName, inFile: string, below: readonly string[]])[] = [
  ['path', 'path', ['', '/stream', '/full', '/atif']],
  ['websocketPath', 'websocket_path', ['']],
  ['openaiApiPath', 'openai_api_path', ['', '/stream']],
  ['openaiApiV1Path', 'openai_api_v1_path', ['']],
  ['legacyPath', 'legacy_path', ['', '/stream', '/full']],
  ['legacyOpenaiApiPath', 'legacy_openai_api_path', ['', '/stream']],
];

const OPERATOR_ROUTES = ['GET /inspect', 'GET /inspect/socket', 'POST /operator'] as const;

export const pathNames: readonly PathName[] = families.map(([name]) => name);

export const hasPath = (block: RouteBlock): boolean => pathNames.some((name) => block[name] !== null);

export const routeProblems = (blocks: readonly PlacedBlock[], fixed: FixedRoutes): RouteProblem[] => {
  const taken = new Map<string, string>([['GET /health', 'the health of the server']]);
  if (fixed.monitorUsers) taken.set('GET /monitor/users', 'enable_per_user_monitoring');
  if (fixed.console) for (const route of OPERATOR_ROUTES) taken.set(route, 'fermata.console');
  const problems: RouteProblem[] = [];

  const claim = (path: RouteProblem['path'], routes: readonly string[]): void => {
    const route = routes.find((wanted) => taken.has(wanted));
    if (route !== undefined) problems.push({ path, what: `${route} is there already, for ${taken.get(route)}` });
    else if (routes.some((wanted) => /^\w+ \/executions(\/|$)/.test(wanted))) {
      problems.push({ path, what: 'paths below /executions are taken' });
    } else if (fixed.objectStore !== null && routes.some((wanted) => /^\w+ \/static\//.test(wanted))) {
      problems.push({ path, what: 'paths below /static are taken, for fermata.object_store' });
    } else for (const wanted of routes) taken.set(wanted, nameOf(path));
  };

  if (fixed.oauthCallbackPath !== null) {
    const path = ['general', 'front_end', 'oauth2_callback_path'];
    claim(path, [`GET ${fixed.oauthCallbackPath}`, `POST ${fixed.oauthCallbackPath}`]);
  }
  for (const { place, block } of blocks) {
    for (const [name, inFile, below] of families) {
      const path = block[name];
      const isOff = name.startsWith('legacy') && fixed.disableLegacyRoutes;
      // NAT serves both forms of chat at such a path, as with `openai_api_v1_path`, and nothing below.
      const isV1 = name === 'openaiApiPath' && path === block.openaiApiV1Path;
      if (path === null || isOff || isV1) continue;
      const hasJobs = fixed.asyncJobs && block.method === 'POST' && (name === 'path' || name === 'legacyPath');
      const method = name === 'websocketPath' ? 'GET' : block.method;
      claim(
        [...place, inFile],
        [...below, ...(hasJobs ? ['/async'] : [])].map((suffix) => `${method} ${path}${suffix}`),
      );
    }
    if (block.openaiApiV1Path !== null && block.method !== 'POST') {
      problems.push({ path: [...place, 'openai_api_v1_path'], what: 'needs method POST, or null' });
    }
  }
  return problems;
};
