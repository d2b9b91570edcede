import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Call, Reply } from '../../../server/http/route.ts';
import { ownConnections } from '../../support/adapter.ts';
import { connectRaw, jsonReply, mirror, rawRequest, routeOf, sendRaw, startServer, until } from '../../support/http.ts';

test('a route sees what its request says', async (t) => {
  const server = await startServer(t, { routes: [routeOf('GET /executions/:id', mirror)] });

  const answer = await fetch(`${server.url}/executions/a%20b?x=1&y=%20`, { headers: { 'X-Lab': 'L' } });

  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/json');
  const { headers, ...rest } = (await answer.json()) as { headers: Record<string, string> };
  assert.equal(headers.host, `127.0.0.1:${server.port}`);
  assert.equal(headers['x-lab'], 'L');
  assert.deepEqual(rest, {
    method: 'GET',
    path: '/executions/a%20b',
    params: { id: 'a b' },
    query: 'x=1&y=%20',
    client: { host: '127.0.0.1', port: 0 },
  });
});

test('a request without query has an empty one', async (t) => {
  const server = await startServer(t, { routes: [routeOf('GET /a', ({ query }) => jsonReply(query))] });

  assert.equal(await (await fetch(`${server.url}/a`)).json(), '');
  assert.equal(await (await fetch(`${server.url}/a?`)).json(), '');
});

test('a header sent twice is joined, cookies by a semicolon, and __proto__ is a name like any other', async (t) => {
  const seen: Call['headers'][] = [];
  const keep = ({ headers }: Call): Reply => {
    seen.push(headers);
    return { status: 204 };
  };
  const server = await startServer(t, { routes: [routeOf('GET /a', keep)] });

  await sendRaw(
    t,
    server.port,
    rawRequest('GET /a', ['X-A: 1', 'Cookie: a=1', '__proto__: x', 'x-a: 2', 'cookie: b=2']),
  );

  for (const inherited of ['constructor', 'toString', 'hasOwnProperty']) assert.equal(inherited in seen[0]!, false);
  assert.deepEqual({ ...seen[0] }, { host: 'localhost', 'x-a': '1, 2', cookie: 'a=1; b=2', ['__proto__']: 'x' });
});

test('what was not read before the first await can still be read after it', async (t) => {
  const late = async (call: Call): Promise<Reply> => {
    await setImmediate();
    return jsonReply([call.headers['x-lab'], call.query, call.params.id, call.client.host]);
  };
  const server = await startServer(t, { routes: [routeOf('GET /a/:id', late)] });

  const answer = await fetch(`${server.url}/a/7?q`, { headers: { 'x-lab': 'L' } });

  assert.deepEqual(await answer.json(), ['L', 'q', '7', '127.0.0.1']);
});

test('what is read only after the reply is an error, not a crash', async (t) => {
  const calls: Call[] = [];
  const keep = (call: Call): Reply => {
    calls.push(call);
    return { status: 204 };
  };
  const server = await startServer(t, { routes: [routeOf('GET /a', keep)] });

  await fetch(`${server.url}/a`);

  assert.throws(() => calls[0]!.query, /must be read before/);
  assert.equal(calls[0]!.client.host, '');
});

