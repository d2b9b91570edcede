/**
 * Listening by uWebSockets.js, which only says that it could not; here it is found out why.
 *
 * It is found out before, by listening ourselves for a moment: the library takes a port either to share it with any other
 * process, or so that it cannot be taken again for a minute after it has closed connections, and a server that is started
 * anew would not come up. So it shares, and we look that there is nothing to share with.
 */
import { createServer } from 'node:net';
import type { Take } from '../bind.ts';
import type { App, ListenSocket, Uws } from './types.ts';

const SHARED = 0;

export const takeWith =
  (uws: Uws, app: Pick<App, 'listen'>, probe = canListen): Take =>
  async (address, port) => {
    await probe(address, port);
    let taken: ListenSocket | undefined;
    app.listen(address, port, SHARED, (socket) => {
      if (socket !== false) taken = socket;
    });
    if (taken === undefined) throw new Error('reason unknown');
    const socket = taken;
    return { port: uws.us_socket_local_port(socket), release: () => uws.us_listen_socket_close(socket) };
  };

/** Rejects with the reason why not. */
const canListen = (address: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host: address, port, exclusive: true }, () => probe.close(() => resolve()));
  });
