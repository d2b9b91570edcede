/** What `server/http/adapter.ts` promises and no other suite shows, on a real connection: this file runs on each adapter. */
import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { AdapterSocket, SocketKind, SocketReader } from '../../../server/http/adapter.ts';
import type { Reply, Route, Sink } from '../../../server/http/route.ts';
import { ownSockets } from '../../support/adapter.ts';
import { turns } from '../../support/given.ts';
import { connectRaw, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';
import { openSocket } from '../../support/web-socket.ts';

const route = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle });

test('a small reply leaves in one piece, given at once or later, and so does a stream with its first words', async (t) => {
  const reply: Reply = { status: 200, headers: { 'x-a': '1' }, body: 'body' };
  const begin = (sink: Sink): void => {
    sink.write('body');
    sink.end();
  };
  const server = await startServer(t, {
    routes: [
      route('/now', () => reply),
      route('/later', async () => reply),
      route('/stream', () => ({ status: 200, stream: begin })),
    ],
  });

  for (const path of ['/now', '/later', '/stream']) {
    const client = await connectRaw(t, server.port);
    const pieces: string[] = [];
    client.socket.on('data', (piece: string) => pieces.push(piece));
    client.send(rawRequest(`GET ${path}`));
    await until(() => pieces.length > 0, 'the reply');
    assert.match(pieces[0]!, /^HTTP\/1\.1 200 OK\r\n.*body/s, path);
  }
});

test('requests that come in one piece are answered in their order', async (t) => {
  const server = await startServer(t, { routes: [route('/:id', ({ params }) => ({ status: 200, body: params.id! }))] });
  const client = await connectRaw(t, server.port);
  const ids = Array.from({ length: 300 }, (_, id) => String(id));

  client.send(ids.map((id) => rawRequest(`GET /${id}`)).join(''));

  for (const id of ids) assert.equal((await client.answer()).body, id);
});

test('a client may reset its connection at any stage, and its request is over then', async (t) => {
  const sinks: Sink[] = [];
  const gone: string[] = [];
  const noted = (name: string, handle: Route['handle']): Route['handle'] => {
    return (call) => {
      call.onGone(() => gone.push(name));
      return handle(call);
    };
  };
  const body = Buffer.alloc(16 * 1024 * 1024);
  const server = await startServer(t, {
    routes: [
      route(
        '/never',
        noted('never', () => new Promise(() => {})),
      ),
      route(
        '/large',
        noted('large', () => ({ status: 200, body })),
      ),
      route(
        '/stream',
        noted('stream', () => ({ status: 200, stream: (sink) => void sinks.push(sink) })),
      ),
      route(
        '/full',
        noted('full', () => ({ status: 200, stream: (sink) => void sink.write('x'.repeat(16_000_000)) })),
      ),
      { method: 'POST', path: '/body', handle: () => ({ status: 200 }) },
    ],
  });

  for (const name of ['never', 'large', 'stream', 'full']) {
    const client = await connectRaw(t, server.port);
    client.socket.pause();
    client.send(rawRequest(`GET /${name}`));
    await until(() => server.openRequests === 1, `${name} is open`);
    client.socket.resetAndDestroy();
    await until(() => server.openRequests === 0, `${name} is over`);
  }
  for (const sent of ['POST /bo', rawRequest('POST /body', ['Content-Length: 9'], 'abc')]) {
    const client = await connectRaw(t, server.port);
    client.send(sent);
    await turns();
    client.socket.resetAndDestroy();
  }
  await until(() => server.openRequests === 0, 'the end of all');

  assert.deepEqual(gone, ['never', 'large', 'stream', 'full']);
  assert.equal(sinks[0]!.write('late'), true);
  assert.deepEqual(server.errors, []);
});

test('what waits for the connections of one client is bounded: the slowest is cut, and the last one is served', async (t) => {
  const body = Buffer.alloc(60 * 1024 * 1024);
  const server = await startServer(t, { routes: [route('/large', () => ({ status: 200, body }))] });
  const [first, second] = [await connectRaw(t, server.port), await connectRaw(t, server.port)];

  first.socket.pause();
  first.send(rawRequest('GET /large'));
  await until(() => server.openRequests === 1, 'the first reply');
  second.send(rawRequest('GET /large'));

  assert.equal((await second.answer()).body.length, body.length);
  first.socket.resume();
  await first.closed;
});

interface Talked {
  readonly sockets: AdapterSocket[];
  readonly heard: string[];
  readonly events: string[];
}

const givenSockets = async (
  t: TestContext,
  kind: Partial<SocketKind> = {},
  opened?: (socket: AdapterSocket) => void,
) => {
  const talked: Talked = { sockets: [], heard: [], events: [] };
  const open = (socket: AdapterSocket): SocketReader => {
    talked.sockets.push(socket);
    talked.events.push('opened');
    opened?.(socket);
    return {
      message: (bytes, isBinary) => talked.heard.push(isBinary ? `binary ${bytes.toString('hex')}` : bytes.toString()),
      drained: () => talked.events.push('drained'),
      closed: () => talked.events.push('closed'),
    };
  };
  const whole: SocketKind = {
    path: '/socket',
    maxMessageBytes: 1_000,
    maxUnsentBytes: 1_000_000,
    idleTimeoutMs: 120_000,
    accept: ({ query }) => (query === 'no' ? { status: 403, detail: 'Not for you.' } : { cookie: `a=${query}`, open }),
    ...kind,
  };
  const routes = [route('/socket', () => ({ status: 200, body: 'no socket' }))];
  const server = await startServer(t, { routes, sockets: [whole] });
  const join = (query = '') => openSocket(`${server.url}/socket${query}`);
  return { ...talked, server, join };
};

