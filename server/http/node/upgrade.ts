/**
 * Requests that offer another protocol, such as the `h2c` of Java's client, and are served without it. node:http stops
 * parsing every connection with an upgrade request. So the head is parsed again, without the upgrade.
 */
import type { IncomingMessage } from 'node:http';

const OFFERS = new Set(['upgrade', 'http2-settings']);

/** The bytes of the head. */
export const withoutUpgrade = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer => {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const value = rawHeaders[at + 1]!;
    if (name.toLowerCase() === 'connection') {
      const options = value.split(',').filter((option) => !OFFERS.has(option.trim().toLowerCase()));
      if (options.length > 0) lines.push(`${name}: ${options.join(',')}`);
    } else if (!OFFERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
};
