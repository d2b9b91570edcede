/** Control servers on each library: they parse requests and reply like our server, but store nothing. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadUws } from '../../server/http/uws/load.ts';
import type { App, HttpRequest, HttpResponse, ListenSocket } from '../../server/http/uws/types.ts';

/** The routing functions of uWebSockets.js, which our adapter does not use. */
type Handler = (res: HttpResponse, req: HttpRequest & { getParameter(index: number): string }) => void;
type Routes = App & { get(path: string, handle: Handler): void; post(path: string, handle: Handler): void };

type Answer = readonly [status: string, body: unknown];

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

const started = ({ cmd }: Record<string, unknown>): Answer =>
  cmd === 'instant' ? ['200 OK', { value: 'done' }] : ['202 Accepted', { ...waiting, ...paths }];
const taken = (): Answer => ['204 No Content', undefined];
const standing = (asked: string): unknown =>
  asked === answered ? { execution_id: id, status: 'completed', result: { value: 'Ada' } } : waiting;
const healthy = '{"status":"healthy"}';

export const bareUws = (): Promise<number> => {
  const uws = loadUws(16_384);
  const app = uws.App() as Routes;
  const posts = (path: string, reply: (body: Record<string, unknown>) => Answer): void => {
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
  posts('/v1/workflow', started);
  posts('/executions/:id/interactions/:iid/response', taken);
  app.get('/executions/:id', (res, req) => {
    res.writeHeader('content-type', 'application/json').end(JSON.stringify(standing(req.getParameter(0))));
  });
  app.get('/health', (res) => {
    res.writeHeader('content-type', 'application/json').end(healthy);
  });
  return new Promise((resolve) =>
    app.listen('127.0.0.1', 0, 0, (socket) => resolve(uws.us_socket_local_port(socket as ListenSocket))),
  );
};

export const bareNode = async (): Promise<number> => {
  const send = (res: ServerResponse, status: number, text?: string): void => {
    if (text === undefined) res.writeHead(status).end();
    else res.writeHead(status, ['content-type', 'application/json', 'content-length', String(text.length)]).end(text);
  };
  const take = (req: IncomingMessage, reply: (body: Record<string, unknown>) => Answer, res: ServerResponse): void => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const [status, body] = reply(JSON.parse(Buffer.concat(chunks).toString()));
      send(res, Number.parseInt(status, 10), body === undefined ? undefined : JSON.stringify(body));
    });
  };
  const server = createServer((req, res) => {
    const { method, url = '' } = req;
    if (method === 'POST') take(req, url === '/v1/workflow' ? started : taken, res);
    else if (url === '/health') send(res, 200, healthy);
    else send(res, 200, JSON.stringify(standing(url.slice('/executions/'.length))));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
};