test('a body comes whole, also in pieces, in chunks, and byte by byte', async (t) => {
  const server = await startServer(t, { routes: [routeOf('POST /a', ({ body }) => jsonReply(body?.toString()))] });
  const client = await connectRaw(t, server.port);
  client.socket.setNoDelay();

  client.send(rawRequest('POST /a', ['Content-Length: 5'], 'whole'));
  assert.equal((await client.answer()).body, '"whole"');

  client.send(rawRequest('POST /a', ['Content-Length: 6']));
  await setImmediate();
  for (const byte of 'pieces') {
    client.send(byte);
    await setImmediate();
  }
  assert.equal((await client.answer()).body, '"pieces"');

  const chunks = [...'chunks'].map((byte) => `1\r\n${byte}\r\n`).join('');
  client.send(rawRequest('POST /a', ['Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`));
  assert.equal((await client.answer()).body, '"chunks"');
});

test('a large body arrives as it was sent', async (t) => {
  const sent = Buffer.alloc(1024 * 1024, 'abcdefg');
  const server = await startServer(t, {
    routes: [routeOf('POST /a', ({ body }) => jsonReply([body?.length, body?.equals(sent)]))],
  });

  const answer = await fetch(`${server.url}/a`, { method: 'POST', body: sent });

  assert.deepEqual(await answer.json(), [1024 * 1024, true]);
});

test('no body and an empty one are the same to a route', async (t) => {
  const server = await startServer(t, { routes: [routeOf('POST /a', ({ body }) => jsonReply(body === undefined))] });

  assert.equal((await sendRaw(t, server.port, rawRequest('POST /a'))).body, 'true');
  assert.equal((await sendRaw(t, server.port, rawRequest('POST /a', ['Content-Length: 0']))).body, 'true');
  assert.equal((await sendRaw(t, server.port, rawRequest('POST /a', ['Content-Length: 000']))).body, 'true');
  assert.equal(
    (await sendRaw(t, server.port, rawRequest('POST /a', ['Transfer-Encoding: chunked'], '0\r\n\r\n'))).body,
    'true',
  );
});

test('a GET may have a body, and the next request on the connection is found behind it', ownConnections, async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('GET /a', ({ body }) => jsonReply(body?.toString())), routeOf('GET /b', () => jsonReply('b'))],
  });
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('GET /a', ['Content-Length: 4'], 'body') + rawRequest('GET /b'));

  assert.equal((await client.answer()).body, '"body"');
  assert.equal((await client.answer()).body, '"b"');
});

test('a reply given later is the same as one given at once', async (t) => {
  const reply: Reply = { status: 418, headers: { 'content-type': 'text/plain', 'x-a': '1' }, body: Buffer.from('té') };
  const server = await startServer(t, {
    routes: [routeOf('GET /now', () => reply), routeOf('GET /later', async () => reply)],
  });

  for (const path of ['/now', '/later']) {
    const { status, headers, body } = await sendRaw(t, server.port, rawRequest(`GET ${path}`));

    assert.equal(status, 418);
    assert.equal(headers['content-type'], 'text/plain');
    assert.equal(headers['x-a'], '1');
    assert.equal(headers['content-length'], '3');
    assert.equal(Buffer.from(body, 'latin1').toString(), 'té');
  }
});

test('a 204 has neither body nor length, and the connection goes on', async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('POST /now', () => ({ status: 204 })), routeOf('POST /later', async () => ({ status: 204 }))],
  });
  const client = await connectRaw(t, server.port);

  for (const path of ['/now', '/later', '/now']) {
    client.send(rawRequest(`POST ${path}`, ['Content-Length: 2'], '{}'));
    const { status, headers, body } = await client.answer();

    assert.deepEqual(
      [status, headers['content-length'], headers['content-type'], body],
      [204, undefined, undefined, ''],
    );
  }
});

test('a body larger than the socket takes arrives whole at a slow reader, given at once or later', async (t) => {
  const body = 'x'.repeat(16 * 1024 * 1024);
  const server = await startServer(t, {
    routes: [
      routeOf('GET /now', () => ({ status: 200, body })),
      routeOf('GET /later', async () => ({ status: 200, body: Buffer.from(body) })),
    ],
  });
  const client = await connectRaw(t, server.port);

  for (const path of ['/now', '/later']) {
    client.socket.pause();
    client.send(rawRequest(`GET ${path}`));
    await until(() => server.openRequests === 1, 'a reply that waits for its reader');
    client.socket.resume();

    assert.equal((await client.answer()).body.length, body.length);
  }
  await until(() => server.openRequests === 0, 'the end of both');
});
