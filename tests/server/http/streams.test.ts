/** Bodies that are written over time, on real sockets. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Route, Sink } from '../../../server/http/route.ts';
import { openStream } from '../../support/event-reader.ts';
import { connectRaw, rawRequest, startServer, until } from '../../support/http.ts';

/** A server whose `/stream` is written by the test. `begin` is called when the head has been written. */
const given = async (t: TestContext, begin: (sink: Sink) => void = () => {}) => {
  const sinks: Sink[] = [];
  const gone: string[] = [];
  const handle: Route['handle'] = (call) => {
    call.onGone(() => gone.push('call'));
    return {
      status: 200,
      headers: { 'content-type': 'text/plain' },
      stream: (sink) => {
        sinks.push(sink);
        sink.onGone(() => gone.push('sink'));
        begin(sink);
      },
    };
  };
  const routes: Route[] = [
    { method: 'GET', path: '/stream', handle },
    { method: 'GET', path: '/late', handle: async (call) => handle(call) },
    { method: 'GET', path: '/quick', handle: () => ({ status: 200, body: 'quick' }) },
  ];
  const server = await startServer(t, { routes });
  return { server, sinks, gone, read: (path = '/stream') => openStream(t, server.url + path) };
};

test('pieces arrive as they are written, and the end ends the request', async (t) => {
  for (const path of ['/stream', '/late']) {
    const { server, sinks, gone, read } = await given(t, (sink) => sink.write('one'));
    const reader = await read(path);
    await until(() => reader.text === 'one', 'one');
    assert.equal(server.openRequests, 1);

    sinks[0]!.write('');
    assert.equal(sinks[0]!.write(' two'), true);
    await until(() => reader.text === 'one two', 'two');
    sinks[0]!.end();
    await reader.ended;

    assert.equal(server.openRequests, 0);
    assert.equal(sinks[0]!.write('late'), true);
    sinks[0]!.end();
    assert.equal(reader.text, 'one two');
    assert.deepEqual(gone, []);
  }
});

test('when the client goes, request and sink say so once, and what is written then is nothing', async (t) => {
  const { server, sinks, gone, read } = await given(t, (sink) => sink.write('one'));
  const reader = await read();

  reader.disconnect();
  await until(() => gone.length > 0, 'the departure');

  assert.deepEqual(gone, ['call', 'sink']);
  assert.equal(sinks[0]!.write('two'), true);
  sinks[0]!.end();
  sinks[0]!.fail(new Error('three'));
  sinks[0]!.onGone(() => gone.push('at once'));
  assert.deepEqual(gone, ['call', 'sink', 'at once']);
  assert.equal(server.openRequests, 0);
});

test('a full socket says so, and says when it has room again', async (t) => {
  const { server, sinks } = await given(t);
  const client = await connectRaw(t, server.port);
  client.socket.pause();
  client.send(rawRequest('GET /stream'));
  await until(() => sinks.length === 1, 'the stream');
  let drained = 0;
  sinks[0]!.onDrain(() => {
    drained += 1;
  });

  let pieces = 1;
  while (sinks[0]!.write('x'.repeat(100_000))) pieces += 1;
  assert.ok(pieces > 1);
  assert.equal(drained, 0);
  client.socket.resume();
  await until(() => drained > 0, 'room');

  assert.equal(sinks[0]!.write('end'), true);
  sinks[0]!.end();
});

test('a stream that cannot begin, or go on, is cut off, and the reason reported', async (t) => {
  const { server, sinks, read } = await given(t, (sink) => {
    sink.write('one');
    if (sinks.length === 1) throw new Error('cannot begin');
  });
  const first = await connectRaw(t, server.port);
  first.send(rawRequest('GET /stream'));
  await first.closed;
  const reader = await read();

  sinks[1]!.fail(new Error('cannot go on'));
  await reader.ended;

  assert.deepEqual(server.errors.map(String), ['Error: cannot begin', 'Error: cannot go on']);
  assert.equal(server.openRequests, 0);
  assert.equal(await (await fetch(`${server.url}/quick`)).text(), 'quick');
});

test('a server that closes waits for its streams, and afterwards for no client', async (t) => {
  const { server, sinks, read } = await given(t, (sink) => sink.write('one'));
  const reader = await read();

  const closed = server.close({ graceMs: 60_000 });
  sinks[0]!.write(' two');
  sinks[0]!.end();
  await closed;
  await reader.ended;

  assert.equal(reader.text, 'one two');
});

test('a stream that outlasts the grace is cut off, and its reader is gone', async (t) => {
  const { server, gone, read } = await given(t, (sink) => sink.write('one'));
  const reader = await read();

  await server.close({ graceMs: 0 });
  await reader.ended;

  assert.deepEqual(gone, ['call', 'sink']);
});

test('after a stream the connection serves the next request', async (t) => {
  const { server, sinks } = await given(t, (sink) => sink.write('one'));
  const client = await connectRaw(t, server.port);
  let received = '';
  client.socket.on('data', (text: string) => {
    received += text;
  });
  client.send(rawRequest('GET /stream'));
  await until(() => received.includes('one'), 'the first piece');
  sinks[0]!.end();

  client.send(rawRequest('GET /quick'));

  await until(() => received.endsWith('quick'), 'the next reply');
  assert.match(received, /one\r\n0\r\n\r\nHTTP\/1.1 200 OK/);
});
