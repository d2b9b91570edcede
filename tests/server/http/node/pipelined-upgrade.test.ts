/** Requests for another protocol that follow other requests on their connection, before these have their replies. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Route } from '../../../../server/http/route.ts';
import { turns } from '../../../support/given.ts';
import { connectRaw, rawRequest, startServer, until } from '../../../support/http.ts';

const LARGE = 8 * 1024 * 1024;
const upgrade = rawRequest('GET /socket', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]);
const refused = upgrade.replace('/socket', '/socket?no');
const offer = rawRequest('GET /fast', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM']);
/** A text frame of a client, with a mask of zeros. */
const hello = `\x81\x85${'\0'.repeat(4)}hello`;

const given = async (t: TestContext) => {
  const heard: string[] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const routes: Route[] = [
    {
      method: 'POST',
      path: '/late',
      handle: async ({ body }) => {
        heard.push('late');
        await released;
        return { status: 200, body: `late ${body}` };
      },
    },
    { method: 'GET', path: '/large', handle: () => ({ status: 200, body: Buffer.alloc(LARGE, 'x') }) },
    { method: 'GET', path: '/fast', handle: () => ({ status: 200, body: 'fast' }) },
  ];
  const server = await startServer(t, {
    adapter: 'node',
    routes,
    sockets: [
      {
        path: '/socket',
        maxMessageBytes: 1_000,
        maxUnsentBytes: 1_000,
        idleTimeoutMs: 120_000,
        accept: ({ query }) =>
          query === 'no'
            ? { status: 403, detail: 'Not for you.' }
            : { open: () => ({ message: (text) => heard.push(text.toString()), drained: () => {}, closed: () => {} }) },
      },
    ],
  });
  const releaseLate = async () => {
    await until(() => heard.includes('late'), 'the late request');
    await turns();
    release();
  };
  return { server, client: await connectRaw(t, server.port), heard, release: releaseLate };
};

const late = rawRequest('POST /late', ['Content-Length: 4'], 'body');

test('a socket behind requests is opened after their replies, and its first frame is read', async (t) => {
  const { client, heard, release } = await given(t);

  client.send(late + late + upgrade + hello);
  await release();

  for (const status of [200, 200, 101]) assert.equal((await client.answer()).status, status);
  await until(() => heard.includes('hello'), 'the message');
});

test('a socket behind a large reply is opened when the client has read it', async (t) => {
  const { client, heard } = await given(t);
  client.socket.pause();

  client.send(rawRequest('GET /large') + upgrade + hello);
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.socket.resume();

  assert.equal((await client.answer()).body.length, LARGE);
  assert.equal((await client.answer()).status, 101);
  await until(() => heard.includes('hello'), 'the message');
});

test('a refused socket, and a tunnel, are refused after the replies to the requests before', async (t) => {
  for (const [line, status] of [
    [refused, 403],
    ['CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n', 405],
  ] as const) {
    const { client, release } = await given(t);

    client.send(late + rawRequest('GET /large') + line);
    await release();

    assert.equal((await client.answer()).body, 'late body');
    assert.equal((await client.answer()).body.length, LARGE);
    assert.equal((await client.answer()).status, status);
    await client.closed;
  }
});

test('offers of HTTP/2 behind requests are served in their order, again and again', async (t) => {
  const { client, release } = await given(t);

  client.send(late + offer + rawRequest('GET /large') + offer + late + upgrade);
  await release();

  const statuses: number[] = [];
  const lengths: number[] = [];
  for (let index = 0; index < 6; index += 1) {
    const { status, body } = await client.answer();
    statuses.push(status);
    lengths.push(body.length);
  }
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 101]);
  assert.deepEqual(lengths, [9, 4, LARGE, 4, 9, 0]);
});

test('a request before that ends its connection ends it without opening the socket', async (t) => {
  const { client, server, release } = await given(t);

  client.send(rawRequest('POST /late', ['Content-Length: 4', 'Connection: close'], 'body') + upgrade);
  await release();

  assert.equal((await client.answer()).status, 200);
  await client.closed;
  assert.equal(server.openRequests, 0);
});

test('a client that leaves while its socket waits is forgotten', async (t) => {
  const { client, server, release } = await given(t);
  client.send(late + upgrade);
  await until(() => server.openRequests === 1, 'the request');

  client.socket.resetAndDestroy();

  await until(() => server.openRequests === 0, 'the end of the request');
  await release();
});
