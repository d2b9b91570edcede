/**
 * The user of a credential: NAT's `UserInfo`. The server verifies credentials, not this file.
 *
 * Ids are NAT's UUIDv5, so data stored under a user is found again. On NAT, the same text is the same user for every
 * kind of credential. `docs/decisions/0002-user-ids.md` explains why this is safe only without authentication, and what
 * `by_kind` does instead.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';

/** The decoded claims of a JWT. */
export type Claims = Readonly<Record<string, unknown>>;

export type Credential =
  | { readonly kind: 'session'; readonly session: string }
  | { readonly kind: 'api_key'; readonly key: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** `issuer`: `sub` belongs to the namespace of that issuer. Required where several issuers are accepted. */
  | { readonly kind: 'jwt'; readonly claims: Claims; readonly issuer?: string }
  /** The user in the header of a trusted proxy. */
  | { readonly kind: 'header'; readonly name: string; readonly value: string };
export type CredentialKind = Credential['kind'];

/** `nat`: the same text is the same user. `by_kind`: only the `sub` of a JWT keeps NAT's id. */
export type UserIdScheme = 'nat' | 'by_kind';

/** The password is readable, but not enumerable, so no log and no JSON contains it. */
type BasicUserInfo = { readonly username: string; readonly password: string };

/** The claims of a JWT about its user. Members of a wrong type are left out and do not refuse the identity. */
export interface JwtUserInfo {
  readonly given_name: string | undefined;
  readonly family_name: string | undefined;
  readonly email: string | undefined;
  readonly preferred_username: string | undefined;
  /** `roles`, else Keycloak's `realm_access.roles`. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  /** Seconds since 1970, as `issued_at`. */
  readonly expires_at: number | undefined;
  readonly issued_at: number | undefined;
  /** `azp`, else `client_id`. */
  readonly client_id: string | undefined;
  readonly claims: Claims;
}

type Described<Kind, Details> = {
  readonly kind: Kind;
  /** UUIDv5 in lower case. */
  readonly userId: string;
  /** The credential. Not enumerable, because it may be a secret: no log, no JSON and no copy contains it. */
  readonly details: Details;
};
export type UserInfo =
  | Described<'session', string>
  | Described<'api_key', string>
  | Described<'basic', BasicUserInfo>
  | Described<'jwt', JwtUserInfo>
  | Described<'header', string>;

/** UUIDv5 of `nemo-agent-toolkit` in the DNS namespace: the namespace of every id on NAT. */
export const natNamespace = 'a75ed83e-6f4f-5304-b93a-44ed1114749e';

/** RFC 9562, section 5.5. */
export const uuidV5 = (name: string, namespace: string): string => {
  const space = Buffer.from(namespace.replaceAll('-', ''), 'hex');
  const digest = createHash('sha1').update(space).update(name).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};

/**
 * `make` with a cache of its last `limit` results. Keys longer than `longest` are not cached, so the memory is bounded.
 */
export const remembering = (make: (key: string) => string, { limit, longest }: { limit: number; longest: number }) => {
  const recent = new Map<string, string>();
  return (key: string): string => {
    const known = recent.get(key);
    const made = known ?? make(key);
    if (key.length > longest) return made;
    if (known !== undefined) recent.delete(key);
    else if (recent.size === limit) recent.delete(recent.keys().next().value!);
    recent.set(key, made); // a Map has insertion order: the first key is the least recently used
    return made;
  };
};

type Claim = 'sub' | 'email' | 'preferred_username';
type Source = Exclude<CredentialKind, 'jwt'> | Claim;

// Separate namespaces rather than prefixes of the text: a `sub` can contain any text, but cannot choose its namespace.
const apart = (source: Source): string => uuidV5(`fermata:${source}`, natNamespace);
const namespaces: Readonly<Record<Source, string>> = {
  sub: natNamespace,
  email: apart('email'),
  preferred_username: apart('preferred_username'),
  session: apart('session'),
  api_key: apart('api_key'),
  basic: apart('basic'),
  header: natNamespace,
};

const namespaceLength = natNamespace.length;
const idOf = remembering((key) => uuidV5(key.slice(namespaceLength), key.slice(0, namespaceLength)), {
  limit: 1_000,
  longest: 300,
});

const refuse = (detail: string): never => {
  throw new Failure('credential_invalid', { detail });
};

/**
 * The user of a credential.
 *
 * @throws Failure `credential_invalid`, in NAT's words, if it names no user.
 */
export const userInfoOf = (credential: Credential, scheme: UserIdScheme = 'nat'): UserInfo => {
  const [source, key] = keyOf(credential, scheme);
  const userId = idOf((scheme === 'nat' ? natNamespace : namespaces[source]) + key);
  switch (credential.kind) {
    case 'session':
      return describe({ kind: 'session', userId, details: credential.session });
    case 'api_key':
      return describe({ kind: 'api_key', userId, details: credential.key });
    case 'basic': {
      const { username, password } = credential;
      return describe({ kind: 'basic', userId, details: withHidden({ username, password }, 'password') });
    }
    case 'jwt':
      return describe({ kind: 'jwt', userId, details: jwtUserInfo(credential.claims) });
    case 'header':
      return describe({ kind: 'header', userId, details: credential.value });
  }
};

const describe = <Info extends UserInfo>(info: Info): Info => withHidden(info, 'details');

const withHidden = <T extends object>(value: T, name: keyof T): T =>
  Object.freeze(Object.defineProperty(value, name, { enumerable: false }));

const keyOf = (credential: Credential, scheme: UserIdScheme): [source: Source, key: string] => {
  switch (credential.kind) {
    case 'session':
      if (credential.session === '') refuse('The session is empty');
      return ['session', wellFormed(credential.session)];
    case 'api_key':
      if (credential.key.trim() === '') refuse('API key token is empty');
      return ['api_key', wellFormed(credential.key)];
    case 'basic':
      if (credential.username === '') refuse('Basic auth username must not be empty');
      return ['basic', Buffer.from(wellFormed(`${credential.username}:${credential.password}`)).toString('base64')];
    case 'jwt': {
      const { claims, issuer } = credential;
      for (const claim of ['sub', 'email', 'preferred_username'] as const) {
        const text = nonBlank(claims[claim]);
        if (text === undefined) continue;
        // An issuer may distinguish " alice" from "alice". NAT trims, and the two would then be one user.
        const named = wellFormed(scheme === 'nat' && issuer === undefined ? text : (claims[claim] as string));
        return [claim, issuer === undefined ? named : `${wellFormed(issuer)}\x1f${named}`];
      }
      return refuse('JWT contains no usable identity claim (sub, email, preferred_username)');
    }
    case 'header':
      return ['header', `trusted-header:${credential.name.toLowerCase()}\x1f${wellFormed(credential.value)}`];
  }
};

/** Invalid bytes all become U+FFFD in transit, so two users would share an id. */
const wellFormed = (text: string): string =>
  /[\uFFFD\p{Surrogate}]/u.test(text) ? refuse('The credential contains bytes that are not text') : text;

const jwtUserInfo = (claims: Claims): JwtUserInfo => {
  const [, firstName, otherNames] = /^(\S+)(?:\s+(.+))?$/s.exec(nonBlank(claims.name) ?? '') ?? [];
  return Object.freeze({
    given_name: nonBlank(claims.given_name) ?? firstName,
    family_name: nonBlank(claims.family_name) ?? otherNames,
    email: nonBlank(claims.email),
    preferred_username: nonBlank(claims.preferred_username),
    roles: texts(Array.isArray(claims.roles) ? claims.roles : realmRoles(claims.realm_access)),
    groups: texts(claims.groups),
    scopes: Object.freeze(nonBlank(claims.scope)?.split(/\s+/) ?? []),
    issuer: nonBlank(claims.iss),
    subject: nonBlank(claims.sub),
    audience: texts([claims.aud].flat()),
    expires_at: whole(claims.exp),
    issued_at: whole(claims.iat),
    client_id: nonBlank(claims.azp) ?? nonBlank(claims.client_id),
    claims: Object.freeze({ ...claims }),
  });
};

const nonBlank = (value: unknown): string | undefined => (typeof value === 'string' && value.trim()) || undefined;

const whole = (value: unknown): number | undefined => (Number.isInteger(value) ? (value as number) : undefined);

const texts = (value: unknown): readonly string[] =>
  Object.freeze(Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []);

const realmRoles = (access: unknown): unknown =>
  typeof access === 'object' && access !== null && 'roles' in access ? access.roles : undefined;
