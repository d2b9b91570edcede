import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { loopback } from './loopback.ts';

export interface TokenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: Record<string, string>;
}
export type Answer = (response: ServerResponse, request: TokenRequest) => void;

/** A token endpoint that answers whatever it is told to, and remembers what it was asked. */
export const tokenEndpoint = async (t: TestContext, answer: Answer) => {
  const { server, origin } = await loopback(t);
  const requests: TokenRequest[] = [];
  const endpoint = { origin, requests, answer };
  server.on('request', async (request, response) => {
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const asked = { path: request.url ?? '', authorization: request.headers.authorization, form };
    requests.push(asked);
    endpoint.answer(response, asked);
  });
  return endpoint;
};

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
