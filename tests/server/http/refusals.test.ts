import assert from 'node:assert/strict';
import test from 'node:test';
import type { Reply, Route } from '../../../server/http/route.ts';
import { isOnNode, isParsedByNode, ownConnections } from '../../support/adapter.ts';
import { connectRaw, fakeTimers, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';

const ok: Reply = { status: 200, body: 'ok' };

const given = {
  get: (handle: Route['handle']): Route => ({ method: 'GET', path: '/a', handle }),
  post: (handle: Route['handle']): Route => ({ method: 'POST', path: '/a', handle }),
};

test('a body beyond the limit is refused, whether it was announced or not, and the connection goes on behind it', async (t) => {
  const server = await startServer(t, { routes: [given.post(() => ok)], maxBodyBytes: 10 });
  const chunked = rawRequest('POST /a', ['Transfer-Encoding: chunked'], '6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n');

  for (const [text, rest] of [
    [rawRequest('POST /a', ['Content-Length: 11']), '01234567890'],
    [chunked, ''],
  ] as const) {
    const client = await connectRaw(t, server.port);
    client.send(text);
    const { status, headers, body } = await client.answer();
    const next = rawRequest('POST /a', ['Content-Length: 2'], 'ab');
    if (text === chunked && !isParsedByNode()) await client.closed;
    else {
      client.send(rest + next);
      assert.equal((await client.answer()).status, 200);
    }

    assert.equal(status, 413);
    assert.equal(headers['content-type'], 'application/problem+json');
    assert.deepEqual(JSON.parse(body), {
      type: 'about:blank',
      title: 'Content Too Large',
      status: 413,
      detail: 'A request body may have 10 bytes at most.',
    });
  }
  assert.equal(
    (await sendRaw(t, server.port, rawRequest('POST /a', ['Content-Length: 10'], '0123456789'))).status,
    200,
  );
});

test('a route may take larger bodies, or only smaller ones, than the server says for all', async (t) => {
  const large: Route = { method: 'PUT', path: '/large', maxBodyBytes: 20, handle: () => ok };
  const small: Route = { method: 'PUT', path: '/small', maxBodyBytes: 5, handle: () => ok };
  const server = await startServer(t, { routes: [large, small], maxBodyBytes: 10 });
  const put = (path: string, size: number) =>
    sendRaw(t, server.port, rawRequest(`PUT ${path}`, [`Content-Length: ${size}`], 'x'.repeat(size)));

  const answers = [await put('/large', 20), await put('/large', 21), await put('/small', 5), await put('/small', 6)];

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 413, 200, 413],
  );
  assert.match(answers[1]!.body, /20 bytes at most/);
});

