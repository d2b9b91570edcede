/** What the adapter on node:http does for sockets by clocks of its own. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AdapterSocket, SocketKind } from '../../../../server/http/adapter.ts';
import { startServer, until } from '../../../support/http.ts';
import { openSocket } from '../../../support/web-socket.ts';

const given = async (t: TestContext, idleTimeoutMs: number) => {
  const sockets: AdapterSocket[] = [];
  const counts = { closed: 0 };
  const heard: string[] = [];
  const kind: SocketKind = {
    path: '/socket',
    maxMessageBytes: 1_000,
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
  const { client } = await openSocket(`${server.url}/socket`);
  await until(() => sockets.length === 1, 'the socket');
  return { client: client!, socket: sockets[0]!, counts, heard };
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
