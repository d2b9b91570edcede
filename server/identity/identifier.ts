/**
 * Identifies the caller by the headers of a request, or by the `auth_message` of a socket.
 *
 * The first credential wins, in this order: cookie `nat-session`, `Authorization`, `X-API-Key`. Cookies, API keys and
 * Basic credentials are mapped to a user without a check: a caller who knows the text is the user. A JWT is verified,
 * because its claims are not secret. With a proxy that identifies users, only its header counts.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Credential, Failure, type UserInfo, userInfoOf } from '../../runtime/index.ts';
import type { Claims, CredentialKind } from '../../runtime/nat/user-info.ts';
import { readCookie } from '../http/cookies.ts';
import { isRepeated } from '../http/repeated-headers.ts';
import { createIssuersVerifier } from './issuers.ts';
import { createJwtVerifier, readUnverified, undecodable } from './jwt.ts';
import { bad, checkOptions, type IdentityOptions, warningsOf } from './options.ts';

type Identity = {
  readonly userId: string;
  readonly kind: CredentialKind;
  readonly info: UserInfo;
  /** Whether a signature was checked: true for a JWT with `jwt`, false for all else. */
  readonly verified: boolean;
};

/** Header texts by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** The payload of NAT's `auth_message`. */
type AuthPayload =
  | { readonly method: 'jwt' | 'api_key'; readonly token: string }
  | { readonly method: 'basic'; readonly username: string; readonly password: string };

export interface Identifier {
  /**
   * Undefined without a credential. Returns a promise only for a JWT, so that other kinds cost no turn of the event
   * loop. Throws or rejects with a Failure: `credential_invalid`, or a retryable one.
   */
  identify(headers: Headers): Identity | undefined | Promise<Identity>;
  /** Like `identify`. A `jwt` is never treated as an API key. */
  identifyMessage(payload: AuthPayload): Identity | Promise<Identity>;
  isOperator(headers: Headers): boolean;
  /** Lower-case name of the header of a trusted proxy; undefined without one. */
  readonly header: string | undefined;
  /** Whether an upgrade with an invalid credential is refused, as on NAT 1.9 with any of these options. */
  readonly isStrict: boolean;
  /** Warnings for the log at the start about insecure options. */
  readonly warnings: readonly string[];
}

const minOperatorKeyLength = 16;

/** @throws Failure `options_invalid` naming the option. */
export const createIdentifier = (options: IdentityOptions = {}): Identifier => {
  checkOptions(options);
  const verify = verifierOf(options);
  const scheme = options.userIds ?? (verify ? 'by_kind' : 'nat');
  const header = options.header?.toLowerCase();
  const { accepted } = options;

  const named = (credential: Credential, verified = false): Identity => {
    const kind = credential.kind === 'session' ? 'session_cookie' : credential.kind;
    if (kind !== 'header' && accepted?.includes(kind) === false) {
      throw refused(`Identity credential type '${kind}' is not accepted`);
    }
    const info = userInfoOf(credential, scheme);
    return { userId: info.userId, kind: info.kind, info, verified };
  };
  const namedByJwt = (token: string): Identity | Promise<Identity> => {
    if (accepted?.includes('jwt') === false) throw refused("Identity credential type 'jwt' is not accepted");
    if (verify) return verify(token).then((jwt) => named({ kind: 'jwt', ...jwt }, true));
    if (options.allowUnverifiedJwts) return named({ kind: 'jwt', claims: readUnverified(token) });
    throw undecodable(
      'this server has no key to verify it with; set jwt.secret, jwt.publicKey or jwt.jwksUrl, or allowUnverifiedJwts',
    );
  };
  const namedByBearer = (token: string) => (isJwt(token) ? namedByJwt(token) : named({ kind: 'api_key', key: token }));

  return {
    identify(headers) {
      if (header !== undefined) return named({ kind: 'header', name: header, value: saidByProxy(headers, header) });
      const session = readCookie(headers.cookie, 'nat-session');
      if (session) return named({ kind: 'session', session });
      const authorization = readAuthorization(headers.authorization);
      if (authorization.scheme === 'bearer') return namedByBearer(authorization.text);
      if (authorization.scheme === 'basic') return named({ kind: 'basic', ...readBasic(authorization.text) });
      const key = headers['x-api-key']?.trim();
      return key ? named({ kind: 'api_key', key }) : undefined;
    },
    identifyMessage(payload) {
      if (header !== undefined) throw refused('A message cannot replace the identity that the proxy asserts.');
      if (payload.method === 'basic') {
        return named({ kind: 'basic', username: payload.username, password: payload.password });
      }
      if (payload.method === 'api_key') return named({ kind: 'api_key', key: payload.token });
      if (isJwt(payload.token)) return namedByJwt(payload.token);
      throw refused('JWT token is empty or malformed (expected 3 dot-separated parts)');
    },
    isOperator: operatorCheck([options.operatorKey ?? []].flat()),
    header,
    isStrict: header !== undefined || accepted !== undefined || options.issuers !== undefined,
    warnings: warningsOf(options, scheme),
  };
};

