/**
 * Callers without identity who choose names, of jobs or conversations: the names are theirs by a token that the server
 * gives at the start. Browsers and clients with a cookie jar send it back by themselves, others as a header.
 */
import { randomBytes } from 'node:crypto';
import { readCookie } from '../http/cookies.ts';
import type { Headers } from './identifier.ts';

export const GUEST_HEADER = 'guest-token';
const GUEST_COOKIE = 'fermata-guest';

/** What we give is sent back whole, or it is none of ours. */
const TOKEN = /^[\w-]{32}$/;

export const readGuest = (headers: Headers): string | undefined => {
  const token = headers[GUEST_HEADER] ?? readCookie(headers.cookie, GUEST_COOKIE);
  return token !== undefined && TOKEN.test(token) ? token : undefined;
};

export const newGuest = (): string => randomBytes(24).toString('base64url');

/** Cross-site requests of others do not carry it, and scripts do not see it. */
export const guestCookie = (token: string): string => `${GUEST_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Lax`;

/** Headers of the reply that gives it. */
export const guestHeaders = (token: string): Record<string, string> => ({
  [GUEST_HEADER]: token,
  'set-cookie': guestCookie(token),
});
