/** Every option of the server, with its default. The YAML file, the environment and the command line end here too. */
import type { OAuthProviderConfig, RuntimeOptions } from '../runtime/index.ts';
import type { CorsOptions } from './cors.ts';
import type { IdentityOptions } from './identity.ts';

/** Where a workflow is served. `null`: not there. */
export interface RoutePaths {
  /** A GET runs the workflow without input and never pauses. */
  readonly method: 'GET' | 'POST';
  /** Interactive: may answer 202. */
  readonly path: string | null;
  /** NAT's older route, which never pauses. */
  readonly legacyPath: string | null;
}

export interface ServerOptions {
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
  /** Default `/auth/redirect`. */
  readonly oauthCallbackPath: string | null;
  readonly disableLegacyRoutes: boolean;
  /** Whether there is `/monitor/users`. Default false. */
  readonly monitorUsers: boolean;
  readonly identity: IdentityOptions;
  readonly providers: Readonly<Record<string, OAuthProviderConfig>>;
  readonly runtime: RuntimeOptions;
  readonly limits: {
    /** Default 1_048_576. */
    readonly maxBodyBytes: number;
    /** Default 16_384. */
    readonly maxHeaderBytes: number;
    /** How long a request body may take to come. Default 30_000. */
    readonly requestTimeoutMs: number;
  };
}

export const serverDefaults: ServerOptions = {
  host: 'localhost',
  port: 8000,
  rootPath: '',
  cors: {},
  workflow: { method: 'POST', path: '/v1/workflow', legacyPath: '/generate' },
  endpoints: [],
  oauthCallbackPath: '/auth/redirect',
  disableLegacyRoutes: false,
  monitorUsers: false,
  identity: {},
  providers: {},
  runtime: {},
  limits: { maxBodyBytes: 1024 * 1024, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
};
