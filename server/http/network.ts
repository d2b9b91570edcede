/**
 * The network origin of requests: the address of a client behind proxies, whether the client is on this machine, and
 * the host names of this server.
 *
 * N1  Forwarding headers are claims. They count only from an address that `trustProxy` lists, and only up to the first
 *     address that it does not list.
 * N2  A request is from this machine only if the server is bound to loopback, no proxy is trusted, and no header says
 *     that a proxy has forwarded it. A proxy on this machine may add no such header. nginx without settings adds none, but
 *     closes the connection after each request, unlike browsers and command lines: such requests are not local. Other
 *     silent proxies cannot be detected: configure an operator key there, or `trustProxy`.
 * N3  A page elsewhere can make its name resolve to this machine (DNS rebinding). Its requests then seem to be
 *     same-origin, and only `Host` shows the difference.
 */
import { BlockList, isIP } from 'node:net';
import { Failure } from '../../runtime/index.ts';
import { isOwnPage } from './origin.ts';
import type { Call } from './route.ts';

export interface NetworkOptions {
  /** Name or address that the server listens on. */
  readonly host: string;
  /**
   * Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses, networks such as `10.0.0.0/8`, or
   * `loopback`. With any, a local address does not make an operator. Default: none.
   */
  readonly trustProxy?: readonly string[] | undefined;
  /**
   * Host names of this server, without port; `.example` is every name below it. Default: any, or those of loopback if
   * the server is bound to loopback and no proxy is trusted.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether a request with `Connection: close` may be local. Only for servers without any proxy. Default false. */
  readonly isClosingLocal?: boolean | undefined;
}

/** A request, or the handshake of a socket. */
export type RequestSource = Pick<Call, 'headers' | 'client'>;

export interface Network {
  /** N1. `client` is the other end of the connection. */
  clientOf(client: Call['client'], headers: Call['headers']): Call['client'];
  /** N2 */
  isLocal(source: RequestSource): boolean;
  /** N3: throws `host_unknown`. A request without `Host` comes from no browser. */
  checkHost(headers: Call['headers']): void;
  /** N1. Whether the browser uses TLS, as a trusted proxy says. `client` is the result of `clientOf`. */
  isSecure(source: RequestSource): boolean;
}

/** @throws Failure `options_invalid` naming the option. */
export const createNetwork = (options: NetworkOptions): Network => {
  const { host, trustProxy = [], allowedHosts, isClosingLocal = false } = options;
  const trusted = listOf(trustProxy);
  const isBehindProxy = trustProxy.length > 0;
  /** Results of `clientOf` for requests that a trusted proxy has forwarded. */
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
      (isClosingLocal || headers.connection?.toLowerCase() !== 'close') &&
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

/** Proxies add ports to some addresses. Undefined for an invalid address. */
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

/**
 * The name in a `Host` header, in lower case: without port, without the brackets of IPv6, without the dot at the end.
 */
const nameOf = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');

/** Names and addresses of loopback. */
const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || name === '0:0:0:0:0:0:0:1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);

/** Headers that proxies, tunnels and content networks add. */
const FORWARDED =
  /^(forwarded|via|x-forwarded(-.+)?|x-original-(forwarded-for|host|url)|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|client-ip|cf-.+|cdn-loop|fastly-.+|fly-.+|x-envoy-.+|x-amzn-.+|x-cloud-trace-context|x-arr-.+|x-azure-.+|x-scheme|ngrok-.+|tailscale-.+)$/;

/** Whether `Host` is a local name of this listener, and no header shows a proxy. */
export const isAskedDirectly = (headers: Call['headers'], port: number): boolean => {
  const { host = '' } = headers;
  return host.endsWith(`:${port}`) && isLoopback(nameOf(host)) && !isForwarded(headers);
};

const isForwarded = (headers: Call['headers']): boolean => {
  for (const name in headers) if (FORWARDED.test(name)) return true;
  return false;
};
