/** The options of NAT's protocol, with their defaults. */

export interface NatOptions {
  /** Default `/auth/redirect`. */
  readonly oauthCallbackPath: string | null;
  /**
   * Whether the link of a consent leads through this server, which lets only the user of the run pass, and accepts the
   * callback only from the same browser. Runs without a user then get no consent. Default false, as on NAT: the link leads
   * to the provider.
   */
  readonly bindConsents: boolean;
  /** Origins of pages to which browsers may return after such a consent, besides those of `redirectUri`. Default none. */
  readonly consentReturnOrigins: readonly string[];
  /** Which intermediate steps streams show, except those at `/full`. Default: those of models, tools and functions. */
  readonly stepAdaptor: StepAdaptorOptions;
  /**
   * Whether a streamed run is cancelled when its client disconnects, even if the client could find it again. Default
   * false.
   */
  readonly cancelOnDisconnect: boolean;
  /** Whether a request to `openaiApiV1Path` may pause too, which OpenAI clients do not expect. Default false. */
  readonly enableInteractiveExtensions: boolean;
  readonly sockets: SocketOptions;
  /** Whether workflows can be started as jobs, at `/async` below their paths. Default false, as NAT without Dask. */
  readonly asyncJobs: boolean;
}

export interface StepAdaptorOptions {
  /** `default` shows LLM, TOOL and FUNCTION events, `custom` exactly the listed ones, `off` none. */
  readonly mode: 'default' | 'custom' | 'off';
  readonly customEventTypes: readonly string[];
}

export interface SocketOptions {
  /** Maximum bytes of a message; a longer one gets an error. Default 16_777_216. */
  readonly maxMessageBytes: number;
  /**
   * Maximum number of messages per second on average; ten times as many in a burst. Further ones are dropped. Default
   * 20.
   */
  readonly messagesPerSecond: number;
  /** Silence, pings included, after which a socket is closed. Milliseconds, 8_000 to 960_000. Default 120_000. */
  readonly idleTimeoutMs: number;
}

export const natDefaults: NatOptions = {
  oauthCallbackPath: '/auth/redirect',
  bindConsents: false,
  consentReturnOrigins: [],
  stepAdaptor: { mode: 'default', customEventTypes: [] },
  cancelOnDisconnect: false,
  enableInteractiveExtensions: false,
  sockets: { maxMessageBytes: 16 * 1024 * 1024, messagesPerSecond: 20, idleTimeoutMs: 120_000 },
  asyncJobs: false,
};
