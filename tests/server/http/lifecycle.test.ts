import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import test from 'node:test';
import { listen } from '../../../server/http/listen.ts';
import type { Reply, Route } from '../../../server/http/route.ts';
import { ownConnections } from '../../support/adapter.ts';
import { connectRaw, fakeTimers, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';
import { freePort } from '../../support/loopback.ts';

const ok: Reply = { status: 200, body: 'ok' };
const route = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });

const given = {
  /** `/slow` replies when the test says so, `/quick` at once. */
  slow: () => {
    let resolve: (reply: Reply) => void = () => {};
    const promise = new Promise<Reply>((onResolve) => {
      resolve = onResolve;
    });
    const signals: AbortSignal[] = [];
    const slow = route('/slow', ({ signal }) => {
      signals.push(signal);
      return promise;
    });
    return { routes: [slow, route('/quick', () => ok)], signals, reply: (reply = ok) => resolve(reply) };
  },
};

test('a server listens on its own address only', async (t) => {
  const server = await startServer(t, { routes: [route('/a', () => ok)], host: '127.0.0.1' });

  const other = await new Promise<boolean>((resolve) => {
    const neighbour = createServer();
    neighbour.once('error', () => resolve(false));
    neighbour.listen({ host: '127.0.0.2', port: server.port }, () => neighbour.close(() => resolve(true)));
  });

  assert.equal(other, true);
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/a`)).status, 200);
});

test('a server on localhost is reached by that name', async (t) => {
  const server = await startServer(t, { routes: [route('/a', () => ok)], host: 'localhost' });

  assert.equal((await fetch(`http://localhost:${server.port}/a`)).status, 200);
});

test('a port in use, by us or by others, is an error that names host and port', async (t) => {
  const ours = await startServer(t, { routes: [], port: await freePort() });
  const others = createServer();
  await new Promise<void>((listening) => others.listen(0, '127.0.0.1', listening));
  t.after(() => others.close());

  for (const port of [ours.port, (others.address() as AddressInfo).port]) {
    await assert.rejects(startServer(t, { routes: [], port }), {
      message: `cannot listen on 127.0.0.1, port ${port}: EADDRINUSE`,
    });
    await assert.rejects(startServer(t, { routes: [], host: 'localhost', port }), {
      message: `cannot listen on localhost, port ${port}: EADDRINUSE`,
    });
  }
});

test('a host that is not ours, or unknown, is an error that says so', async (t) => {
  await assert.rejects(startServer(t, { routes: [], host: '192.0.2.1', port: 8000 }), {
    message: 'cannot listen on 192.0.2.1, port 8000: EADDRNOTAVAIL',
  });
  await assert.rejects(
    startServer(t, { routes: [], host: 'nobody.invalid' }),
    /cannot listen on nobody\.invalid, port 0: E/,
  );
});

test('a server that was closed with connections open can be started again at once', async (t) => {
  const port = await freePort();
  for (let start = 0; start < 3; start += 1) {
    const server = await startServer(t, { routes: [route('/a', () => ok)], port });
    const client = await connectRaw(t, server.port);
    client.send(rawRequest('GET /a'));

    assert.equal((await client.answer()).status, 200);
    await server.close({ graceMs: 1_000 });
  }
});

test('an idle server closes at once, and ends the connections it has', async (t) => {
  const timers = fakeTimers();
  const server = await startServer(t, { routes: [route('/a', () => ok)], after: timers.after });
  const [idle, half] = [await connectRaw(t, server.port), await connectRaw(t, server.port)];
  half.send('GET /a HTTP/1.1\r\nHost: te');
  idle.send(rawRequest('GET /a'));
  await idle.answer();

  await server.close({ graceMs: 60_000 });

  await Promise.all([idle.closed, half.closed]);
  assert.equal(timers.waiting.length, 0);
});

test(
  'a closing server lets open requests finish, and ends their connections after the reply',
  ownConnections,
  async (t) => {
    const timers = fakeTimers();
    const { routes, signals, reply } = given.slow();
    const server = await startServer(t, { routes, after: timers.after });
    const client = await connectRaw(t, server.port);
    client.send(rawRequest('GET /slow'));
    await until(() => server.openRequests === 1, 'the request');

    const closing = server.close({ graceMs: 5_000 });
    assert.deepEqual(
      timers.waiting.map(({ ms }) => ms),
      [5_000],
    );
    reply();

    const answer = await client.answer();
    await closing;
    await client.closed;
    assert.deepEqual([answer.status, answer.body, answer.headers.connection], [200, 'ok', 'close']);
    assert.equal(signals[0]!.aborted, false);
    assert.equal(timers.waiting.length, 0);
  },
);

