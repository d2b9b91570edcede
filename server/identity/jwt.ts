/**
 * JSON Web Tokens, with `jose`. The key source decides the allowed algorithms, never the token: a secret allows only
 * HS*, a public key or a JWKS only asymmetric ones, and `none` is never allowed. Messages explain a refusal in our own
 * words, and quote no part of the token.
 */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { Failure } from '../../runtime/index.ts';
import type { Claims } from '../../runtime/nat/user-info.ts';
import { remoteKeys } from './jwks.ts';

/** Exactly one of `secret`, `publicKey` and `jwksUrl` is required. */
export interface JwtOptions {
  /** The secret of HS256, HS384 and HS512 signatures: at least 32 bytes of text. */
  secret?: string;
  /** An RSA (2048 bits or more), EC or Ed25519 public key, or a certificate, as PEM. */
  publicKey?: string;
  /** URL of the issuer's keys. https, or http on the loopback interface. */
  jwksUrl?: string;
  /** Accepted issuers (`iss`). Default: any whose signature is valid. */
  issuer?: string | readonly string[];
  /** Required audience (`aud`). Default: any, which is rarely what you want. */
  audience?: string | readonly string[];
  /** Required scopes (`scope`, or `scp`). Default: none. */
  scopes?: readonly string[];
  /** Accepts tokens that never expire (without `exp`). Default false. */
  allowWithoutExpiry?: boolean;
  /** Tolerated clock difference in seconds. Default 5. */
  clockToleranceS?: number;
  /** Restricts the algorithms. Default: all that fit the key. */
  algorithms?: readonly string[];
  /** Timeout for fetching the JWKS. Milliseconds. Default 5_000. */
  jwksTimeoutMs?: number;
}

/** Rejects with a Failure: `credential_invalid`, or a retryable one while the keys cannot be fetched. */
export type JwtVerifier = (token: string) => Promise<Claims>;

const optionNames: Record<keyof JwtOptions, true> = {
  secret: true,
  publicKey: true,
  jwksUrl: true,
  issuer: true,
  audience: true,
  scopes: true,
  allowWithoutExpiry: true,
  clockToleranceS: true,
  algorithms: true,
  jwksTimeoutMs: true,
};

const hmac = ['HS256', 'HS384', 'HS512'];
const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const curves: Record<string, string[]> = { prime256v1: ['ES256'], secp384r1: ['ES384'], secp521r1: ['ES512'] };
const edwards = ['EdDSA', 'Ed25519'];

const minSecretBytes = 32; // RFC 7518, section 3.2: the size of the hash of HS256
const minRsaBits = 2_048; // RFC 7518, section 3.3

/** @throws Failure `options_invalid` naming the option. */
export const createJwtVerifier = (options: JwtOptions): JwtVerifier => {
  const { key, fitting } = keySource(options);
  const checks = {
    algorithms: narrowed(fitting, options.algorithms),
    clockTolerance: options.clockToleranceS ?? 5,
    ...expected('issuer', options.issuer),
    ...expected('audience', options.audience),
    requiredClaims: options.allowWithoutExpiry ? [] : ['exp'],
  };
  const { scopes = [] } = options;
  if (!(Number.isFinite(checks.clockTolerance) && checks.clockTolerance >= 0)) {
    throw bad(`clockToleranceS must be a number of at least 0, got ${options.clockToleranceS}`);
  }
  return async (token) => {
    const { payload } = await jwtVerify(token, key, checks).catch((thrown: unknown) => {
      if (thrown instanceof Failure) throw thrown;
      // Messages of jose about a token may quote it, and causes are logged. Other errors concern our own key.
      throw undecodable(reasonOf(thrown), thrown instanceof errors.JOSEError ? undefined : thrown);
    });
    const granted = scopesOf(payload);
    if (!scopes.every((scope) => granted.includes(scope))) throw undecodable('it lacks a scope that is needed here');
    return payload;
  };
};

/** RFC 8693 defines `scope`, a text with spaces. Microsoft and Okta use `scp`, a text or a list. */
const scopesOf = ({ scope, scp }: Claims): readonly unknown[] =>
  [scope, scp].flat().flatMap((given) => (typeof given === 'string' ? given.split(' ') : []));

/**
 * The claims of an unverified token, as on NAT: signature and expiry are ignored.
 *
 * @throws Failure `credential_invalid` if it is not a JWT.
 */
export const readUnverified = (token: string): Claims => {
  try {
    decodeProtectedHeader(token);
    return decodeJwt(token);
  } catch {
    throw undecodable('it is not made of base64url and JSON');
  }
};

/** NAT's text for every refused JWT. */
export const undecodable = (reason: string, cause?: unknown): Failure =>
  new Failure('credential_invalid', { detail: `Failed to decode JWT: ${reason}`, cause });

