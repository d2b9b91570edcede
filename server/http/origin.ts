/** Which pages may do what browsers let every page do to every server, with the cookies of that server. */
import type { Cors } from './cors.ts';

/** Those of the host itself, at whatever port, and those that CORS lets call; who is no browser names no origin. */
export const isWelcome = (origin: string | undefined, host = '', cors: Cors | undefined): boolean => {
  if (origin === undefined || cors?.allows(origin)) return true;
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const [from, to] = [new URL(origin).hostname, new URL(`http://${host}`).hostname];
  return from === to || (isLoopback(from) && isLoopback(to));
};

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/**
 * Whether a browser says that a page of another site has made it ask. Unlike `Origin`, it says so of images and links too.
 * Who is no browser says nothing.
 */
export const isSentFromElsewhere = (headers: Readonly<Record<string, string>>, cors: Cors): boolean => {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return origin === undefined || !cors.allows(origin);
};

/** Our own origin is the host that was asked, whatever a proxy in front has made of the scheme. */
export const isOwnPage = ({ origin, host }: Readonly<Record<string, string>>): boolean =>
  origin === undefined || origin.toLowerCase().replace(/^https?:\/\//, '') === host?.toLowerCase();
