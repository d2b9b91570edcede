/** Settings of Fermata for identity. */
import { key, optional, required } from './key.ts';
import { choice, duration, integer, text, textOrTexts, texts, url, yesOrNo } from './kinds.ts';

const secret = { isSecret: true } as const;

export const identityKeys = {
  operatorKey: optional(
    'fermata.operator_key',
    textOrTexts,
    'The operator key, sent as `X-Operator-Key`: at least 16 characters. Several keys allow a change without downtime.',
    secret,
  ),
  trustProxy: key(
    'fermata.trust_proxy',
    texts,
    [],
    'Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses, networks such as `10.0.0.0/8`, or `loopback`. With any, only the operator key makes an operator.',
  ),
  allowedHosts: optional(
    'fermata.allowed_hosts',
    texts,
    'Accepted host names (`Host`), without port; `.example` is every name below it. Default: those of loopback if it listens there and trusts no proxy, else any.',
  ),
  sharedAnonymousNames: key(
    'fermata.shared_anonymous_names',
    yesOrNo,
    false,
    'Lets callers without identity share the ids of jobs and conversations, as on NAT: a guessed id gives access.',
  ),
  userIds: optional(
    'fermata.user_ids',
    choice('nat', 'by_kind'),
    'How ids of users are made, see `docs/decisions/0002-user-ids.md`. Default: `by_kind` if JWTs are verified, else `nat`.',
  ),
  jwtSecret: optional(
    'fermata.jwt.secret',
    text,
    'The secret of HS256, HS384 and HS512 signatures: at least 32 bytes.',
    secret,
  ),
  jwtPublicKey: optional('fermata.jwt.public_key', text, 'The key that verifies tokens, as PEM: RSA, EC or Ed25519.'),
  jwtPublicKeyFile: optional(
    'fermata.jwt.public_key_file',
    text,
    'A file with that key. A relative path begins at the configuration file, or in a variable at the working directory.',
  ),
  jwksUrl: optional('fermata.jwt.jwks_url', url, 'URL of the keys of the issuer: https, or http on loopback.'),
  jwksTimeoutMs: key('fermata.jwt.jwks_timeout', duration(1), 5_000, 'Timeout for fetching these keys.'),
  jwtIssuer: optional('fermata.jwt.issuer', texts, 'Accepted issuers (`iss`). Default: any with a valid signature.'),
  jwtAudience: optional('fermata.jwt.audience', texts, 'Required audience (`aud`). Default: any.'),
  jwtAllowWithoutExpiry: key(
    'fermata.jwt.allow_without_expiry',
    yesOrNo,
    false,
    'Accepts tokens that never expire (without `exp`).',
  ),
  jwtAlgorithms: optional('fermata.jwt.algorithms', texts, 'Restricts the algorithms. Default: all that fit the key.'),
  jwtClockToleranceMs: key('fermata.jwt.clock_tolerance', duration(), 5_000, 'Tolerated clock difference.'),
  allowUnverifiedJwts: key(
    'fermata.jwt.allow_unverified',
    yesOrNo,
    false,
    'Accepts forged and expired tokens too, as NAT does: only behind a proxy that has checked them. Excludes the keys above.',
  ),
};

/** An entry of `authentication` with `_type: jwt`, as on NAT. */
export const issuerKeys = {
  issuerUrl: required('issuer_url', url, 'The exact value of `iss` in its tokens.'),
  jwksUri: required('jwks_uri', url, 'URL of its keys: https, or http on loopback.'),
  audience: required('audience', text, 'Required audience (`aud`).'),
  scopes: key('scopes', texts, [], 'Required scopes (`scope` or `scp`): all of these.'),
  timeoutMs: key('timeout', duration(1), 10_000, 'Timeout for fetching the keys.'),
  leewayS: key('leeway', integer(0), 60, 'Tolerated clock difference in seconds.'),
};
