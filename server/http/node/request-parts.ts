/** The parts of a request of node:http. Header names are lower-case; each byte of a value is a character. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { addHeader, headerBag } from '../header-bag.ts';
import { isRepeated } from '../repeated-headers.ts';
import { type Call, unknownClient } from '../route.ts';
import type { Target } from './target.ts';

export const readHeaders = ({ rawHeaders }: IncomingMessage, { host }: Target): Record<string, string> => {
  const headers = headerBag();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    addHeader(headers, rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!);
  }
  if (host !== undefined) headers.host = host;
  return headers;
};

/** Such a request could be read as one for different servers. */
export const hostFault = ({ method, httpVersion }: IncomingMessage, target: Target, headers: Call['headers']) => {
  const { host, path } = target;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'The version of HTTP is 1.1 or 1.0 here.';
  if (httpVersion === '1.0' && headers['transfer-encoding'] !== undefined) return 'HTTP/1.0 has no Transfer-Encoding.';
  if (!path.startsWith('/') && method !== 'OPTIONS') return 'The target of a request begins with a slash.';
  if (host?.includes('@')) return 'A URL of a request names no user.';
  if (isRepeated(headers, 'host')) return 'Host must be given once.';
  if (headers.host === undefined && httpVersion !== '1.0') return 'A request needs a Host header.';
  return undefined;
};

/** IPv4 addresses may be mapped into IPv6. A reset connection has no address. */
export const clientOf = ({ remoteAddress, remotePort }: Socket): Call['client'] =>
  remoteAddress === undefined
    ? unknownClient
    : { host: remoteAddress.replace(/^::ffff:(?=[\d.]+$)/i, ''), port: remotePort ?? 0 };