type KeySource = { key: KeyObject | JWTVerifyGetKey; fitting: readonly string[] };

const keySource = (options: JwtOptions): KeySource => {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(optionNames, name));
  if (unknown !== undefined) throw new Failure('options_invalid', { detail: `unknown option jwt.${unknown}` });
  const { secret, publicKey, jwksUrl, jwksTimeoutMs = 5_000 } = options;
  const given = [secret, publicKey, jwksUrl].filter((source) => source !== undefined);
  if (given.length !== 1 || typeof given[0] !== 'string') {
    throw new Failure('options_invalid', { detail: 'jwt needs exactly one of secret, publicKey and jwksUrl, as text' });
  }
  if (secret !== undefined) return secretSource(secret);
  if (publicKey !== undefined) return publicKeySource(publicKey);
  if (!(Number.isInteger(jwksTimeoutMs) && jwksTimeoutMs > 0)) {
    throw bad(`jwksTimeoutMs must be a whole number of at least 1, got ${jwksTimeoutMs}`);
  }
  return {
    key: remoteKeys(jwksAddress(jwksUrl!), jwksTimeoutMs),
    fitting: [...rsa, ...Object.values(curves).flat(), ...edwards],
  };
};

const secretSource = (secret: string): KeySource => {
  const bytes = Buffer.from(secret);
  if (bytes.length < minSecretBytes)
    throw bad(`secret must have at least ${minSecretBytes} bytes, got ${bytes.length}`);
  if (secret.includes('-----BEGIN ')) throw bad('secret must be a shared secret, got PEM: did you mean publicKey?');
  return { key: createSecretKey(bytes), fitting: hmac };
};

const publicKeySource = (pem: string): KeySource => {
  if (pem.includes('PRIVATE KEY')) throw bad('publicKey must be a public key, got a private one');
  const key = parsePem(pem);
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength >= minRsaBits) return { key, fitting: rsa };
      throw bad(`publicKey must have at least ${minRsaBits} bits, got ${modulusLength}`);
    case 'ec':
      if (curves[namedCurve]) return { key, fitting: curves[namedCurve] };
      throw bad(`publicKey must lie on P-256, P-384 or P-521, got ${namedCurve}`);
    case 'ed25519':
      return { key, fitting: edwards };
    default:
      throw bad(`publicKey must be RSA, EC or Ed25519, got ${key.asymmetricKeyType}`);
  }
};

const parsePem = (pem: string): KeyObject => {
  try {
    return createPublicKey(pem);
  } catch {
    throw bad('publicKey must be PEM');
  }
};

const jwksAddress = (given: string): URL => {
  const url = secureUrl(given);
  if (url !== undefined) return url;
  throw bad(
    'jwksUrl must be a https URL, or http on the loopback interface: an attacker who replaces the keys in transit could be any user',
  );
};

/** https, or http on the loopback interface; undefined otherwise. */
export const secureUrl = (given: string): URL | undefined => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const loopback = url !== undefined && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback) ? url : undefined;
};

const narrowed = (fitting: readonly string[], wanted: readonly string[] = fitting): string[] => {
  const misfit = wanted.find((algorithm) => !fitting.includes(algorithm));
  if (misfit !== undefined) throw bad(`algorithms may hold ${fitting.join(', ')} with this key, got ${misfit}`);
  if (wanted.length === 0) throw bad('algorithms must not be empty');
  return [...wanted];
};

const expected = (name: 'issuer' | 'audience', given: string | readonly string[] | undefined) => {
  if (given === undefined) return {};
  const texts = [given].flat();
  if (texts.length === 0 || texts.includes('')) throw bad(`${name} must not be empty`);
  return { [name]: texts };
};

const bad = (what: string): Failure => new Failure('options_invalid', { detail: `jwt.${what}` });

const reasons: Record<string, string> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not accepted here',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'several keys of the issuer fit, it needs a kid',
  ERR_JWKS_NO_MATCHING_KEY: 'no key of the issuer fits',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature does not match',
  ERR_JWT_EXPIRED: 'it has expired',
};
const claimReasons: Record<string, string> = {
  aud: 'it was issued for another audience',
  exp: 'it has no expiry (exp)',
  iss: 'its issuer is not accepted here',
  nbf: 'it is not valid yet',
};

const reasonOf = (thrown: unknown): string => {
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    return (thrown.reason !== 'invalid' && claimReasons[thrown.claim]) || 'its claims are malformed';
  }
  if (thrown instanceof errors.JOSEError) return reasons[thrown.code] ?? 'it is malformed';
  return 'it does not fit the key of this server';
};
