/** Every option of the server, with its default. The YAML file, the environment and the command line end here too. */
import type { OAuthProviderConfig, RuntimeOptions } from '../runtime/index.ts';
import type { AdapterName } from './http/adapter.ts';
import type { CorsOptions } from './http/cors.ts';
import type { IdentityOptions } from './identity/identifier.ts';
import type { StepAdaptorOptions } from './nat/step-adaptor.ts';
import type { SocketOptions } from './nat/websocket/sockets.ts';

/** Where a workflow is served. `null`: not there. */
export interface RoutePaths {
  /** A GET runs the workflow without input and never pauses. */
  readonly method: 'GET' | 'POST';
  /** Interactive: may answer 202. */
  readonly path: string | null;
  /** NAT's older route, which never pauses. */
  readonly legacyPath: string | null;
  readonly websocketPath?: string | null;
  /** Chat, interactive. This and the two below are not there with GET. */
  readonly openaiApiPath?: string | null;
  /** Chat as OpenAI has it. */
  readonly openaiApiV1Path?: string | null;
  /** NAT's older chat, which never pauses. */
  readonly legacyOpenaiApiPath?: string | null;
}

export interface ServerOptions {
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
  /** Default `/auth/redirect`. */
  readonly oauthCallbackPath: string | null;
  readonly disableLegacyRoutes: boolean;
  /** Whether there is `/monitor/users`. Default false. */
  readonly monitorUsers: boolean;
  /** Whether operators have pages: the console, and `/inspect`. Default true. */
  readonly console: boolean;
  /** Which intermediate steps streams show, but those at `/full`. Default: those of models, tools and functions. */
  readonly stepAdaptor: StepAdaptorOptions;
  /** Whether a streamed run is cancelled when its reader leaves, also where he could find it again. Default false. */
  readonly cancelOnDisconnect: boolean;
  /** Whether a request to `openaiApiV1Path` may pause too, which OpenAI's clients do not expect. Default false. */
  readonly enableInteractiveExtensions: boolean;
  readonly sockets: SocketOptions;
  /** Whether workflows can be started as jobs, at `/async` below their paths. Default false, as NAT without Dask. */
  readonly asyncJobs: boolean;
  /** Where the files of `/static` are: the word `memory`, or a directory. Default null: they are not served. */
  readonly objectStore: string | null;
  /**
   * The directory in which executions are kept. Null: they are in memory, and end with the process. Default null; that of
   * the command line is `./.fermata`.
   */
  readonly data: string | null;
  /** Bytes of the file there; beyond it the settled executions go whose retention ends first. Default 4_294_967_296. */
  readonly maxDataBytes: number;
  /** Seals tokens and credentials there; at least 16 characters. Default: they are in memory only. */
  readonly dataSecret: string | undefined;
  /** Bytes of one of these files. Default 10_485_760. */
  readonly maxFileBytes: number;
  /** Bytes of all of them, in memory. Default 268_435_456. */
  readonly maxStoreBytes: number;
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

/** Bytes that a chat may have. A limit below the default is one for chats too. */
export const maxChatBytes = ({ limits: { maxBodyBytes } }: ServerOptions): number =>
  maxBodyBytes < serverDefaults.limits.maxBodyBytes ? maxBodyBytes : Math.max(maxBodyBytes, 16 * 1024 * 1024);

export const serverDefaults: ServerOptions = {
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
  oauthCallbackPath: '/auth/redirect',
  disableLegacyRoutes: false,
  monitorUsers: false,
  console: true,
  stepAdaptor: { mode: 'default', customEventTypes: [] },
  cancelOnDisconnect: false,
  enableInteractiveExtensions: false,
  sockets: { maxMessageBytes: 16 * 1024 * 1024, messagesPerSecond: 20, idleTimeoutMs: 120_000 },
  asyncJobs: false,
  objectStore: null,
  data: null,
  maxDataBytes: 4 * 1024 ** 3,
  dataSecret: undefined,
  maxFileBytes: 10 * 1024 * 1024,
  maxStoreBytes: 256 * 1024 * 1024,
  identity: {},
  trustProxy: [],
  allowedHosts: undefined,
  sharedAnonymousNames: false,
  providers: {},
  runtime: {},
  limits: { maxBodyBytes: 1024 * 1024, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
};
