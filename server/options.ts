/** Every option of the server, with its default. The YAML file, the environment and the command line end here too. */
import type { OAuthProviderConfig, RuntimeOptions } from '../runtime/index.ts';
import { type FilesOptions, filesDefaults } from './files/options.ts';
import type { AdapterName } from './http/adapter.ts';
import type { CorsOptions } from './http/cors.ts';
import type { IdentityOptions } from './identity/identifier.ts';
import { type NatOptions, natDefaults } from './nat/options.ts';
import { type OperatorOptions, operatorDefaults } from './operator/options.ts';
import type { RoutePaths } from './wire/served.ts';

export type { RoutePaths } from './wire/served.ts';

/** Those of the protocols stand in the folders of these. */
export interface ServerOptions extends NatOptions, FilesOptions, OperatorOptions {
  /**
   * What speaks HTTP: uWebSockets.js (`uws`), or node:http and ws (`node`). Default: the first where its binary loads, else the
   * second.
   */
  readonly adapter: AdapterName | undefined;
  /** Default `localhost`. */
  readonly host: string;
  /** Default 8000; 0 takes a free one. */
  readonly port: number;
  /** Prefix under which routes answer too, and with which paths in bodies begin. Default none. */
  readonly rootPath: string;
  /** Default: no other origin may call. */
  readonly cors: CorsOptions;
  readonly workflow: RoutePaths;
  /** Further workflows, by name. */
  readonly endpoints: readonly (RoutePaths & { readonly functionName: string })[];
  readonly disableLegacyRoutes: boolean;
  /**
   * The directory in which executions are kept. Null: they are in memory, and end with the process. Default null; that of
   * the command line is `./.fermata`.
   */
  readonly data: string | null;
  /** Bytes of the file there; beyond it the settled executions go whose retention ends first. Default 4_294_967_296. */
  readonly maxDataBytes: number;
  /** Seals tokens and credentials there; at least 16 characters. Default: they are in memory only. */
  readonly dataSecret: string | undefined;
  readonly identity: IdentityOptions;
  /** Proxies whose forwarding headers count, see `NetworkOptions`. Default none. */
  readonly trustProxy: readonly string[];
  /** Names under which the server may be asked for, see `NetworkOptions`. Default: those of loopback where it is bound there, else any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Whether callers without identity share the names of jobs and conversations, as on NAT. Default false. */
  readonly sharedAnonymousNames: boolean;
  readonly providers: Readonly<Record<string, OAuthProviderConfig>>;
  readonly runtime: RuntimeOptions;
  readonly limits: {
    /** Default 1_048_576; then chats, which may have images in them, may have 16 times as much. */
    readonly maxBodyBytes: number;
    /** Default 16_384. */
    readonly maxHeaderBytes: number;
    /** How long a request body may take to come. Default 30_000. */
    readonly requestTimeoutMs: number;
  };
}

export const LEAST_DATA_SECRET = 16;

export const serverDefaults: ServerOptions = {
  ...natDefaults,
  ...filesDefaults,
  ...operatorDefaults,
  adapter: undefined,
  host: 'localhost',
  port: 8000,
  rootPath: '',
  cors: {},
  workflow: {
    method: 'POST',
    path: '/v1/workflow',
    legacyPath: '/generate',
    websocketPath: '/websocket',
    openaiApiPath: '/v1/chat',
    openaiApiV1Path: '/v1/chat/completions',
    legacyOpenaiApiPath: '/chat',
  },
  endpoints: [],
  disableLegacyRoutes: false,
  data: null,
  maxDataBytes: 4 * 1024 ** 3,
  dataSecret: undefined,
  identity: {},
  trustProxy: [],
  allowedHosts: undefined,
  sharedAnonymousNames: false,
  providers: {},
  runtime: {},
  limits: { maxBodyBytes: 1024 * 1024, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
};
