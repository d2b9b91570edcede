/** Copies the parts of a request of uWebSockets.js. */
import { SocketAddress } from 'node:net';
import { addHeader, headerBag } from '../header-bag.ts';
import { type Call, unknownClient } from '../route.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

export const copyHeaders = (req: HttpRequest): Record<string, string> => {
  const headers = headerBag();
  req.forEach((name, given) => {
    addHeader(headers, name, isAscii.test(given) ? given : latin1Of(given));
  });
  return headers;
};

const isAscii = /^[\0-\x7f]*$/;

/** The replacement for bytes that are not UTF-8, as the library reads them. */
const LOST = '\ufffd';

/** As other servers read a header: each byte is a character. */
const latin1Of = (value: string): string => (value.includes(LOST) ? value : Buffer.from(value).toString('latin1'));

const CREDENTIALS = ['authorization', 'cookie', 'x-api-key', 'x-operator-key'] as const;

/** Two credentials that differ only in such bytes look equal, so neither is accepted. */
export const credentialFault = (headers: Readonly<Record<string, string>>): string | undefined => {
  const name = CREDENTIALS.find((credential) => headers[credential]?.includes(LOST));
  return name && `The header ${name} has bytes that cannot be read: send ASCII or UTF-8.`;
};

/** A reset connection has no address. */
export const clientOf = (res: Pick<HttpResponse, 'getRemoteAddress' | 'getRemotePort'>): Call['client'] => {
  const given = new Uint8Array(res.getRemoteAddress());
  if (given.length !== 4 && given.length !== 16) return unknownClient;
  const port = res.getRemotePort?.() ?? 0;
  if (given.length === 4) return { host: `${given[0]}.${given[1]}.${given[2]}.${given[3]}`, port };
  const bytes = Buffer.from(given);
  const isMapped = bytes.readUInt32BE(8) === 0xffff && bytes.subarray(0, 8).every((byte) => byte === 0);
  if (isMapped) return { host: bytes.subarray(-4).join('.'), port };
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return { host: new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address, port };
};
