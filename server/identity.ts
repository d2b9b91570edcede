/**
 * Who is calling, read from the headers of a request or from the `auth_message` of a socket.
 *
 * The first credential found counts, and hides the others: cookie `nat-session`, `Authorization`, `X-API-Key`. Cookies,
 * API keys and Basic credentials are mapped to a user, not checked: whoever knows the text is the user. A JWT names a
 * user by claims that are no secret, and so it is verified.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Credential, Failure, type UserInfo, userInfoOf } from '../runtime/index.ts';
import type { CredentialKind, UserIdScheme } from '../runtime/user-info.ts';
import { createJwtVerifier, type JwtOptions, readUnverified, undecodable } from './jwt.ts';

export interface IdentityOptions {
  /** How JWTs are verified. Default: not at all, and every JWT is refused. */
  jwt?: JwtOptions;
  /**
   * Accepts JWTs as NAT does: unsigned, forged and expired ones too. For a server that only a verifying proxy can reach,
   * while moving from NAT; not together with `jwt`. Default false.
   */
  allowUnverifiedJwts?: boolean;
  /** Default `by_kind` with `jwt`, else `nat`; see `docs/decisions/0002-user-ids.md`. */
  userIds?: UserIdScheme;
  /** The text or texts of `X-Operator-Key`, at least 16 characters each. Default: nobody is operator. */
  operatorKey?: string | readonly string[];
}

export type Identity = {
  readonly userId: string;
  readonly kind: CredentialKind;
  readonly info: UserInfo;
  /** Whether a signature was checked: true for a JWT with `jwt`, false for all else. */
  readonly verified: boolean;
};

/** Header texts by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** The payload of NAT's `auth_message`. */
export type AuthPayload =
  | { readonly method: 'jwt' | 'api_key'; readonly token: string }
  | { readonly method: 'basic'; readonly username: string; readonly password: string };

export interface Identifier {
  /**
   * Undefined if the request carries no credential. A promise only where a JWT is verified, so that the others cost no
   * turn of the event loop. Throws or rejects with a Failure: `credential_invalid`, or a retryable one.
   */
  identify(headers: Headers): Identity | undefined | Promise<Identity>;
  /** As `identify`; a `jwt` is never taken for an API key. */
  identifyMessage(payload: AuthPayload): Identity | Promise<Identity>;
  isOperator(headers: Headers): boolean;
  /** Sentences for the log at start: what these options leave open. */
  readonly warnings: readonly string[];
}

const minOperatorKeyLength = 16;

const optionNames: Record<keyof IdentityOptions, true> = {
  jwt: true,
  allowUnverifiedJwts: true,
  userIds: true,
  operatorKey: true,
};

/** @throws Failure `options_invalid` naming the option. */
export const createIdentifier = (options: IdentityOptions = {}): Identifier => {
  checkOptions(options);
  const verify = options.jwt && createJwtVerifier(options.jwt);
  const scheme = options.userIds ?? (verify ? 'by_kind' : 'nat');

  const named = (credential: Credential, verified = false): Identity => {
    const info = userInfoOf(credential, scheme);
    return { userId: info.userId, kind: info.kind, info, verified };
  };
  const namedByJwt = (token: string): Identity | Promise<Identity> => {
    if (verify) return verify(token).then((claims) => named({ kind: 'jwt', claims }, true));
    if (options.allowUnverifiedJwts) return named({ kind: 'jwt', claims: readUnverified(token) });
    throw undecodable(
      'this server has no key to verify it with; set jwt.secret, jwt.publicKey or jwt.jwksUrl, or allowUnverifiedJwts',
    );
  };
  const namedByBearer = (token: string) => (isJwt(token) ? namedByJwt(token) : named({ kind: 'api_key', key: token }));

  return {
    identify(headers) {
      const session = readSession(headers.cookie);
      if (session) return named({ kind: 'session', session });
      const authorization = readAuthorization(headers.authorization);
      if (authorization.scheme === 'bearer') return namedByBearer(authorization.text);
      if (authorization.scheme === 'basic') return named({ kind: 'basic', ...readBasic(authorization.text) });
      const key = headers['x-api-key']?.trim();
      return key ? named({ kind: 'api_key', key }) : undefined;
    },
    identifyMessage(payload) {
      if (payload.method === 'basic') {
        return named({ kind: 'basic', username: payload.username, password: payload.password });
      }
      if (payload.method === 'api_key') return named({ kind: 'api_key', key: payload.token });
      if (isJwt(payload.token)) return namedByJwt(payload.token);
      throw refused('JWT token is empty or malformed (expected 3 dot-separated parts)');
    },
    isOperator: operatorCheck([options.operatorKey ?? []].flat()),
    warnings: warningsOf(options, scheme),
  };
};

