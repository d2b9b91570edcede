import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Reply, Route } from '../../../server/http/route.ts';
import { connectRaw, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';

const routes: Route[] = [
  {
    method: 'GET',
    path: '/now/:id',
    handle: ({ params, headers }) => ({ status: 200, body: `${params.id}${headers.host}` }),
  },
  { method: 'POST', path: '/now/:id', handle: ({ body }) => ({ status: 200, body: body ?? '' }) },
  {
    method: 'POST',
    path: '/later',
    handle: async ({ body, query, client }): Promise<Reply> => {
      await setImmediate();
      return { status: 200, body: `${body}${query}${client.host}` };
    },
  },
  { method: 'GET', path: '/large', handle: () => ({ status: 200, body: 'x'.repeat(1024 * 1024) }) },
  {
    method: 'GET',
    path: '/never',
    handle: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  },
  { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('boom')) },
];

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('latin1'));
const method = fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'get', '', 'G\0T');
const path = fc.oneof(
  fc.constantFrom(
    '/now/1',
    '/later',
    '/later?a=%',
    '/large',
    '/never',
    '/broken',
    '/now/%00',
    '/now/%2F',
    '/now/..',
    '/now/%',
  ),
  fc.constantFrom('/now/1/', '//', '/', '*', 'http://x/', '/now/\xff\xfe', `/${'a/'.repeat(3_000)}`),
  bytes.map((text) => `/${text}`),
);
const header = fc.oneof(
  fc.constantFrom(
    'Host: x',
    'Host:',
    'Content-Length: 5',
    'Content-Length: 6',
    'Content-Length: -1',
    'Content-Length:',
  ),
  fc.constantFrom('Content-Length: 99999999999', 'Content-Length: 2000000', 'Transfer-Encoding: chunked'),
  fc.constantFrom('Transfer-Encoding: x', 'Expect: 100-continue', 'Connection: close', 'Upgrade: websocket'),
  fc.constantFrom(
    'Origin: http://x',
    'Access-Control-Request-Method: GET',
    `x: ${'y'.repeat(20_000)}`,
    'x',
    ': x',
    ' x: y',
  ),
  bytes,
);
const body = fc.oneof(
  fc.constantFrom('', 'abcde', '5\r\nabcde\r\n0\r\n\r\n', '5\r\nabc', 'ffffffffffffffffff\r\n', '\r\n\r\n'),
  bytes,
);
const malformed = fc
  .tuple(method, path, fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2', ''), fc.array(header, { maxLength: 5 }), body)
  .map(
    ([verb, target, version, headers, rest]) =>
      `${verb} ${target} ${version}\r\n${headers.join('\r\n')}\r\n\r\n${rest}`,
  );
const wellFormed = fc
  .tuple(fc.constantFrom('GET', 'POST'), fc.constantFrom('/now/1', '/later', '/large', '/never', '/broken'), body)
  .map(([verb, target, rest]) => rawRequest(`${verb} ${target}`, [`Content-Length: ${rest.length}`], rest));
const message = fc.oneof(malformed, wellFormed, bytes);

/** Sent, cut off somewhere or not, in one or two parts; then the client leaves politely or not. */
const visit = fc.record({
  text: fc.array(message, { minLength: 1, maxLength: 3 }).map((messages) => messages.join('')),
  keep: fc.double({ min: 0.3, max: 1.5, noNaN: true }),
  split: fc.double({ min: 0, max: 1, noNaN: true }),
  polite: fc.boolean(),
});

test('after three hundred broken, cut off and abandoned requests the server is as it was', async (t) => {
  const server = await startServer(t, {
    routes,
    maxBodyBytes: 1024 * 1024,
    cors: { allowOrigins: ['http://x'] },
    problem: () => ({ status: 500 }),
  });

  await fc.assert(
    fc.asyncProperty(visit, async ({ text, keep, split, polite }) => {
      const client = await connectRaw(t, server.port);
      const sent = text.slice(0, Math.ceil(text.length * keep));
      client.send(sent.slice(0, sent.length * split));
      await setImmediate();
      client.send(sent.slice(sent.length * split));
      client.socket.resume();
      if (polite) client.socket.end();
      else client.socket.write('', () => client.socket.destroy());
      await client.closed;
    }),
    { seed: 20, numRuns: 300 },
  );

  const { status, body } = await sendRaw(t, server.port, rawRequest('GET /now/7'));
  assert.deepEqual([status, body], [200, '7localhost']);
  await until(() => server.openRequests === 0, 'the end of every request');
  assert.deepEqual(server.errors, []);
});
