/** The options of identities, their check, and warnings about insecure ones. */
import { Failure } from '../../runtime/index.ts';
import type { UserIdScheme } from '../../runtime/nat/user-info.ts';
import type { IssuerOptions } from './issuers.ts';
import type { JwtOptions } from './jwt.ts';

export interface IdentityOptions {
  /** How JWTs are verified. Default: every JWT is refused. */
  jwt?: JwtOptions;
  /**
   * Issuers whose JWTs are accepted, instead of `jwt`. Users of two issuers are never the same. Default: those of
   * `jwt`.
   */
  issuers?: readonly IssuerOptions[];
  /**
   * Name of the header in which a proxy identifies the user. It overrides all credentials, and requests without it are
   * refused. Use it for a server that only this proxy can reach. Excludes all options here except `operatorKey`.
   * Default: none.
   */
  header?: string;
  /** Accepted kinds of credentials; others are refused. Default: all. */
  accepted?: readonly AcceptedKind[];
  /**
   * Accepts JWTs as NAT does, including unsigned, forged and expired ones. For a server that only a verifying proxy can
   * reach, during a migration from NAT. Excludes `jwt` and `issuers`. Default false.
   */
  allowUnverifiedJwts?: boolean;
  /** Default `by_kind` with `jwt` or `issuers`, else `nat`; see `docs/decisions/0002-user-ids.md`. */
  userIds?: UserIdScheme;
  /** One or more values for `X-Operator-Key`, at least 16 characters each. Default: no key. */
  operatorKey?: string | readonly string[];
}

/** As NAT names them in its configuration. */
export const acceptedKinds = ['session_cookie', 'jwt', 'api_key', 'basic'] as const;
type AcceptedKind = (typeof acceptedKinds)[number];

const optionNames: Record<keyof IdentityOptions, true> = {
  jwt: true,
  issuers: true,
  header: true,
  accepted: true,
  allowUnverifiedJwts: true,
  userIds: true,
  operatorKey: true,
};

/** @throws Failure `options_invalid` naming the option. */
export const checkOptions = (options: IdentityOptions): void => {
  const { jwt, issuers, header, accepted, allowUnverifiedJwts = false, userIds = 'nat' } = options;
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(optionNames, name));
  if (unknown !== undefined) throw bad(`unknown option ${unknown}`);
  if (typeof allowUnverifiedJwts !== 'boolean') throw bad('allowUnverifiedJwts must be true or false');
  if (jwt && allowUnverifiedJwts) throw bad('jwt and allowUnverifiedJwts exclude each other');
  if (issuers && (jwt || allowUnverifiedJwts)) throw bad('issuers excludes jwt and allowUnverifiedJwts');
  if (issuers && accepted?.includes('jwt') === false) throw bad('issuers needs jwt among the accepted credentials');
  if (header !== undefined && !isHeaderName(header))
    throw bad('header must be the name of a header that carries no other credential');
  if (header !== undefined && (jwt || issuers || accepted || allowUnverifiedJwts)) {
    throw bad('header excludes jwt, issuers, accepted and allowUnverifiedJwts');
  }
  if (userIds !== 'nat' && userIds !== 'by_kind') throw bad('userIds must be nat or by_kind');
};

/** Headers that proxies and browsers set for another purpose do not identify a user. */
const isHeaderName = (name: string): boolean =>
  /^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name) &&
  !/^(host|origin|cookie|authorization|connection|content-.*|x-api-key|guest-token|x-operator-key|x-as-operator|forwarded|x-forwarded-(for|host|port|proto))$/i.test(
    name,
  );

/** For the log at the start. */
export const warningsOf = (options: IdentityOptions, scheme: UserIdScheme): string[] => {
  const { jwt, issuers, header, allowUnverifiedJwts } = options;
  const warnings: string[] = [];
  if (header !== undefined) {
    warnings.push(`header: ${header} names the user; a client that bypasses the proxy can choose any user`);
  }
  if (allowUnverifiedJwts) {
    warnings.push('allowUnverifiedJwts: forged and expired JWTs are accepted, so any client can choose any user');
  }
  if ((jwt || issuers) && scheme === 'nat') {
    warnings.push('userIds nat: a session cookie with the sub of a user is that user, although JWTs are verified');
  }
  if (jwt && jwt.audience === undefined) {
    warnings.push('jwt.audience is not set: tokens that were issued for other services are accepted');
  }
  if (jwt?.jwksUrl !== undefined && jwt.issuer === undefined) {
    warnings.push('jwt.issuer is not set: tokens of every issuer that shares these keys are accepted');
  }
  return warnings;
};

export const bad = (detail: string): Failure => new Failure('options_invalid', { detail });
