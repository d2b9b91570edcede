/** Where there are sockets, and for which workflow. */
import type { Workflow } from '../../runtime/index.ts';
import type { RoutePaths } from '../options.ts';
import type { ConnectionDeps } from './connection.ts';
import { Conversations } from './conversation.ts';
import { inputReader } from './input.ts';
import type { SocketRoute } from './sockets.ts';

export type SocketDeps = Pick<ConnectionDeps, 'runtime' | 'who' | 'identifier' | 'steps' | 'log'>;

/** `functionName` is what steps call the workflow; default `<workflow>`. */
export const socketRoutes = (
  { runtime, who, identifier, steps, log }: SocketDeps,
  workflow: Workflow,
  { websocketPath: path }: Pick<RoutePaths, 'websocketPath'>,
  functionName?: string,
): SocketRoute[] => {
  if (path === null || path === undefined) return [];
  const [conversations, readInput] = [new Conversations(runtime), inputReader(workflow)];
  return [{ path, runtime, who, identifier, steps, log, workflow, functionName, conversations, readInput }];
};
