/** The two servers that are compared, each in a process of its own: ours, and a bare uWS one with the same bytes. */

import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import { loadUws } from '../../server/http/uws/load.ts';
import type { App, HttpRequest, HttpResponse, ListenSocket } from '../../server/http/uws/types.ts';
import { createServer } from '../../server/index.ts';
import { serverDefaults } from '../../server/options.ts';

/** The ways of uWS to route, which our own adapter does not use. */
type Handler = (res: HttpResponse, req: HttpRequest & { getParameter(index: number): string }) => void;
type Routes = App & { get(path: string, handle: Handler): void; post(path: string, handle: Handler): void };

const bench = workflow({
  name: 'bench',
  input: z.object({ cmd: z.string() }),
  async run({ cmd }, ctx) {
    if (cmd === 'instant') return 'done';
    return (await ctx.prompt(text({ text: 'What is your name?' }))).text;
  },
});

const ours = async (data: string | null): Promise<number> => {
  const sockets = { ...serverDefaults.sockets, messagesPerSecond: 1_000_000 }; // the limit is not what is measured
  const server = await createServer({ workflow: bench, config: { host: '127.0.0.1', port: 0, sockets, data } });
  return server.port;
};

/** Parses what it is sent and answers what ours does, but remembers nothing. */
const bare = (): Promise<number> => {
  const uws = loadUws(16_384);
  const id = 'V1StGXR8_Z5jdHi6B-myT';
  const answered = 'V1StGXR8_Z5jdHi6B-myX';
  const paths = {
    status_url: `/executions/${answered}`,
    response_url: `/executions/${id}/interactions/${id}/response`,
  };
  const prompt = {
    text: 'What is your name?',
    timeout: null,
    error: 'This prompt is no longer available.',
    input_type: 'text',
    placeholder: null,
    required: true,
  };
  const waiting = {
    execution_id: id,
    status: 'interaction_required',
    interaction_id: id,
    prompt,
    response_url: paths.response_url,
  };

  const app = uws.App() as Routes;
  const posts = (path: string, reply: (body: Record<string, unknown>) => [status: string, body: unknown]): void => {
    app.post(path, (res) => {
      const chunks: Buffer[] = [];
      res.onAborted(() => {});
      res.onData((chunk, isLast) => {
        chunks.push(Buffer.from(Buffer.from(chunk)));
        if (!isLast) return;
        const [status, body] = reply(JSON.parse(Buffer.concat(chunks).toString()));
        res.cork(() => {
          res.writeStatus(status);
          if (body === undefined) res.end();
          else res.writeHeader('content-type', 'application/json').end(JSON.stringify(body));
        });
      });
    });
  };
  posts('/v1/workflow', ({ cmd }) => {
    return cmd === 'instant' ? ['200 OK', { value: 'done' }] : ['202 Accepted', { ...waiting, ...paths }];
  });
  posts('/executions/:id/interactions/:iid/response', () => ['204 No Content', undefined]);
  app.get('/executions/:id', (res, req) => {
    const body =
      req.getParameter(0) === answered ? { execution_id: id, status: 'completed', result: { value: 'Ada' } } : waiting;
    res.writeHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  app.get('/health', (res) => {
    res.writeHeader('content-type', 'application/json').end('{"status":"healthy"}');
  });
  return new Promise((resolve) =>
    app.listen('127.0.0.1', 0, 0, (socket) => resolve(uws.us_socket_local_port(socket as ListenSocket))),
  );
};

const [, , kind, directory] = process.argv;
const port = await (kind === 'bare' ? bare() : ours(kind === 'durable' ? directory! : null));
process.send?.({ port });
process.on('message', (wanted: 'cpu' | 'heap') => {
  for (let round = 0; round < 2 && wanted === 'heap'; round += 1) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({
    cpuMs: (user + system) / 1000,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  });
});
process.on('disconnect', () => process.exit());
