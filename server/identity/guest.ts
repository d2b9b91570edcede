/**
 * Callers without identity that choose names of jobs or conversations. The names belong to a token that the server
 * sends with the reply to the start. Browsers and clients with a cookie jar return it as a cookie, others as a header.
 */
import { randomBytes } from 'node:crypto';
import { readCookie } from '../http/cookies.ts';
import type { Headers } from './identifier.ts';

const GUEST_HEADER = 'guest-token';
const GUEST_COOKIE = 'fermata-guest';

/** A valid token is returned unchanged. */
const TOKEN = /^[\w-]{32}$/;

export const readGuest = (headers: Headers): string | undefined => {
  const token = headers[GUEST_HEADER] ?? readCookie(headers.cookie, GUEST_COOKIE);
  return token !== undefined && TOKEN.test(token) ? token : undefined;
};

export const newGuest = (): string => randomBytes(24).toString('base64url');

/** Cross-site requests do not contain it, and scripts cannot read it. */
export const guestCookie = (token: string): string => `${GUEST_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax`;

/** Headers of the reply with the token. */
export const guestHeaders = (token: string): Record<string, string> => ({
  [GUEST_HEADER]: token,
  'set-cookie': guestCookie(token),
});
