/** Settings of Fermata for identity. */
import { key, optional, required } from './key.ts';
import { choice, duration, integer, text, textOrTexts, texts, url, yesOrNo } from './kinds.ts';

const secret = { isSecret: true } as const;

export const identityKeys = {
  operatorKey: optional(
    'fermata.operator_key',
    textOrTexts,
    'What `X-Operator-Key` must hold for an operator: at least 16 characters. Several, while keys are changed.',
    secret,
  ),
  trustProxy: key(
    'fermata.trust_proxy',
    texts,
    [],
    'Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count: addresses, networks such as `10.0.0.0/8`, or `loopback`. Then only the operator key makes an operator.',
  ),
  allowedHosts: optional(
    'fermata.allowed_hosts',
    texts,
    'Names under which the server may be asked for (`Host`), without port; `.example` is every name below it. Without: those of loopback if it listens there and trusts no proxy, else any.',
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
    'How ids of users are made, see `docs/decisions/0002-user-ids.md`. Without: `by_kind` if JWTs are verified, else `nat`.',
  ),
  jwtSecret: optional(
    'fermata.jwt.secret',
    text,
    'What HS256, HS384 and HS512 tokens are signed with: at least 32 bytes.',
    secret,
  ),
  jwtPublicKey: optional('fermata.jwt.public_key', text, 'The key that verifies tokens, as PEM: RSA, EC or Ed25519.'),
  jwtPublicKeyFile: optional(
    'fermata.jwt.public_key_file',
    text,
    'A file with that key. Relative to the configuration file, or if a variable names it to the working directory.',
  ),
  jwksUrl: optional('fermata.jwt.jwks_url', url, 'Where the issuer publishes its keys: https, or http on loopback.'),
  jwksTimeoutMs: key('fermata.jwt.jwks_timeout', duration(1), 5_000, 'How long fetching these keys may take.'),
  jwtIssuer: optional(
    'fermata.jwt.issuer',
    texts,
    "Whose tokens are accepted (`iss`). Without: anyone's that the key has signed.",
  ),
  jwtAudience: optional('fermata.jwt.audience', texts, 'For whom tokens must be issued (`aud`). Without: for anyone.'),
  jwtAllowWithoutExpiry: key(
    'fermata.jwt.allow_without_expiry',
    yesOrNo,
    false,
    'Accepts tokens that never expire (without `exp`).',
  ),
  jwtAlgorithms: optional('fermata.jwt.algorithms', texts, 'Narrows the algorithms that fit the key.'),
  jwtClockToleranceMs: key('fermata.jwt.clock_tolerance', duration(), 5_000, 'By how much clocks may differ.'),
  allowUnverifiedJwts: key(
    'fermata.jwt.allow_unverified',
    yesOrNo,
    false,
    'Accepts forged and expired tokens too, as NAT does: only behind a proxy that has checked them. Excludes the keys above.',
  ),
};

/** An entry of `authentication` with `_type: jwt`, as on NAT. */
export const issuerKeys = {
  issuerUrl: required('issuer_url', url, 'What its tokens say they are from (`iss`), to the letter.'),
  jwksUri: required('jwks_uri', url, 'Where it publishes its keys: https, or http on loopback.'),
  audience: required('audience', text, 'For whom tokens must be issued (`aud`).'),
  scopes: key('scopes', texts, [], 'What tokens must allow (`scope` or `scp`): all of these.'),
  timeoutMs: key('timeout', duration(1), 10_000, 'How long fetching the keys may take.'),
  leewayS: key('leeway', integer(0), 60, 'By how many seconds clocks may differ.'),
};
