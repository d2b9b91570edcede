/** What the adapter on node:http does for sockets by clocks of its own. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { AdapterSocket, SocketKind } from '../../../../server/http/adapter.ts';
import { nodeAdapter } from '../../../../server/http/node/adapter.ts';
import { startServer, until } from '../../../support/http.ts';
import { openSocket } from '../../../support/web-socket.ts';

const given = async (t: TestContext, idleTimeoutMs: number, maxMessageBytes = 1_000) => {
  const sockets: AdapterSocket[] = [];
  const counts = { closed: 0 };
  const heard: string[] = [];
  const kind: SocketKind = {
    path: '/socket',
    maxMessageBytes,
    maxUnsentBytes: 1_000,
    idleTimeoutMs,
    accept: () => ({
      open: (socket) => {
        sockets.push(socket);
        return {
          message: (bytes) => heard.push(bytes.toString()),
          drained: () => {},
          closed: () => void (counts.closed += 1),
        };
      },
    }),
  };
  const server = await startServer(t, { adapter: 'node', routes: [], sockets: [kind] });
  const join = async () => (await openSocket(`${server.url}/socket`)).client!;
  const client = await join();
  await until(() => sockets.length === 1, 'the socket');
  return { client, socket: sockets[0]!, counts, heard, join };
};

test('a socket on which nothing comes is closed', async (t) => {
  const { client, counts } = await given(t, 50);

  assert.equal(await client.closed(), 1006);
  assert.equal(counts.closed, 1);
});

test('a client that says something, or answers pings, is not silent', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { client, socket, counts, heard } = await given(t, 1_000);

  for (let round = 1; round <= 3; round += 1) {
    t.mock.timers.tick(999);
    client.frame(Buffer.from('here'));
    await until(() => heard.length === round, 'the message');
  }
  assert.equal(counts.closed, 0);
  t.mock.timers.tick(1_000);

  assert.equal(counts.closed, 1);
  assert.equal(socket.unsent, Number.POSITIVE_INFINITY);
});

test('a client that does not answer a close frame is not waited for', async (t) => {
  const { client, socket, counts } = await given(t, 120_000);
  client.pause();

  socket.end(1001, 'bye');
  assert.equal(counts.closed, 1);
  client.resume();

  assert.equal(await client.closed(), 1001);
});

test('what all sockets of one client hold of unfinished messages is bounded, and the others go on', async (t) => {
  const part = Buffer.alloc(30 * 1024 * 1024);
  const { client: first, heard, counts, join } = await given(t, 120_000, 40 * 1024 * 1024);
  const [second, third] = [await join(), await join()];

  first.frame(part, { isLast: false });
  second.frame(part, { isLast: false });
  third.frame(part, { isLast: false });

  assert.equal(await first.closed(30_000), 1013);
  second.frame(Buffer.from('end'), { opcode: 0 });
  third.frame(Buffer.from('end'), { opcode: 0 });
  await until(() => heard.length === 2, 'the messages of the others');
  assert.equal(counts.closed, 1);
});

test('an incomplete message is reported until it is complete, and control frames are none', async (t) => {
  const reported: number[] = [];
  let heard = 0;
  const server = nodeAdapter.create({
    maxHeaderBytes: 1_000,
    requestTimeoutMs: 1_000,
    serve: () => {},
    onUnread: () => {},
    sockets: [
      {
        path: '/socket',
        maxMessageBytes: 100_000,
        maxUnsentBytes: 1_000,
        idleTimeoutMs: 120_000,
        accept: () => ({
          open: () => ({
            message: (bytes) => void (heard = bytes.length === 4 ? 1 : 2),
            drained: () => {},
            closed: () => {},
            unfinished: (bytes) => reported.push(bytes),
          }),
        }),
      },
    ],
  });
  t.after(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const { client } = await openSocket(`http://127.0.0.1:${port}/socket`);

  for (let index = 0; index < 300; index += 1) {
    client!.frame(Buffer.from('pong'), { opcode: 10 });
    await setImmediate();
  }
  client!.frame(Buffer.from('text'));
  await until(() => heard === 1, 'the first message');
  assert.deepEqual(reported, []);

  client!.frame(Buffer.alloc(20_000), { isLast: false });
  await until(() => reported.length > 0 && reported.at(-1)! > 20_000, 'the report');
  client!.frame(Buffer.from('end'), { opcode: 0 });
  await until(() => heard === 2, 'the second message');
  await until(() => reported.at(-1) === 0, 'the end');
});
