/**
 * Built-in providers: their endpoints, and their differences from the standard. A configuration can override each
 * member.
 *
 * Replies need no preset: `token-answer.ts` reads all known forms.
 */

export interface OAuthProviderConfig {
  clientId: string;
  clientSecret?: string;
  /** A built-in provider: its URLs and its differences from the standard. Other members override it. */
  provider?: PresetName;
  /** URL of the consent page. Its own query is preserved. Required without `provider`. */
  authorizationUrl?: string;
  /** Required without `provider`. */
  tokenUrl?: string;
  /** Where tokens are revoked (RFC 7009). Default: the provider is not notified of a revocation. */
  revocationUrl?: string;
  /** The callback URL, exactly as registered at the provider. The route that serves it is configured separately. */
  redirectUri: string;
  /** Scopes for workflows that name none. Default: none, so the provider decides. */
  scopes?: readonly string[];
  /** If set, a callback with another issuer is refused (RFC 9207). */
  issuer?: string;
  /** Refuses callbacks that do not name their issuer. Needs `issuer`. Default false. */
  requireIssuerParameter?: boolean;
  /** How the client authenticates at the token endpoint. Default `client_secret_basic`, or `none` without a secret. */
  tokenEndpointAuthMethod?: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Further query parameters for `authorizationUrl`, such as `prompt` or `audience`. */
  authorizationParams?: Record<string, string>;
  /** Allows `http://` beyond loopback, for safe networks. Default false. */
  allowInsecureHttp?: boolean;
  /**
   * For servers: the page itself goes to the consent and back. False: the consent opens in a new window. Default false.
   */
  useRedirectAuth?: boolean;
  /** For servers: a user is asked for consent when their socket connects, before a run needs it. Default false. */
  preflightAuth?: boolean;
}

/** Differences of a provider from the standard. */
export interface Quirks {
  /** Separator of scopes in the URL of the consent. Default: a space. */
  readonly scopeSeparator?: ',';
  /** The parameter for the scopes. Default: `scope`. */
  readonly scopeParameter?: 'user_scope';
  /** Added to the scopes of a workflow, because there is no refresh token without it. */
  readonly refreshScope?: string;
  /** The provider refuses a code verifier together with a client secret. The secret then protects the code. */
  readonly withoutPkce?: true;
  /** Encoding of requests to the token endpoint. Default: `form`. */
  readonly body?: 'json';
  readonly headers?: Readonly<Record<string, string>>;
  /** Selects one of two tokens in a reply. Default: that of the application, if there is one. */
  readonly token?: 'authed_user';
  /** How tokens are revoked at `revocationUrl`. Default: RFC 7009. */
  readonly revocation?: 'github' | 'slack';
}

type Preset = Pick<
  OAuthProviderConfig,
  | 'authorizationUrl'
  | 'tokenUrl'
  | 'revocationUrl'
  | 'issuer'
  | 'scopes'
  | 'tokenEndpointAuthMethod'
  | 'authorizationParams'
> & { readonly quirks?: Quirks };

const slack = {
  authorizationUrl: 'https://slack.com/oauth/v2/authorize',
  tokenUrl: 'https://slack.com/api/oauth.v2.access',
  revocationUrl: 'https://slack.com/api/auth.revoke',
  tokenEndpointAuthMethod: 'client_secret_basic',
} as const;

const presets = {
  github: {
    authorizationUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    revocationUrl: 'https://api.github.com/applications/{client_id}/token',
    tokenEndpointAuthMethod: 'client_secret_post',
    quirks: { revocation: 'github' },
  },
  google: {
    authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    revocationUrl: 'https://oauth2.googleapis.com/revoke',
    issuer: 'https://accounts.google.com',
    scopes: ['openid', 'email', 'profile'],
    tokenEndpointAuthMethod: 'client_secret_post',
    // Without both there is no refresh token, or only with the first consent of a user.
    authorizationParams: { access_type: 'offline', prompt: 'consent' },
  },
  linkedin: {
    authorizationUrl: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
    scopes: ['openid', 'profile', 'email'],
    tokenEndpointAuthMethod: 'client_secret_post',
    quirks: { withoutPkce: true },
  },
  microsoft: {
    authorizationUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scopes: ['User.Read'],
    tokenEndpointAuthMethod: 'client_secret_post',
    quirks: { refreshScope: 'offline_access' },
  },
  notion: {
    authorizationUrl: 'https://api.notion.com/v1/oauth/authorize?owner=user',
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    revocationUrl: 'https://api.notion.com/v1/oauth/revoke',
    tokenEndpointAuthMethod: 'client_secret_basic',
    quirks: { body: 'json', headers: { 'notion-version': '2022-06-28' } },
  },
  salesforce: {
    authorizationUrl: 'https://login.salesforce.com/services/oauth2/authorize',
    tokenUrl: 'https://login.salesforce.com/services/oauth2/token',
    revocationUrl: 'https://login.salesforce.com/services/oauth2/revoke',
    scopes: ['api'],
    tokenEndpointAuthMethod: 'client_secret_post',
    quirks: { refreshScope: 'refresh_token' },
  },
  /** The token of the bot. */
  slack: { ...slack, quirks: { scopeSeparator: ',', revocation: 'slack' } },
  /** The token of the user who consents. */
  slack_user: {
    ...slack,
    quirks: { scopeSeparator: ',', scopeParameter: 'user_scope', token: 'authed_user', revocation: 'slack' },
  },
  twitch: {
    authorizationUrl: 'https://id.twitch.tv/oauth2/authorize',
    tokenUrl: 'https://id.twitch.tv/oauth2/token',
    revocationUrl: 'https://id.twitch.tv/oauth2/revoke',
    tokenEndpointAuthMethod: 'client_secret_post',
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

/**
 * The configuration, completed by its preset. Without a preset, a provider is recognized by its token URL, and its
 * differences apply.
 */
export const withPreset = (given: OAuthProviderConfig): { config: OAuthProviderConfig; quirks: Quirks } => {
  const { provider, ...own } = given;
  const isKnown = provider !== undefined && Object.hasOwn(presets, provider);
  if (!isKnown) {
    const known: Preset | undefined = Object.values(presets).find(({ tokenUrl }) => tokenUrl === given.tokenUrl);
    return { config: given, quirks: known?.quirks ?? {} };
  }
  const { quirks = {}, ...known }: Preset = presets[provider];
  const config: OAuthProviderConfig = { ...known, ...own };
  if (known.authorizationParams) {
    config.authorizationParams = { ...known.authorizationParams, ...own.authorizationParams };
  }
  return { config, quirks };
};
