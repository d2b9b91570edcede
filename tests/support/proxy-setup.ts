/** What stands before the servers of this process's tests: nothing, or a proxy that a file in `tests/proxies` has put there. */
import type { TestContext } from 'node:test';
import type { ServerOptions } from '../../server/index.ts';
import type { RunningProxy } from './proxy.ts';

type StartProxy = (port: number) => Promise<RunningProxy>;

let startProxy: StartProxy | undefined;
let refusal: (scenario: string) => string | undefined = () => undefined;

/** For all servers that tests of this process start from now on. `refuses` says why a recorded scenario cannot pass, if it cannot. */
export const useProxy = (start: StartProxy, refuses = refusal): void => {
  startProxy = start;
  refusal = refuses;
};

/** Why a recorded scenario cannot pass through the proxy; false if it can. */
export const refusedByProxy = (scenario: string): string | false => refusal(scenario) ?? false;

/** Bytes that the proxy and its sockets may hold of a stream that is not read, besides those of the server. */
export const heldByProxy = (): number => (startProxy ? 10e6 : 0);

const operatorKey = 'operator-behind-a-proxy';

/** What a server behind the proxy is configured with, as the docs say. */
export const settingsBehindProxy = (): Partial<ServerOptions> =>
  startProxy ? { trustProxy: ['loopback'], identity: { operatorKey } } : {};

/** A local address makes no operator there. */
export const asOperator = (): Readonly<Record<string, string>> => (startProxy ? { 'x-operator-key': operatorKey } : {});

/** Its URL becomes that of the proxy, which ends with the test. */
export const behindProxy = async <Started extends { readonly url: string; readonly port: number }>(
  t: Pick<TestContext, 'after'>,
  server: Started,
): Promise<Started> => {
  if (startProxy === undefined) return server;
  const proxy = await startProxy(server.port);
  t.after(() => proxy.stop());
  const url = server.url.replace(/^http:\/\/[^/]+/, proxy.url);
  return Object.defineProperty(server, 'url', { value: url });
};
