/** The web handler in a server of node:http, as Hono and Express call it: by the listener of `@hono/node-server`. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Adapter, AdapterOptions, AdapterServer } from '../../server/http/adapter.ts';
import { bind, type Taken } from '../../server/http/bind.ts';
import { WebAdapter } from '../../server/http/web/adapter.ts';

/** There are no sockets. */
export const mountedAdapter: Adapter = {
  name: 'web',
  create(options: AdapterOptions): AdapterServer {
    const web = new WebAdapter(() => ({ host: '127.0.0.1', port: 0 }));
    web.create(options);
    const listener = getRequestListener((request) => web.handle(request), { overrideGlobalObjects: false });
    const servers: Server[] = [];
    const take = (address: string, port: number): Promise<Taken> =>
      new Promise((resolve, reject) => {
        const server = createServer({ maxHeaderSize: 2 * options.maxHeaderBytes, keepAliveTimeout: 1_000 }, listener);
        server.once('error', reject);
        server.listen({ host: address, port, exclusive: true }, () => {
          servers.push(server);
          const release = (): void => void NetServer.prototype.close.call(server);
          resolve({ port: (server.address() as AddressInfo).port, release });
        });
      });
    return {
      listen: (host, port) => bind(host, port, take),
      close: () => {
        web.close();
        for (const server of servers) server.closeAllConnections();
      },
    };
  },
};
