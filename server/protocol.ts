/**
 * The interface between a server and its protocols. A protocol is a folder with one function of this type. The function
 * gets the parts of the server, and returns its routes and sockets. It reaches executions by `app.runtime`, and knows
 * no other protocol.
 */
import type { Log, Runtime, Workflow } from '../runtime/index.ts';
import type { Cors } from './http/cors.ts';
import type { Network } from './http/network.ts';
import type { Reply, Route } from './http/route.ts';
import type { SocketRoute } from './http/sockets.ts';
import type { Who } from './identity/caller.ts';
import type { Identifier } from './identity/identifier.ts';
import type { OperatorAccess } from './identity/operator-access.ts';
import type { ServerOptions } from './options.ts';
import type { Wire } from './wire/bodies.ts';
import type { ServedWorkflow } from './wire/served.ts';

/** Called once, before the server listens. An error stops the start. */
export type Protocol = (app: App) => Mounted | Promise<Mounted>;

/** The parts of a server. */
export interface App {
  readonly runtime: Runtime;
  readonly config: ServerOptions;
  readonly log: Log;
  /** The newest version of each workflow. */
  readonly workflows: readonly Workflow[];
  /** The workflows of the configuration, with their paths. */
  readonly served: readonly ServedWorkflow[];
  /** Bodies that several protocols share. */
  readonly wire: Wire;
  /** Identifies callers. */
  readonly who: Who;
  readonly identifier: Identifier;
  /** Recognizes operators. */
  readonly operators: OperatorAccess;
  readonly network: Network;
  readonly cors: Cors;
  /** The reply to an error. Routes need not call it: the server does. */
  readonly problem: (thrown: unknown) => Reply;
  /** All routes of the server. Complete once every protocol is mounted, so read it during a request. */
  readonly routes: readonly Route[];
}

export interface Mounted {
  /** For messages, e.g. `nat`. */
  readonly name: string;
  readonly routes: readonly Route[];
  readonly sockets?: readonly SocketRoute[];
  /** Called when all runs have ended. */
  readonly close?: () => void | Promise<void>;
}
