/**
 * The seam between a server and the protocols that it speaks. A protocol is a folder with one function of this type: it gets
 * what the server has, and gives its routes and sockets. It reaches executions by `app.runtime`, and knows no other protocol.
 */
import type { JsonSchema, Log, Runtime, Workflow } from '../runtime/index.ts';
import type { Cors } from './http/cors.ts';
import type { Network } from './http/network.ts';
import type { Reply, Route } from './http/route.ts';
import type { SocketRoute } from './http/sockets.ts';
import type { Who } from './identity/caller.ts';
import type { Identifier } from './identity/identifier.ts';
import type { OperatorDoor } from './identity/operator-door.ts';
import type { ServerOptions } from './options.ts';
import type { Wire } from './wire/bodies.ts';
import type { ServedWorkflow } from './wire/served.ts';

/** Called once, before the server listens. What it throws keeps the server from starting. */
export type Protocol = (app: App) => Mounted | Promise<Mounted>;

/** What a server has. */
export interface App {
  readonly runtime: Runtime;
  readonly config: ServerOptions;
  readonly log: Log;
  /** The newest version of each workflow. */
  readonly workflows: readonly Workflow[];
  /** Those that the configuration serves, and where. */
  readonly served: readonly ServedWorkflow[];
  /** Bodies that several protocols share. */
  readonly wire: Wire;
  /** Who calls. */
  readonly who: Who;
  readonly identifier: Identifier;
  /** Who may operate. */
  readonly door: OperatorDoor;
  readonly network: Network;
  readonly cors: Cors;
  /** The reply for what was thrown. Routes need not call it: the server does. */
  readonly problem: (thrown: unknown) => Reply;
  /** All routes of the server. Complete once every protocol is mounted: read it when a request comes. */
  readonly routes: readonly Route[];
  /** All schemas that the routes refer to, by name. Complete as `routes` is. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export interface Mounted {
  /** For messages, e.g. `nat`. */
  readonly name: string;
  readonly routes: readonly Route[];
  readonly sockets?: readonly SocketRoute[];
  /** Schemas that its routes refer to, beside those of `wire/schemas.ts`. */
  readonly schemas?: Readonly<Record<string, JsonSchema>>;
  /** Called when all runs have ended. */
  readonly close?: () => void | Promise<void>;
}
