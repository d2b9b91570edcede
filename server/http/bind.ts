/**
 * Takes the addresses a server listens on. uWS only says that it could not; here it is found out why.
 *
 * It is found out before, by listening ourselves for a moment: uWS takes a port either to share it with whoever wants
 * it too, or so that it cannot be taken again for a minute after it has closed connections, and a server that is started
 * anew would not come up. So it shares, and we look that there is nobody to share with.
 */
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import type { App, ListenSocket, Uws } from './uws-types.ts';

export interface Bound {
  readonly port: number;
  /** Open connections stay. */
  unbind(): void;
}

/** A machine may name an address of a family it does not speak, as `localhost` does where IPv6 is switched off. */
const isMissing = (reason: string): boolean => reason === 'EADDRNOTAVAIL' || reason === 'EAFNOSUPPORT';

/**
 * `localhost` is every address of that name, since clients differ in which they try; other names are their first one.
 * Port 0 is a free one. Rejects with an error that names host, port and reason, and then keeps nothing.
 */
export const bind = async (
  uws: Uws,
  app: App,
  host: string,
  port: number,
  resolve = addressesOf,
  probe = whyNot,
): Promise<Bound> => {
  const sockets: ListenSocket[] = [];
  const unbind = (): void => {
    for (const socket of sockets.splice(0)) uws.us_listen_socket_close(socket);
  };
  const found = await resolve(host).catch((error: unknown) => {
    throw cannot(host, port, reasonOf(error));
  });
  let bound = port;
  let failure: string | undefined;
  for (const address of host === 'localhost' ? found : found.slice(0, 1)) {
    const reason = await probe(address, bound);
    const socket = reason === undefined ? listenOn(app, address, bound) : undefined;
    if (socket !== undefined) {
      sockets.push(socket);
      bound = uws.us_socket_local_port(socket);
    } else if (failure === undefined || isMissing(failure)) {
      failure = reason ?? 'reason unknown';
    }
  }
  if (failure !== undefined && (sockets.length === 0 || !isMissing(failure))) {
    unbind();
    throw cannot(host, port, failure);
  }
  return { port: bound, unbind };
};

const cannot = (host: string, port: number, reason: string): Error =>
  new Error(`cannot listen on ${host}, port ${port}: ${reason}`);

const addressesOf = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const SHARED = 0;

const listenOn = (app: App, address: string, port: number): ListenSocket | undefined => {
  let taken: ListenSocket | undefined;
  app.listen(address, port, SHARED, (socket) => {
    if (socket !== false) taken = socket;
  });
  return taken;
};

/** Undefined if nothing stands against it. */
const whyNot = (address: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(reasonOf(error)));
    probe.listen({ host: address, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