type Verify = (token: string) => Promise<{ readonly claims: Claims; readonly issuer?: string }>;

const verifierOf = ({ jwt, issuers }: IdentityOptions): Verify | undefined => {
  if (issuers !== undefined) return createIssuersVerifier(issuers);
  if (jwt === undefined) return undefined;
  const verify = createJwtVerifier(jwt);
  // Each issuer has its own users: user `1` of one issuer is not user `1` of another.
  const isShared = [jwt.issuer ?? []].flat().length > 1;
  return async (token) => {
    const claims = await verify(token);
    return isShared ? { claims, issuer: claims.iss as string } : { claims };
  };
};

/** Throws `credential_invalid` unless the header is present once and not empty. */
const saidByProxy = (headers: Headers, name: string): string => {
  const value = headers[name]?.trim();
  if (value === undefined) throw refused(`Configured identity header '${name}' is missing`);
  if (isRepeated(headers, name)) throw refused(`Configured identity header '${name}' must occur exactly once`);
  if (value === '') throw refused(`Configured identity header '${name}' must not be empty`);
  return value;
};

const operatorCheck = (keys: readonly string[]): Identifier['isOperator'] => {
  if (keys.some((key) => typeof key !== 'string' || key.length < minOperatorKeyLength)) {
    throw bad(`operatorKey must have at least ${minOperatorKeyLength} characters`);
  }
  const accepted = keys.map(sha256);
  return (headers) => {
    const key = headers['x-operator-key'];
    if (key === undefined) return false;
    const given = sha256(key);
    return accepted.filter((key) => timingSafeEqual(key, given)).length > 0; // compares with all keys, to take constant time
  };
};

// Digests have equal length, as timingSafeEqual requires, which hides the length of the key.
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The scheme in lower case, and the rest; undefined if one of them is missing. */
const readAuthorization = (header = ''): { scheme: string; text: string } => {
  const [, scheme = '', text = ''] = /^(\S+)\s+(.+)$/s.exec(header.trim()) ?? [];
  return { scheme: scheme.toLowerCase(), text };
};

/** By its shape. */
export const isJwt = (token: string): boolean => token.split('.').length === 3;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const readBasic = (base64: string): { username: string; password: string } => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) throw noBasic('it is not base64');
  const text = decoded(base64);
  const colon = text.indexOf(':');
  if (colon < 0) throw refused('Basic auth credential must contain a colon separator (username:password)');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
};

const decoded = (base64: string): string => {
  try {
    return utf8.decode(Buffer.from(base64, 'base64'));
  } catch {
    throw noBasic('it is not UTF-8');
  }
};

const noBasic = (reason: string): Failure => refused(`Failed to decode Basic auth credential: ${reason}`);

const refused = (detail: string): Failure => new Failure('credential_invalid', { detail });
