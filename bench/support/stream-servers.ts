/**
 * The two servers of streams, each in a separate process. `POST /go` lets the next run emit one chunk per turn of the
 * event loop, for all readers of the path that `POST /v1/workflow` returns. The bare one writes the same bytes as ours.
 */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { workflow } from '../../runtime/index.ts';
import { loadUws } from '../../server/http/uws/load.ts';
import type { HttpResponse, ListenSocket } from '../../server/http/uws/types.ts';
import { createServer } from '../../server/index.ts';

export const CHUNK = 'sixteen letters, and then some more of them';

export type Order = { readonly go: number } | 'new' | 'heap';

let go = (_chunks: number): void => {};

const chunks = workflow({
  name: 'chunks',
  input: z.object({}),
  async run(_, ctx) {
    const count = await new Promise<number>((resolve) => {
      go = resolve;
    });
    for (let index = 0; index < count; index += 1) {
      ctx.emit(CHUNK);
      await setImmediate();
    }
  },
});

const ours = async (): Promise<{ port: number; next: () => Promise<string> }> => {
  const { port, url } = await createServer({ workflow: chunks, config: { host: '127.0.0.1', port: 0 } });
  const next = async (): Promise<string> => {
    const body = '{}';
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' };
    const { headers: answered } = await fetch(`${url}/v1/workflow`, { method: 'POST', headers, body });
    return `/executions/${answered.get('execution-id')}/stream`;
  };
  return { port, next };
};

const bare = async (): Promise<{ port: number; next: () => Promise<string> }> => {
  const uws = loadUws(16_384);
  const open = new Set<HttpResponse>();
  let seq = 2;
  const port = await new Promise<number>((resolve) => {
    uws
      .App()
      .any('/*', (res) => {
        open.add(res);
        res.onAborted(() => open.delete(res));
        res.writeHeader('content-type', 'text/event-stream; charset=utf-8').write(':\n\n');
      })
      .listen('127.0.0.1', 0, 0, (socket) => resolve(uws.us_socket_local_port(socket as ListenSocket)));
  });
  go = async (count) => {
    for (let index = 0; index < count; index += 1) {
      const data = `{"at":"${new Date().toISOString()}","value":"${CHUNK}"}`;
      const frame = `id: ${(seq += 1)}\nevent: output.emitted\ndata: ${data}\n\n`;
      for (const res of open) res.cork(() => res.write(frame));
      await setImmediate();
    }
    for (const res of open) res.cork(() => res.end());
    open.clear();
  };
  return { port, next: async () => '/stream' };
};

const { port, next } = await (process.argv[2] === 'bare' ? bare() : ours());
process.send?.({ port });
process.on('message', async (order: Order) => {
  if (order === 'new') process.send?.({ path: await next() });
  else if (order === 'heap') {
    for (let round = 0; round < 2; round += 1) globalThis.gc?.();
    process.send?.({ heapBytes: process.memoryUsage().heapUsed });
  } else go(order.go);
});
process.on('disconnect', () => process.exit());
