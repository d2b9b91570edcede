/** HTTP by uWebSockets.js. */
import type { Adapter, AdapterOptions, AdapterServer } from '../adapter.ts';
import { bind } from '../bind.ts';
import { takeWith } from './listen.ts';
import { loadUws } from './load.ts';
import { UwsRequest } from './request.ts';
import { behaviorOf } from './sockets.ts';

/**
 * The library reads its limit for headers while it is loaded: the first server in a process decides. Throws if there is no
 * binding for this machine.
 */
export const createUwsAdapter = (maxHeaderBytes: number): Adapter => {
  const uws = loadUws(maxHeaderBytes);
  return {
    name: 'uws',
    create({ sockets, serve }: AdapterOptions): AdapterServer {
      const app = uws.App();
      for (const kind of sockets) app.ws(kind.path, behaviorOf(kind));
      app.any('/*', (res, req) => {
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
