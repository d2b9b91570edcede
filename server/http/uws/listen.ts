/**
 * Listens with uWebSockets.js, and finds the reason of a failure, which the library does not report.
 *
 * The check comes first, with a short listen of our own. The library takes a port either shared with any other process,
 * or in a way that a restarted server could not take it for a minute. So the port is shared, and the check ensures that
 * no other process has it.
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
