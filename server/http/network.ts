/**
 * Where requests come from: which address a client has behind proxies, whether somebody at this machine asks, and under
 * which names this server may be asked for.
 *
 * N1  Forwarding headers are claims. They count only from an address that `trustProxy` lists, and only up to the first
 *     address that it does not list.
 * N2  A request is from this machine only where the server is bound to loopback, no proxy is trusted, and no header says
 *     that a proxy has forwarded it. A proxy on this machine that adds no such header cannot be detected: there an operator
 *     key has to be configured, or `trustProxy`.
 * N3  A page elsewhere can have its name resolved to this machine (DNS rebinding): then its requests are those of its own
 *     origin, and nothing but `Host` tells.
 */
import { BlockList, isIP } from 'node:net';
import { Failure } from '../../runtime/index.ts';
import { isOwnPage } from './origin.ts';
import type { Call } from './route.ts';

export interface NetworkOptions {
  /** Name or address that is listened on. */
  readonly host: string;
  /**
   * Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count: addresses, networks such as `10.0.0.0/8`, or `loopback`.
   * With any, nobody is an operator for being at this machine. Default: none.
   */
  readonly trustProxy?: readonly string[] | undefined;
  /**
   * Names under which the server may be asked for, without port; `.example` is every name below it. Default: any, or
   * those of loopback if the server is bound to loopback and no proxy is trusted.
   */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** A request, or the handshake of a socket. */
export type Knock = Pick<Call, 'headers' | 'client'>;

export interface Network {
  /** N1. `client` is the other end of the connection. */
  clientOf(client: Call['client'], headers: Call['headers']): Call['client'];
  /** N2 */
  isLocal(knock: Knock): boolean;
  /** N3: throws `host_unknown`. A request without `Host` comes from no browser. */
  checkHost(headers: Call['headers']): void;
  /** N1. Whether the browser speaks TLS, as a trusted proxy says. `client` is what `clientOf` gave. */
  isSecure(knock: Knock): boolean;
}

/** @throws Failure `options_invalid` naming the option. */
export const createNetwork = (options: NetworkOptions): Network => {
  const { host, trustProxy = [], allowedHosts } = options;
  const trusted = listOf(trustProxy);
  const isBehindProxy = trustProxy.length > 0;
  /** Clients whose request a trusted proxy has sent on: what `clientOf` gave for them. */
  const proxied = new WeakSet<Call['client']>();
  const isBoundToLoopback = isLoopback(host.toLowerCase());
  const isKnown = hostCheck(
    isBoundToLoopback && !isBehindProxy ? [host, ...(allowedHosts ?? [])] : allowedHosts,
    isBoundToLoopback,
  );
  let lastKnown: string | undefined;

  return {
    clientOf(client, headers) {
      if (!isBehindProxy || !contains(trusted, client.host)) return client;
      const hops = (headers['x-forwarded-for'] ?? '').split(',').map((hop) => addressIn(hop.trim()));
      let found = client.host;
      for (const hop of hops.reverse()) {
        if (hop === undefined) break;
        found = hop;
        if (!contains(trusted, hop)) break;
      }
      const asking = found === client.host ? client : { host: found, port: 0 };
      proxied.add(asking);
      return asking;
    },
    isLocal: ({ client, headers }) =>
      isBoundToLoopback &&
      !isBehindProxy &&
      isLoopback(client.host) &&
      !isForwarded(headers) &&
      isLoopback(nameOf(headers.host ?? '')) &&
      isOwnPage(headers),
    checkHost({ host: asked }) {
      if (isKnown === undefined || asked === undefined || asked === lastKnown) return;
      if (isKnown(nameOf(asked))) lastKnown = asked;
      else {
        const detail = `This server is not reached as ${JSON.stringify(asked.slice(0, 100))}; set fermata.allowed_hosts to its names.`;
        throw new Failure('host_unknown', { detail });
      }
    },
    isSecure: ({ client, headers }) =>
      proxied.has(client) && /^\s*https\s*(,|$)/i.test(headers['x-forwarded-proto'] ?? ''),
  };
};

const contains = (list: BlockList, address: string): boolean => {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
};

const listOf = (names: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const name of names.flatMap((given) => (given === 'loopback' ? ['127.0.0.0/8', '::1'] : [given]))) {
    const [address = '', bits, ...more] = name.split('/');
    const family = isIP(address);
    const longest = family === 6 ? 128 : 32;
    if (
      family === 0 ||
      more.length > 0 ||
      (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= longest))
    ) {
      const detail = `trustProxy must list addresses, networks such as 10.0.0.0/8, or loopback, got ${JSON.stringify(name)}`;
      throw new Failure('options_invalid', { detail });
    }
    list.addSubnet(address, bits === undefined ? longest : Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
};

/** Proxies add ports to some addresses; undefined for what is no address. */
const addressIn = (hop: string): string | undefined => {
  const bare = /^\[(.+)\](:\d+)?$/.exec(hop)?.[1] ?? (/^[\d.]+:\d+$/.test(hop) ? hop.replace(/:\d+$/, '') : hop);
  const mapped = /^::ffff:([\d.]+)$/i.exec(bare)?.[1] ?? bare;
  return isIP(mapped) === 0 ? undefined : mapped;
};

/** Undefined if every name is known. */
const hostCheck = (allowed: readonly string[] | undefined, isBoundToLoopback: boolean) => {
  if (allowed === undefined) return undefined;
  const names = allowed.map((name) => name.toLowerCase());
  const exact = new Set(names);
  const endings = names.filter((name) => name.startsWith('.'));
  return (name: string): boolean =>
    exact.has(name) ||
    endings.some((ending) => name.endsWith(ending)) ||
    (isBoundToLoopback && (isLoopback(name) || name.endsWith('.localhost')));
};

/** Of a `Host`, in lower case: without port, without the brackets of IPv6, without the dot at the end. */
const nameOf = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

/** Of names and addresses. */
const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '0:0:0:0:0:0:0:1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);

/** What proxies, tunnels and content networks add to a request. */
const FORWARDED =
  /^(forwarded|via|x-forwarded(-.+)?|x-original-(forwarded-for|host|url)|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|client-ip|cf-.+|cdn-loop|fastly-.+|fly-.+|x-envoy-.+|x-amzn-.+|x-cloud-trace-context|x-arr-.+|x-azure-.+|x-scheme|ngrok-.+|tailscale-.+)$/;

/** Whether `Host` is this listener as clients on this machine see it, and no proxy says that it is in between. */
export const isAskedDirectly = (headers: Call['headers'], port: number): boolean => {
  const { host = '' } = headers;
  return host.endsWith(`:${port}`) && isLoopback(nameOf(host)) && !isForwarded(headers);
};

const isForwarded = (headers: Call['headers']): boolean => {
  for (const name in headers) if (FORWARDED.test(name)) return true;
  return false;
};
