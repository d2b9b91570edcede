import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { loopback } from './loopback.ts';

export interface TokenRequest {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly form: Record<string, string>;
}
export type TokenAnswer = (response: ServerResponse, request: TokenRequest) => void;

/** A token endpoint that answers whatever it is told to, and remembers what it was asked. */
export const tokenEndpoint = async (t: TestContext, answer: TokenAnswer) => {
  const { server, origin } = await loopback(t);
  const requests: TokenRequest[] = [];
  const endpoint = { origin, requests, answer };
  server.on('request', async (request, response) => {
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const asked = { url: `${origin}${request.url}`, authorization: request.headers.authorization, form };
    requests.push(asked);
    endpoint.answer(response, asked);
  });
  return endpoint;
};

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): TokenAnswer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

/** An answer that is given when the test says so; `asked` resolves when a request waits for it. */
export const heldAnswer = (answer: TokenAnswer) => {
  let [arrive, release] = [() => {}, () => {}];
  const asked = new Promise<void>((resolve) => (arrive = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const whenReleased: TokenAnswer = async (response, request) => {
    arrive();
    await released;
    answer(response, request);
  };
  return { answer: whenReleased, asked, release };
};
