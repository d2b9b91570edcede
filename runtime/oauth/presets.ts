/**
 * Providers by name: their endpoints, and how they differ from the standard. A configuration overrides each member it
 * sets itself.
 *
 * Answers need no preset: `token-answer.ts` reads all the forms in which these providers answer.
 */

export interface OAuthProviderConfig {
  clientId: string;
  clientSecret?: string;
  /** A provider that is known: its addresses and its differences from the standard. Other members override it. */
  provider?: PresetName;
  /** Where the browser is sent. Its own query, if it has one, is kept. Required without `provider`. */
  authorizationUrl?: string;
  /** Required without `provider`. */
  tokenUrl?: string;
  /** Where tokens are revoked (RFC 7009). Default: the provider is not told of a revocation. */
  revocationUrl?: string;
  /** The callback, exactly as the provider knows it; the route that serves it is configured separately. */
  redirectUri: string;
  /** What is asked for when a workflow names no scopes. Default: none, which leaves it to the provider. */
  scopes?: readonly string[];
  /** Where set, a callback that says it is from another issuer is refused (RFC 9207). */
  issuer?: string;
  /** Refuses callbacks that do not name their issuer. Needs `issuer`. Default false. */
  requireIssuerParameter?: boolean;
  /** How the token endpoint knows the client. Default `client_secret_basic`, or `none` without a secret. */
  tokenEndpointAuthMethod?: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Sent along to `authorizationUrl`, such as `prompt` or `audience`. */
  authorizationParams?: Record<string, string>;
  /** Allows `http://` beyond loopback, for networks that are safe otherwise. Default false. */
  allowInsecureHttp?: boolean;
  /** For servers: the page that asks goes to the consent itself, and back; else in a window of its own. Default false. */
  useRedirectAuth?: boolean;
  /** For servers: a user is asked for consent when their socket connects, not when a run needs it. Default false. */
  preflightAuth?: boolean;
}

/** How a provider wants to be asked, where that is not as the standard says. */
export interface Quirks {
  /** Between scopes in the address of the consent. Default: a space. */
  readonly scopeSeparator?: ',';
  /** The parameter that carries the scopes. Default: `scope`. */
  readonly scopeParameter?: 'user_scope';
  /** Asked for besides the scopes of a workflow, since there is no refresh token without. */
  readonly refreshScope?: string;
  /** The provider refuses a code verifier beside a client secret. The secret then protects the code. */
  readonly withoutPkce?: true;
  /** Bodies of requests to the token endpoint. Default: `form`. */
  readonly body?: 'json';
  readonly headers?: Readonly<Record<string, string>>;
  /** Which of two tokens in an answer is meant. Default: that of the application, if there is one. */
  readonly token?: 'authed_user';
  /** How a token is revoked at `revocationUrl`. Default: RFC 7009. */
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

export const presets = {
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
    // Without both there is no refresh token, or only for the first consent a user has ever given.
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
 * The configuration with what its preset says where it says nothing itself. Without a preset, the provider is known by
 * the address of its tokens, and is asked in its way.
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
