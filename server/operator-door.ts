/**
 * Who may operate this server: look at everybody's executions in the console and the inspector, and act on them.
 *
 * D1  Whoever brings the operator key: as `X-Operator-Key`, as a Bearer token, as `X-API-Key`, or by the cookie that
 *     signing in has set. The cookie holds a digest and not the key, and works for as long as the key is configured.
 * D2  Whoever sits at this machine: the connection comes from loopback, names a loopback host, and no proxy has sent it
 *     on. A page somewhere else whose name is made to point here (DNS rebinding) still names its own host.
 * D3  What browsers add by themselves - the cookie, and being on this machine - counts for our own pages only: a request
 *     that names an origin names ours. Other pages can send requests here as well, but not headers with the key.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Failure } from '../runtime/index.ts';
import { readCookies } from './cookies.ts';
import type { Identifier } from './identity.ts';
import type { Call } from './route.ts';

/** A request, or the handshake of a socket. */
export type Knock = Pick<Call, 'headers' | 'client'>;

export interface OperatorDoor {
  mayOperate(knock: Knock): boolean;
  /** Throws `operator_required` for everybody else. */
  enter(knock: Knock): void;
  /** The cookie for whoever has the key, undefined for others. */
  signIn(key: string, knock: Knock): string | undefined;
  /** The cookie that takes back the other one. */
  signOut(): string;
}

/** `keys` are those that `identifier` knows. */
export const createOperatorDoor = (
  { isOperator }: Pick<Identifier, 'isOperator'>,
  keys: string | readonly string[] = [],
): OperatorDoor => {
  const digests = [keys].flat().map(digestOf);

  const isKey = (key: string | undefined): boolean => key !== undefined && isOperator({ 'x-operator-key': key });
  const isCookie = (value: string | undefined): boolean =>
    value !== undefined && digests.filter((digest) => isSame(digest, value)).length > 0;

  const mayOperate = (knock: Knock): boolean => {
    const { headers } = knock;
    const bearer = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (isOperator(headers) || isKey(bearer) || isKey(headers['x-api-key']?.trim())) return true; // D1
    return isLocal(knock) || (isOwnPage(headers) && isCookie(readCookies(headers.cookie)[COOKIE]));
  };

  return {
    mayOperate,
    enter(knock) {
      if (!mayOperate(knock)) throw new Failure('operator_required', { detail: digests.length > 0 ? KEY : NO_KEY });
    },
    signIn: (key, { headers }) =>
      isKey(key)
        ? `${COOKIE}=${digestOf(key)}; ${ATTRIBUTES}${headers['x-forwarded-proto'] === 'https' ? '; Secure' : ''}`
        : undefined,
    signOut: () => `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0`,
  };
};

const COOKIE = 'fermata-operator';
const ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Strict';

const KEY = 'Send the operator key: as X-Operator-Key, as a Bearer token, as X-API-Key, or sign in.';
const NO_KEY = 'Without an operator key this answers this machine only, and no proxy on it; configure operator_key.';

const digestOf = (key: string): string =>
  createHash('sha256').update('fermata operator cookie\n').update(key).digest('base64url');

const isSame = (digest: string, given: string): boolean =>
  given.length === digest.length && timingSafeEqual(Buffer.from(digest), Buffer.alloc(digest.length, given));

/** D2 D3: whether somebody on this machine asks for themselves. A proxy may run here too, and ask for anybody. */
export const isLocal = ({ client: { host }, headers }: Knock): boolean =>
  (host.startsWith('127.') || host === '::1' || host === '0:0:0:0:0:0:0:1') &&
  !PROXIED.some((name) => headers[name] !== undefined) &&
  isLoopbackName(headers.host ?? '') &&
  isOwnPage(headers);

/** What proxies add to a request. */
const PROXIED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'] as const;

const isLoopbackName = (host: string): boolean =>
  /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);

/** Our own origin is the host that was asked, whatever a proxy in front has made of the scheme. */
const isOwnPage = ({ origin, host }: Call['headers']): boolean =>
  origin === undefined || origin.toLowerCase().replace(/^https?:\/\//, '') === host?.toLowerCase();
