/** One OAuth provider. An invalid or unsafe configuration is refused at the start, by key. */
import * as oauth from 'oauth4webapi';
import { z } from 'zod';
import { Failure } from '../errors.ts';
import { type OAuthProviderConfig, presetNames, type Quirks, withPreset } from './presets.ts';

export type { OAuthProviderConfig } from './presets.ts';

/** A checked provider, with the data for `oauth4webapi`. */
export interface Provider {
  readonly name: string;
  readonly authorizationUrl: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly authorizationParams: readonly (readonly [name: string, value: string])[];
  readonly issuer: string | undefined;
  readonly revocationUrl: string | undefined;
  readonly quirks: Quirks;
  readonly clientSecret: string | undefined;
  readonly server: oauth.AuthorizationServer & { readonly token_endpoint: string };
  readonly client: oauth.Client;
  readonly authenticate: oauth.ClientAuth;
}

/** Parameters of the authorization request that a configuration cannot set, because they protect the flow. */
const reserved = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
];

const text = z.string().min(1, 'must not be empty');
const scopeToken = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'must be a scope: printable ASCII without spaces');
const isAddress = (value: string): boolean => {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + hash === '';
};
const address = z.string().refine(isAddress, {
  message: 'must be an absolute http or https URL without credentials and fragment',
  abort: true, // the checks below rely on it
});

const schema = z
  .strictObject({
    clientId: text,
    clientSecret: text.optional(),
    provider: z.enum(presetNames).optional(),
    authorizationUrl: address,
    tokenUrl: address,
    revocationUrl: address.optional(),
    redirectUri: address,
    scopes: z.array(scopeToken).optional(),
    issuer: address.optional(),
    requireIssuerParameter: z.boolean().optional(),
    tokenEndpointAuthMethod: z.enum(['client_secret_basic', 'client_secret_post', 'none']).optional(),
    authorizationParams: z.record(z.string(), z.string()).optional(),
    allowInsecureHttp: z.boolean().optional(),
    useRedirectAuth: z.boolean().optional(),
    preflightAuth: z.boolean().optional(),
  })
  .superRefine((config, check) => {
    const wrong = (key: string, message: string): void => check.addIssue({ code: 'custom', path: [key], message });
    for (const key of ['authorizationUrl', 'tokenUrl', 'revocationUrl', 'redirectUri'] as const) {
      const url = config[key];
      if (url !== undefined && !config.allowInsecureHttp && !isProtected(new URL(url))) {
        wrong(key, 'must be https, except on loopback or with allowInsecureHttp');
      }
    }
    if (config.tokenEndpointAuthMethod?.startsWith('client_secret') && config.clientSecret === undefined) {
      wrong('clientSecret', `is needed for tokenEndpointAuthMethod ${config.tokenEndpointAuthMethod}`);
    }
    if (config.requireIssuerParameter && config.issuer === undefined) {
      wrong('issuer', 'is needed for requireIssuerParameter');
    }
    for (const name of Object.keys(config.authorizationParams ?? {}).filter((name) => reserved.includes(name))) {
      wrong('authorizationParams', `must not set ${name}`);
    }
  });

/** Throws `options_invalid`, naming the provider and every wrong key, but no value. */
export const parseProvider = (name: string, given: OAuthProviderConfig): Provider => {
  const { config: whole, quirks } = withPreset(given);
  const { data: config, error } = schema.safeParse(whole);
  if (error) {
    const problems = error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(' '));
    throw new Failure('options_invalid', { detail: `OAuth provider ${JSON.stringify(name)}: ${problems.join('; ')}` });
  }
  const { clientId, clientSecret, authorizationUrl, tokenUrl, redirectUri, issuer } = config;
  return {
    name,
    authorizationUrl,
    redirectUri,
    scopes: config.scopes ?? [],
    authorizationParams: Object.entries(config.authorizationParams ?? {}),
    issuer,
    revocationUrl: config.revocationUrl,
    quirks,
    clientSecret,
    server: {
      issuer: issuer ?? new URL(authorizationUrl).origin,
      token_endpoint: tokenUrl,
      authorization_response_iss_parameter_supported: config.requireIssuerParameter ?? false,
    },
    client: { client_id: clientId },
    authenticate: authentication(clientSecret, config.tokenEndpointAuthMethod),
  };
};

/** Under another issuer, a provider of the same name is another provider. */
export const idOf = ({ name, issuer }: Provider): string => JSON.stringify([name, issuer ?? null]);

/** Always, except for a provider that refuses it together with a secret. */
export const usesPkce = ({ quirks, clientSecret }: Provider): boolean =>
  !quirks.withoutPkce || clientSecret === undefined;

/** The requested scopes, without duplicates. Default: the provider's own. Throws `options_invalid`. */
export const scopesOf = (provider: Provider, wanted: readonly string[] = provider.scopes): readonly string[] => {
  const wrong = wanted.find((scope) => !scopeToken.safeParse(scope).success);
  if (wrong !== undefined) {
    const detail = `${JSON.stringify(wrong)} is not a scope: printable ASCII without spaces is expected`;
    throw new Failure('options_invalid', { detail });
  }
  return [...new Set(wanted)];
};

const isProtected = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' ||
  hostname === '[::1]' ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname) ||
  /^(.+\.)?localhost$/.test(hostname);

const authentication = (
  secret: string | undefined,
  method: OAuthProviderConfig['tokenEndpointAuthMethod'] = 'client_secret_basic',
): oauth.ClientAuth => {
  if (secret === undefined || method === 'none') return oauth.None();
  return method === 'client_secret_post' ? oauth.ClientSecretPost(secret) : basic(secret);
};

/**
 * RFC 6749 2.3.1 requires form encoding of both parts, which leaves "-", "." and "_" unchanged. `oauth4webapi` escapes
 * them too, and the many providers that do not decode then know neither client nor secret.
 */
const basic =
  (secret: string): oauth.ClientAuth =>
  (_server, { client_id }, _body, headers) => {
    const credentials = `${formEncode(client_id)}:${formEncode(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };

const formEncode = (value: string): string => new URLSearchParams([['', value]]).toString().slice(1);
