/** Bodies that routes are handling take a bounded part of the memory, however many clients send some at once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Route } from '../../../server/http/route.ts';
import { connectRaw, startServer, until } from '../../support/http.ts';

const MB = 1024 * 1024;
const LIMIT = 13 * MB;

/** A server that handles bodies until the test opens the gate. */
const given = async (t: TestContext) => {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const state = { handling: 0, refused: 0 };
  const handle: Route['handle'] = async () => {
    state.handling += 1;
    await gate;
    state.handling -= 1;
    return { status: 200, body: 'done' };
  };
  const routes: Route[] = [{ method: 'POST', path: '/slow', maxBodyBytes: 16 * MB, handle }];
  const server = await startServer(t, { routes, maxHandledBytes: LIMIT });
  const send = async (bytes: number): Promise<number> => {
    const reply = await fetch(`${server.url}/slow`, { method: 'POST', body: Buffer.alloc(bytes) });
    await reply.text();
    if (reply.status === 503) {
      state.refused += 1;
      assert.equal(reply.headers.get('retry-after'), '5');
    }
    return reply.status;
  };
  return { server, state, send, open };
};

test('beyond a limit for large bodies that are handled, the next one is refused, and small ones are not', async (t) => {
  const { state, send, open } = await given(t);

  const sent = Array.from({ length: 12 }, () => send(2 * MB));
  await until(() => state.handling === 6 && state.refused === 6, 'all of them');
  const small = send(1_000);
  await until(() => state.handling === 7, 'the small one');
  open();

  assert.equal(await small, 200);
  assert.deepEqual((await Promise.all(sent)).toSorted(), [...Array(6).fill(200), ...Array(6).fill(503)]);
  assert.equal(await send(2 * MB), 200, 'they count no longer');
});

test('a body counts until its route has finished, also when its client has left', async (t) => {
  const { server, state, send, open } = await given(t);
  for (let count = 1; count <= 6; count += 1) {
    const client = await connectRaw(t, server.port);
    client.send(`POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * MB}\r\n\r\n${'x'.repeat(2 * MB)}`);
    await until(() => state.handling === count, 'the body');
    client.socket.destroy();
  }
  await until(() => server.openRequests === 0, 'the departures');

  assert.equal(await send(2 * MB), 503);
  open();
  await until(() => state.handling === 0, 'the end');
  assert.equal(await send(2 * MB), 200);
});
