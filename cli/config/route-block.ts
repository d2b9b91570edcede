/** The paths of a workflow, as the configuration gives them. Whether two routes collide, the server finds out when it starts. */

import type { RoutePaths } from '../../server/options.ts';

export type RouteBlock = Required<RoutePaths>;

type PathName = Exclude<keyof RouteBlock, 'method'>;

export const pathNames: readonly PathName[] = [
  'path',
  'websocketPath',
  'openaiApiPath',
  'openaiApiV1Path',
  'legacyPath',
  'legacyOpenaiApiPath',
];

export const hasPath = (block: RouteBlock): boolean => pathNames.some((name) => block[name] !== null);
