/** The data of the upgrade request: identity, origin, and the conversation to reconnect to. */
import { Failure } from '../../../runtime/index.ts';
import type { Handshaken, SocketRefusal } from '../../http/adapter.ts';
import { readCookies } from '../../http/cookies.ts';
import type { Cors } from '../../http/cors.ts';
import type { Network } from '../../http/network.ts';
import { isWelcome } from '../../http/origin.ts';
import { readLast } from '../../http/preferences.ts';
import type { Call } from '../../http/route.ts';
import { newGuest, readGuest } from '../../identity/guest.ts';

/** Copied from the request, and kept as long as the socket: each run reads the identity from it. */
export interface Handshake {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
  readonly client: Call['client'];
  /** Token of a client without identity; a client without token gets one with the reply. */
  readonly guest: string;
  readonly conversationId: string | undefined;
  /** Cursor of the last message that a client with cursors has, or any other text; messages then have cursors. */
  readonly after: string | undefined;
}

export const readHandshake = (
  { headers: given, query: asked, client }: Handshaken,
  { path, cors, network }: { path: string; cors: Cors | undefined; network: Network },
): Handshake | SocketRefusal => {
  const query = new URLSearchParams(asked);
  const session = readLast(query, 'session') ?? '';
  try {
    network.checkHost(given);
  } catch (thrown) {
    return { status: 421, detail: Failure.from(thrown).message };
  }
  if (!/^[A-Za-z0-9\-_.~]*$/.test(session)) return forbidden('Invalid session ID');
  if (!isWelcome(given.origin, given.host, cors)) return forbidden('Pages of this origin may not open sockets');

  const cookie = cookieWith(session, given.cookie);
  if (cookie !== undefined) given.cookie = cookie;
  return {
    path,
    headers: given,
    query: Object.fromEntries(query),
    cookies: readCookies(cookie),
    client: network.clientOf(client, given),
    guest: readGuest(given) ?? newGuest(),
    conversationId: readLast(query, 'conversation_id') || undefined,
    after: readLast(query, 'after'),
  };
};

const forbidden = (detail: string): SocketRefusal => ({ status: 403, detail });

/** `?session=` counts as the cookie, unless there is one: pages cannot set headers of a handshake. */
const cookieWith = (session: string, cookie: string | undefined): string | undefined => {
  if (session === '' || readCookies(cookie)['nat-session'] !== undefined) return cookie;
  return cookie === undefined ? `nat-session=${session}` : `${cookie}; nat-session=${session}`;
};
