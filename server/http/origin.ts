/** Which pages may do things that browsers allow every page, with the cookies of the server. */
import type { Cors } from './cors.ts';

/**
 * Pages of the same host, at any port, and pages that CORS allows. Clients that are not browsers send no origin and are
 * allowed.
 */
export const isWelcome = (origin: string | undefined, host = '', cors: Cors | undefined): boolean => {
  if (origin === undefined || cors?.allows(origin)) return true;
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const [from, to] = [new URL(origin).hostname, new URL(`http://${host}`).hostname];
  return from === to || (isLoopback(from) && isLoopback(to));
};

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/**
 * Whether a browser says that a page of another site caused the request. Unlike `Origin`, this also covers images and
 * links. Clients that are not browsers send nothing.
 */
export const isSentFromElsewhere = (headers: Readonly<Record<string, string>>, cors: Cors): boolean => {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return origin === undefined || !cors.allows(origin);
};

/** Our own origin is the requested host, whatever scheme a proxy uses. */
export const isOwnPage = ({ origin, host }: Readonly<Record<string, string>>): boolean =>
  origin === undefined || origin.toLowerCase().replace(/^https?:\/\//, '') === host?.toLowerCase();