test(
  'a socket is accepted with its cookie or refused with a reason, and other requests reach the route',
  ownSockets,
  async (t) => {
    const { server, join } = await givenSockets(t);
    const handshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const asked = await connectRaw(t, server.port);
    asked.send(rawRequest('GET /socket?yes', [...handshake, key]));
    const refused = await connectRaw(t, server.port);
    refused.send(rawRequest('GET /socket?no', [...handshake, key]));

    for (const version of ['8', '', '13, 8']) {
      const other = [...handshake.slice(0, 2), `Sec-WebSocket-Version: ${version}`, key];
      const { status, body } = await sendRaw(t, server.port, rawRequest('GET /socket?yes', other));
      assert.deepEqual([status, body], [400, '{"detail":"Sec-WebSocket-Version must be 13."}']);
    }
    const accepted = await asked.answer();
    assert.deepEqual([accepted.status, accepted.headers['set-cookie']], [101, 'a=yes']);
    const { status, headers, body } = await refused.answer();
    await refused.closed;
    assert.deepEqual([status, headers.connection, body], [403, 'close', '{"detail":"Not for you."}']);
    for (const others of [
      [],
      handshake,
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM'],
      // A proxy that forwards them expects a reply, and would take frames for the replies to other clients.
      [...handshake.slice(1), key],
      ['Connection: keep-alive', ...handshake.slice(1), key],
      ['Connection: Upgrade', 'Sec-WebSocket-Version: 13', key],
    ]) {
      const client = await connectRaw(t, server.port);
      client.send(rawRequest('GET /socket', others));
      assert.equal((await client.answer()).body, 'no socket', others.join());
    }
    assert.equal((await join()).status, 101);
  },
);

test(
  'a connection on which a socket was refused is closed, also if the client keeps its side open',
  ownSockets,
  async (t) => {
    const { server } = await givenSockets(t);
    const socket = connectSocket({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => socket.destroy());
    let isEnded = false;
    let isClosed = false;
    socket.on('end', () => {
      isEnded = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      isClosed = true;
    });
    socket.resume();

    socket.write(
      rawRequest('GET /socket?no', [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ]),
    );
    await until(() => isEnded, 'the refusal');

    await until(() => {
      if (!isClosed) socket.write('x');
      return isClosed;
    }, 'the reset');
  },
);

test('messages arrive in order, text and bytes, and both sides close with a code', ownSockets, async (t) => {
  const { sockets, heard, events, join } = await givenSockets(t);
  const { client } = await join();
  await until(() => sockets.length === 1, 'the socket');

  client!.frame(Buffer.from('öne'));
  client!.frame(Buffer.from([1, 2]), { opcode: 2 });
  await until(() => heard.length === 2, 'both');
  sockets[0]!.send(['{"n":1}', '{"n":2}']);
  sockets[0]!.ping();
  await client!.when(() => client!.messages.length === 2 && client!.pings === 1);
  sockets[0]!.end(4001, 'enough');

  assert.equal(await client!.closed(), 4001);
  await until(() => events.includes('closed'), 'the end');
  assert.deepEqual(heard, ['öne', 'binary 0102']);
  assert.deepEqual(client!.messages, [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(events, ['opened', 'closed']);
  sockets[0]!.send(['"late"']);
  sockets[0]!.ping();
  sockets[0]!.end(1000, '');
  sockets[0]!.cut();
  assert.equal(sockets[0]!.unsent, Number.POSITIVE_INFINITY);
  assert.deepEqual(events, ['opened', 'closed']);
});

test('a client that leaves, or sends too much, closes its socket once', ownSockets, async (t) => {
  const { events, join } = await givenSockets(t);

  for (const leave of ['drop', 'close', 'too much'] as const) {
    const { client } = await join();
    if (leave === 'too much') client!.frame(Buffer.alloc(2_000, 'x'));
    else client![leave]();
    await until(() => events.includes('closed'), leave);
    await turns();
    assert.deepEqual(events.splice(0), ['opened', 'closed'], leave);
  }
});

test('a socket may be cut while it is opened', ownSockets, async (t) => {
  const { events, join } = await givenSockets(t, {}, (socket) => socket.cut());

  const opened = await join().catch(() => undefined); // the acceptance may not have left

  if (opened !== undefined) assert.equal(await opened.client!.closed(), 1006);
  assert.deepEqual(events, ['opened', 'closed']);
});

test(
  'what waits for a reader is bounded: beyond it messages are dropped, and it is told when there is room',
  ownSockets,
  async (t) => {
    const { sockets, events, join } = await givenSockets(t);
    const { client } = await join();
    await until(() => sockets.length === 1, 'the socket');
    client!.pause();
    const [socket] = sockets;
    const message = JSON.stringify('x'.repeat(100_000));

    let sent = 0;
    for (; socket!.unsent <= 1_000_000; sent += 1) {
      assert.ok(sent < 1_000, 'the socket takes everything');
      socket!.send([message]);
      await turns(1);
    }
    const before = socket!.unsent;
    for (let more = 0; more < 100; more += 1) socket!.send([message]);
    assert.ok(socket!.unsent < before + 2 * message.length, 'no more is kept');
    client!.resume();

    await client!.when(() => client!.messages.length >= sent);
    await until(() => events.includes('drained') && socket!.unsent === 0, 'room');
    socket!.send(['"last"']);
    await client!.when(() => client!.messages.at(-1) === ('last' as never));
    assert.equal(client!.messages.length, sent + 1);
  },
);

test('a server that closes ends its sockets, and tells them', ownSockets, async (t) => {
  const { server, events, join } = await givenSockets(t);
  const { client } = await join();
  await until(() => events.length === 1, 'the socket');

  await server.close({ graceMs: 0 });

  assert.equal(await client!.closed(), 1006);
  assert.deepEqual(events, ['opened', 'closed']);
});
