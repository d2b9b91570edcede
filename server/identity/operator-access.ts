/**
 * Operators: callers who may see all executions in the console and the inspector, and act on them.
 *
 * D1  A caller with the operator key: as `X-Operator-Key`, as a Bearer token, as `X-API-Key`, or by the cookie of the
 *     sign-in form. The cookie contains a digest of the key, and is valid as long as the key is configured.
 * D2  Without a configured key, a caller on this machine (`Network.isLocal`). With a key only the key counts.
 * D3  Credentials that browsers add automatically (the cookie, the local address) count for our own pages only: a
 *     request with an `Origin` must have ours. Other pages can send requests too, but no headers with the key.
 * D4  Wrong keys are limited by address. A right key always works, and so does a cookie, which contains a digest. A
 *     Bearer token or an API key may be that of a user: it is a wrong operator key only where users have no access.
 *     Elsewhere the different ones are limited by address. JWTs are not counted, because those of a user change.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Failure } from '../../runtime/index.ts';
import { readCookie } from '../http/cookies.ts';
import type { Network, RequestSource } from '../http/network.ts';
import { isOwnPage } from '../http/origin.ts';
import type { Attempts } from './attempts.ts';
import { type Identifier, isJwt } from './identifier.ts';

export interface OperatorAccess {
  /** Whether keys are configured. */
  readonly isGuarded: boolean;
  /** Whether `X-Operator-Key` has a valid key. Throws `too_many_attempts`. */
  hasKey(source: RequestSource): boolean;
  /** Whether the caller is an operator, in any of the ways above. Throws `too_many_attempts` for a wrong key. */
  mayOperate(source: RequestSource): boolean;
  /** Throws `operator_required` for other callers, and `too_many_attempts`. */
  require(source: RequestSource): void;
  /** The cookie for a caller with the key, undefined for others. Throws `too_many_attempts`. */
  signIn(key: string, source: RequestSource): string | undefined;
  /** The cookie that deletes the other one. */
  signOut(): string;
}

export interface OperatorAccessDeps {
  readonly identifier: Pick<Identifier, 'isOperator'>;
  /** Keys that `identifier` knows. */
  readonly keys: string | readonly string[] | undefined;
  readonly network: Network;
  readonly attempts: Attempts;
}

export const createOperatorAccess = ({ identifier, keys, network, attempts }: OperatorAccessDeps): OperatorAccess => {
  const digests = [keys ?? []].flat().map(digestOf);

  const isRight = (key: string): boolean => identifier.isOperator({ 'x-operator-key': key });
  /** D4. Reading the address costs more than the rest of a request, and only keys need it. */
  const isKey = (key: string | undefined, source: RequestSource): boolean => {
    if (key === undefined || digests.length === 0) return false;
    if (isRight(key)) return true;
    attempts.failed(source.client.host);
    return false;
  };
  const isCookie = (value: string | undefined): boolean =>
    value !== undefined && digests.filter((digest) => isSame(digest, value)).length > 0; // compares all: the time shows nothing

  const hasKey = (source: RequestSource): boolean => isKey(source.headers['x-operator-key'], source);
  const mayOperate = (source: RequestSource): boolean => {
    const { headers } = source;
    if (isOwnPage(headers) && isCookie(readCookie(headers.cookie, COOKIE))) return true;
    if (digests.length === 0) return network.isLocal(source); // D2
    if (hasKey(source)) return true;
    const usersKeys = usersKeysOf(headers);
    if (usersKeys.some(isRight)) return true;
    for (const key of usersKeys) if (!isJwt(key)) attempts.differs(source.client.host, key);
    return false;
  };

  return {
    isGuarded: keys !== undefined,
    hasKey,
    mayOperate,
    require(source) {
      if (mayOperate(source)) return;
      for (const key of usersKeysOf(source.headers)) isKey(key, source);
      throw new Failure('operator_required', { detail: digests.length > 0 ? KEY : NO_KEY });
    },
    signIn: (key, source) =>
      isKey(key, source)
        ? `${COOKIE}=${digestOf(key)}; ${ATTRIBUTES}${network.isSecure(source) ? '; Secure' : ''}`
        : undefined,
    signOut: () => `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0`,
  };
};

/** Keys where users send theirs. */
const usersKeysOf = ({ authorization = '', 'x-api-key': apiKey = '' }: RequestSource['headers']): string[] => {
  const bearer = /^bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? '';
  return [bearer, apiKey.trim()].filter((key) => key !== '');
};

const COOKIE = 'fermata-operator';
const ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Strict';

const KEY = 'Send the operator key: as X-Operator-Key, as a Bearer token, as X-API-Key, or sign in.';
export const NO_KEY =
  'Without an operator key only callers on this machine get a reply, and not through a proxy; configure operator_key.';

const digestOf = (key: string): string =>
  createHash('sha256').update('fermata operator cookie\n').update(key).digest('base64url');

const isSame = (digest: string, given: string): boolean =>
  given.length === digest.length && timingSafeEqual(Buffer.from(digest), Buffer.alloc(digest.length, given));