test('a closing server ends what is still open when its grace is over', async (t) => {
  const timers = fakeTimers();
  const { routes, signals, reply } = given.slow();
  const server = await startServer(t, { routes, after: timers.after });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /slow'));
  await until(() => server.openRequests === 1, 'the request');

  const closing = server.close({ graceMs: 5_000 });
  timers.elapse();
  await closing;

  await client.closed;
  assert.equal(signals[0]!.aborted, true);
  assert.equal(server.openRequests, 0);
  reply();
  await assert.rejects(client.answer(), /the connection ended after ""/);
});

test('half a body at the end of the grace is closed', async (t) => {
  const post: Route = { method: 'POST', path: '/a', handle: () => ok };
  const server = await startServer(t, { routes: [post] });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('POST /a', ['Content-Length: 5'], 'abc'));
  await until(() => server.openRequests === 1, 'the request');

  await server.close({ graceMs: 0 });

  await client.closed;
  assert.equal(server.openRequests, 0);
});

test('a closing server refuses new requests on open connections, and new connections', ownConnections, async (t) => {
  const { routes, reply } = given.slow();
  const server = await startServer(t, { routes });
  const [busy, idle] = [await connectRaw(t, server.port), await connectRaw(t, server.port)];
  idle.send(rawRequest('GET /quick'));
  assert.equal((await idle.answer()).status, 200);
  busy.send(rawRequest('GET /slow'));
  await until(() => server.openRequests === 1, 'the request');

  const closing = server.close({ graceMs: 60_000 });
  idle.send(rawRequest('GET /quick'));

  const refused = await idle.answer();
  await idle.closed;
  await assert.rejects(connectRaw(t, server.port), { code: 'ECONNREFUSED' });
  reply();
  await closing;
  assert.equal((await busy.answer()).status, 200);
  assert.deepEqual([refused.status, refused.headers.connection], [503, 'close']);
  assert.equal(refused.headers['content-type'], 'application/problem+json');
  assert.deepEqual(JSON.parse(refused.body), {
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'The server is shutting down.',
  });
});

test('a request that closes the server gets its answer, at once or later', async (t) => {
  for (const later of [false, true]) {
    let close = (): unknown => undefined;
    const stop = () => {
      close();
      return ok;
    };
    const server = await startServer(t, { routes: [route('/stop', later ? async () => stop() : stop)] });
    close = () => server.close({ graceMs: 1_000 });

    assert.equal((await sendRaw(t, server.port, rawRequest('GET /stop'))).status, 200);
    await server.close({ graceMs: 1_000 });
  }
});

test('a large reply that a slow reader still reads is waited for', async (t) => {
  const body = 'x'.repeat(16 * 1024 * 1024);
  const server = await startServer(t, { routes: [route('/large', () => ({ status: 200, body }))] });
  const client = await connectRaw(t, server.port);
  client.socket.pause();
  client.send(rawRequest('GET /large'));
  await until(() => server.openRequests === 1, 'a reply that waits for its reader');

  const closing = server.close({ graceMs: 60_000 });
  client.socket.resume();

  assert.equal((await client.answer()).body.length, body.length);
  await closing;
});

test('a large reply during the grace ends its connection too', ownConnections, async (t) => {
  const { routes, reply } = given.slow();
  const server = await startServer(t, { routes });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /slow'));
  await until(() => server.openRequests === 1, 'the request');

  const closing = server.close({ graceMs: 60_000 });
  reply({ status: 200, body: 'x'.repeat(100_000) });

  const { headers, body } = await client.answer();
  await closing;
  await client.closed;
  assert.deepEqual([headers.connection, body.length], ['close', 100_000]);
});

test('closing twice is closing once', async (t) => {
  const { routes, reply } = given.slow();
  const server = await startServer(t, { routes });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /slow'));
  await until(() => server.openRequests === 1, 'the request');

  const first = server.close({ graceMs: 60_000 });
  const second = server.close({ graceMs: 0 });
  reply();

  await Promise.all([first, second]);
  assert.equal((await client.answer()).status, 200);
});

test('a bad root path, route or CORS pattern is found before the port is taken', async () => {
  const options = { host: '127.0.0.1', port: 0, routes: [], problem: () => ok, onError: () => {} };

  await assert.rejects(listen({ ...options, rootPath: 'pfx' }), /must start with a slash/);
  await assert.rejects(listen({ ...options, routes: [route('a', () => ok)] }), /must start with a slash/);
  await assert.rejects(listen({ ...options, cors: { allowOriginRegex: '(' } }), SyntaxError);
});