const checkOptions = (options: IdentityOptions): void => {
  const { jwt, allowUnverifiedJwts = false, userIds = 'nat' } = options;
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(optionNames, name));
  if (unknown !== undefined) throw bad(`unknown option ${unknown}`);
  if (typeof allowUnverifiedJwts !== 'boolean') throw bad('allowUnverifiedJwts must be true or false');
  if (jwt && allowUnverifiedJwts) throw bad('jwt and allowUnverifiedJwts exclude each other');
  if (userIds !== 'nat' && userIds !== 'by_kind') throw bad('userIds must be nat or by_kind');
};

const warningsOf = ({ jwt, allowUnverifiedJwts }: IdentityOptions, scheme: UserIdScheme): string[] => {
  const warnings: string[] = [];
  if (allowUnverifiedJwts) {
    warnings.push('allowUnverifiedJwts: forged and expired JWTs are accepted, who reaches this server can be anyone');
  }
  if (jwt && scheme === 'nat') {
    warnings.push('userIds nat: a session cookie with the sub of a user is that user, although JWTs are verified');
  }
  if (jwt && jwt.audience === undefined) {
    warnings.push('jwt.audience is not set: tokens that were issued for other services are accepted');
  }
  return warnings;
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
    return accepted.filter((key) => timingSafeEqual(key, given)).length > 0; // compares with all, whichever fits
  };
};

// Digests have one length, which timingSafeEqual needs, and which tells nothing of the key's.
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Of cookies with the same name the first counts; quotes go, as on NAT, and percent signs stay. */
export const readCookies = (header = ''): Readonly<Record<string, string>> => {
  const cookies = new Map<string, string>();
  for (const [name, value] of cookiePairs(header)) {
    if (!cookies.has(name)) cookies.set(name, value);
  }
  return Object.fromEntries(cookies);
};

const readSession = (header = ''): string | undefined => {
  if (!header.includes('nat-session')) return undefined;
  for (const [name, value] of cookiePairs(header)) {
    if (name === 'nat-session') return value;
  }
  return undefined;
};

function* cookiePairs(header: string): Generator<[name: string, value: string]> {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals >= 0) yield [pair.slice(0, equals).trim(), unquoted(pair.slice(equals + 1).trim())];
  }
}

const unquoted = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value
        .slice(1, -1)
        .replace(/\\([0-3][0-7]{2}|.)/g, (_, mark: string) =>
          mark.length === 3 ? String.fromCharCode(Number.parseInt(mark, 8)) : mark,
        )
    : value;

/** Scheme in lower case, and what follows it; neither, if one of them is missing. */
const readAuthorization = (header = ''): { scheme: string; text: string } => {
  const [, scheme = '', text = ''] = /^(\S+)\s+(.+)$/s.exec(header.trim()) ?? [];
  return { scheme: scheme.toLowerCase(), text };
};

const isJwt = (token: string): boolean => token.split('.').length === 3;

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

const bad = (detail: string): Failure => new Failure('options_invalid', { detail });