test(
  'a request whose end is not certain is refused and the connection ended, before any route sees it',
  ownConnections,
  async (t) => {
    let called = 0;
    const count = () => {
      called += 1;
      return ok;
    };
    const server = await startServer(t, { routes: [given.post(count), given.get(count)] });
    const framings: string[][] = [
      ['Content-Length: 2', 'Content-Length: 5'],
      ['Content-Length: 5', 'Content-Length: 5'],
      ['Content-Length: 5, 5'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding:', 'Content-Length: 5'],
      ['Transfer-Encoding: gzip'],
      ['Transfer-Encoding: gzip, chunked'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
      ['Content-Length: five'],
      ['Content-Length: -5'],
      ['Content-Length: +5'],
      ['Content-Length: 0x5'],
      ['Content-Length: 5.0'],
      ['Content-Length: 99999999999999999999'],
    ];

    for (const headers of framings) {
      for (const line of ['POST /a', 'GET /a']) {
        const client = await connectRaw(t, server.port);
        client.send(rawRequest(line, headers, 'abcde'));
        const { status } = await client.answer();
        await client.closed;

        assert.equal(status, 400, headers.join());
      }
    }
    assert.equal(called, 0);
  },
);

test('two lengths are refused with a problem that says why', ownConnections, async (t) => {
  const server = await startServer(t, { routes: [given.post(() => ok)] });

  const { headers, body } = await sendRaw(
    t,
    server.port,
    rawRequest('POST /a', ['Content-Length: 1', 'Content-Length: 2'], 'ab'),
  );

  assert.equal(headers['content-type'], 'application/problem+json');
  assert.deepEqual(JSON.parse(body), {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'Content-Length must be one number, and given once.',
  });
});

test('headers beyond the limit are refused and the connection ended', async (t) => {
  const server = await startServer(t, { routes: [given.get(() => ok)] });
  const client = await connectRaw(t, server.port);

  assert.equal((await sendRaw(t, server.port, rawRequest('GET /a', [`x: ${'a'.repeat(15_000)}`]))).status, 200);
  client.send(rawRequest('GET /a', [`x: ${'a'.repeat(17_000)}`]));

  assert.equal((await client.answer()).status, 431);
  await client.closed;
});

/** What the other adapter does not take: `node/requests.test.ts` shows what becomes of it there. */
const onNodeOnly = [
  'GET /a HTTP/1.0\r\nHost: test\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n',
  'GET http://test/a HTTP/1.1\r\nHost: test\r\n\r\n',
];

test('what is no HTTP is refused and the connection ended', ownConnections, async (t) => {
  const server = await startServer(t, { routes: [given.get(() => ok), given.post(() => ok)] });
  const texts = [
    'GET /a HTTP/1.1\r\n\r\n',
    ...(isOnNode() ? [] : onNodeOnly),
    'GET /a b HTTP/1.1\r\nHost: test\r\n\r\n',
    'GET /a\0 HTTP/1.1\r\nHost: test\r\n\r\n',
    rawRequest('GET /a', ['no colon']),
    rawRequest('GET /a', ['folded: a', ' b']),
    rawRequest('POST /a', ['Transfer-Encoding: chunked'], 'zz\r\n'),
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ];

  for (const text of texts) {
    const client = await connectRaw(t, server.port);
    client.send(text);
    const { status } = await client.answer();
    await client.closed;

    assert.ok(status === 400 || status === 505, text);
  }
});

test('a body that does not come in time is refused and the connection ended', async (t) => {
  const timers = fakeTimers();
  const server = await startServer(t, { routes: [given.post(() => ok)], requestTimeoutMs: 9_000, after: timers.after });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('POST /a', ['Content-Length: 5'], 'abcd'));
  await until(() => timers.waiting.length === 1, 'the wait for the rest');

  const waits = [timers.elapse(), timers.elapse(), timers.elapse()];

  const { status, body } = await client.answer();
  await client.closed;
  assert.deepEqual(waits, [4_000, 4_000, 1_000]);
  assert.equal(status, 408);
  assert.equal(JSON.parse(body).title, 'Request Timeout');
  assert.equal(server.openRequests, 0);
});

test('a body that does not come in time is refused by the real clock too', async (t) => {
  const server = await startServer(t, { routes: [given.post(() => ok)], requestTimeoutMs: 20 });

  assert.equal((await sendRaw(t, server.port, rawRequest('POST /a', ['Content-Length: 5'], 'abcd'))).status, 408);
});

test('a body that came in time, or whose sender left, leaves no timer behind', async (t) => {
  const timers = fakeTimers();
  const server = await startServer(t, { routes: [given.post(() => ok)], after: timers.after });
  const [stays, leaves] = [await connectRaw(t, server.port), await connectRaw(t, server.port)];
  for (const client of [stays, leaves]) client.send(rawRequest('POST /a', ['Content-Length: 5'], 'abcd'));
  await until(() => timers.waiting.length === 2, 'the wait for both');

  stays.send('e');
  leaves.socket.destroy();

  assert.equal((await stays.answer()).status, 200);
  await until(() => server.openRequests === 0, 'the end of the other');
  assert.equal(timers.waiting.length, 0);
});
