/** HTTP by uWebSockets.js. */
import type { Adapter, AdapterOptions, AdapterServer } from '../adapter.ts';
import { bind } from '../bind.ts';
import { Connections, counted } from './connections.ts';
import { takeWith } from './listen.ts';
import { loadUws } from './load.ts';
import { UwsRequest } from './request.ts';
import { behaviorOf } from './sockets.ts';
import { Tiers } from './tiers.ts';

/**
 * The library reads its limit for headers while it loads: the first server of a process decides. Throws if there is no
 * binding for this machine.
 */
export const createUwsAdapter = (maxHeaderBytes: number): Adapter => {
  const uws = loadUws(maxHeaderBytes);
  return {
    name: 'uws',
    create({ sockets, serve, onUnread }: AdapterOptions): AdapterServer {
      const app = uws.App();
      const connections = new Connections(onUnread);
      app.filter((_, change) => connections.changed(change));
      const tiers = new Tiers();
      for (const kind of sockets) {
        for (const tier of tiers.of(kind)) app.ws(tier.pattern, counted(behaviorOf(kind, tier), connections));
      }
      app.any('/*', (res, req) => {
        connections.isRead = true;
        const request = new UwsRequest(res, req);
        serve(request);
        request.returned();
      });
      return {
        listen: (host, port) => bind(host, port, takeWith(uws, app)),
        close: () => void app.close(),
      };
    },
  };
};
