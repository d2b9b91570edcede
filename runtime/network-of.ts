import { isIPv6 } from 'node:net';

/** The network of an address, for limits per client: a client with one IPv6 address usually has its whole /64 network. */
export const networkOf = (address: string): string => {
  if (!isIPv6(address)) return address;
  const [before = '', after] = address.split('::');
  const [head, tail] = [before, after ?? ''].map((part) => part.split(':').filter(Boolean));
  const zeros = after === undefined ? 0 : 8 - head!.length - tail!.length;
  return [...head!, ...Array(Math.max(0, zeros)).fill('0'), ...tail!].slice(0, 4).join(':');
};
