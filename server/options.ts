/**
 * All options of the server, with their defaults. The YAML file, the environment and the command line set the same
 * options.
 */
import { defaultDataBytes, type OAuthProviderConfig, type RuntimeOptions } from '../runtime/index.ts';
import { type FilesOptions, filesDefaults } from './files/options.ts';
import type { AdapterName } from './http/adapter.ts';
import type { CorsOptions } from './http/cors.ts';
import type { IdentityOptions } from './identity/options.ts';
import { type NatOptions, natDefaults } from './nat/options.ts';
import { type OperatorOptions, operatorDefaults } from './operator/options.ts';
import type { RoutePaths } from './wire/served.ts';

export type { RoutePaths } from './wire/served.ts';

/** The options of protocols are in their folders. */
export interface ServerOptions extends NatOptions, FilesOptions, OperatorOptions {
  /**
   * The HTTP library: uWebSockets.js (`uws`), or node:http and ws (`node`). Default: the first if its binary loads,
   * else the second.
   */
  readonly adapter: AdapterName | undefined;
  /** Default `localhost`. */
  readonly host: string;
  /** Default 8000; 0 is a free port. */
  readonly port: number;
  /** Prefix under which routes also answer, and with which paths in bodies begin. Default none. */
  readonly rootPath: string;
  /** Default: no other origin. */
  readonly cors: CorsOptions;
  readonly workflow: RoutePaths;
  /** Further workflows, by name. */
  readonly endpoints: readonly (RoutePaths & { readonly functionName: string })[];
  readonly disableLegacyRoutes: boolean;
  /**
   * The directory for executions. Null: they are in memory, and end with the process. Default null; the default of the
   * command line is `./.fermata`.
   */
  readonly data: string | null;
  /**
   * Maximum bytes of the file. Beyond it, settled executions are deleted, those whose retention ends first. Default
   * 4_294_967_296.
   */
  readonly maxDataBytes: number;
  /** Encrypts tokens and credentials in the directory; at least 16 characters. Default: they are in memory only. */
  readonly dataSecret: string | undefined;
  readonly identity: IdentityOptions;
  /** Trusted proxies, see `NetworkOptions`. Default none. */
  readonly trustProxy: readonly string[];
  /** Host names of the server, see `NetworkOptions`. Default: those of loopback if it is bound there, else any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Whether a request with `Connection: close` may be local, see `NetworkOptions`. Default false. */
  readonly isClosingLocal?: boolean;
  /** Whether callers without identity share the names of jobs and conversations, as on NAT. Default false. */
  readonly sharedAnonymousNames: boolean;
  readonly providers: Readonly<Record<string, OAuthProviderConfig>>;
  readonly runtime: RuntimeOptions;
  readonly limits: {
    /** Default 1_048_576. With the default, chats may have 16 times as much, because they may contain images. */
    readonly maxBodyBytes: number;
    /** Default 16_384. */
    readonly maxHeaderBytes: number;
    /** Timeout of a request body. Default 30_000. */
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
  maxDataBytes: defaultDataBytes,
  dataSecret: undefined,
  identity: {},
  trustProxy: [],
  allowedHosts: undefined,
  isClosingLocal: false,
  sharedAnonymousNames: false,
  providers: {},
  runtime: {},
  limits: { maxBodyBytes: 1024 * 1024, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
};
