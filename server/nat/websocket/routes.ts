/** Where there are sockets, and for which workflow. */
import type { Workflow } from '../../../runtime/index.ts';
import type { RoutePaths } from '../../options.ts';
import { Conversations } from './conversation.ts';
import { inputReader } from './input.ts';
import type { SocketRoute } from './sockets.ts';

export type SocketDeps = Pick<SocketRoute, 'runtime' | 'who' | 'identifier' | 'network' | 'steps' | 'log' | 'consents'>;

/** `functionName` is what steps call the workflow; default `<workflow>`. */
export const socketRoutes = (
  deps: SocketDeps,
  workflow: Workflow,
  { websocketPath: path }: Pick<RoutePaths, 'websocketPath'>,
  functionName?: string,
): SocketRoute[] => {
  if (path === null || path === undefined) return [];
  const [conversations, readInput] = [new Conversations(deps.runtime), inputReader(workflow)];
  return [{ ...deps, path, workflow, functionName, conversations, readInput }];
};
