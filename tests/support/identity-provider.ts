/** A real OAuth server, and a browser with a person before it, who walks through its pages. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Provider } from 'oidc-provider';
import type { OAuthProviderConfig } from '../../runtime/oauth/oauth.ts';
import { loopback } from './loopback.ts';

export interface IdentityProvider {
  readonly issuer: string;
  /** The client as the server knows it; scopes `read` and `write`. */
  readonly config: OAuthProviderConfig;
  /** Signs in and agrees; gives the callback to which the browser is sent in the end. */
  accept(authUrl: string, login?: string): Promise<URL>;
  /** Opens the page and goes back to where it came from. */
  refuse(authUrl: string): Promise<URL>;
  /** Whose token it is, if it is one: scope `openid` is needed. */
  whoHas(token: string): Promise<string | undefined>;
}

export interface Registration {
  clientSecret?: string;
  /** Where browsers come back to. */
  redirectUri?: string;
  tokenEndpointAuthMethod?: NonNullable<OAuthProviderConfig['tokenEndpointAuthMethod']>;
}

const usualRedirectUri = 'http://127.0.0.1:8000/auth/redirect';

export const identityProvider = async (t: TestContext, registration: Registration = {}): Promise<IdentityProvider> => {
  const { clientSecret = 'lab-secret', tokenEndpointAuthMethod = 'client_secret_basic' } = registration;
  const { redirectUri = usualRedirectUri } = registration;
  const { server, origin } = await loopback(t);
  const quiet = t.mock.method(console, 'warn', () => {}); // it warns of each of its defaults
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: 'lab-client',
        ...(tokenEndpointAuthMethod === 'none' ? {} : { client_secret: clientSecret }),
        token_endpoint_auth_method: tokenEndpointAuthMethod,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    scopes: ['openid', 'read', 'write'],
    pkce: { required: () => false }, // so that a missing challenge is noticed where the code is exchanged
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    findAccount: (_ctx: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ['of the tests'] },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 600,
      Session: 600,
    },
  });
  quiet.mock.restore();
  server.on('request', provider.callback());

  return {
    issuer: origin,
    config: {
      clientId: 'lab-client',
      ...(tokenEndpointAuthMethod === 'none' ? {} : { clientSecret }),
      tokenEndpointAuthMethod,
      authorizationUrl: `${origin}/auth`,
      tokenUrl: `${origin}/token`,
      redirectUri,
      scopes: ['read', 'write'],
    },
    accept: (authUrl, login = 'alice') =>
      browse(authUrl, redirectUri, (page, prompt) => submit(page, { prompt, login, password: '-' })),
    refuse: (authUrl) => browse(authUrl, redirectUri, (page) => ({ url: `${page}/abort`, init: {} })),
    whoHas: async (token) => {
      const response = await fetch(`${origin}/me`, { headers: { authorization: `Bearer ${token}` } });
      return response.ok ? ((await response.json()) as { sub: string }).sub : undefined;
    },
  };
};

type Act = (page: string, prompt: string) => { url: string; init: RequestInit };

const submit = (page: string, form: Record<string, string>): ReturnType<Act> => ({
  url: page,
  init: { method: 'POST', body: new URLSearchParams(form) },
});

/** Follows redirects with cookies, acts on each page, and stops before the callback, which belongs to our server. */
const browse = async (authUrl: string, redirectUri: string, act: Act): Promise<URL> => {
  const cookies = new Map<string, string>();
  let [url, init]: [string, RequestInit] = [authUrl, {}];
  for (let hop = 0; hop < 12; hop += 1) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { ...init, headers: { cookie }, redirect: 'manual' });
    const page = await response.text();
    for (const [pair = ''] of response.headers.getSetCookie().map((header) => header.split(';'))) {
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = response.headers.get('location');
    if (location?.startsWith(redirectUri)) return new URL(location);
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    assert.ok(location ?? prompt, `the provider answered with status ${response.status}: ${page}`);
    if (location) [url, init] = [new URL(location, url).href, {}];
    else ({ url, init } = act(url, prompt ?? ''));
  }
  throw new Error('the provider leads nowhere');
};
