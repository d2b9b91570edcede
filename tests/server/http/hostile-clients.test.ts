/** Clients that leave at any moment, are slow, or do not leave: the server does not wait for them, and finishes what it began. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { given, turns } from '../../support/given.ts';
import { connectRaw, rawRequest, until } from '../../support/http.ts';
import { viewsOf } from '../../support/in-process.ts';
import { assertClearRefusal, rawPost } from '../../support/strict-server.ts';

const givenSlowServer = async (t: TestContext) => {
  const gate: { open: () => void } = { open: () => {} };
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const slow = workflow({ name: 'slow', run: () => opened.then(() => 'done') });
  const building = workflow({ name: 'building', perUser: { build: () => opened }, run: () => 'done' });
  const world = await given.server(t, {
    workflow: slow,
    workflows: [building],
    config: {
      endpoints: [{ functionName: 'building', method: 'POST', path: '/building', legacyPath: '/building/legacy' }],
      limits: { maxBodyBytes: 1_048_576, maxHeaderBytes: 16_384, requestTimeoutMs: 300 },
    },
  });
  const executions = () => viewsOf(world.runtime);
  /** Sends it, and leaves when the server is where it shall be. */
  const leave = async (sent: string, holds: () => boolean, what: string) => {
    const client = await connectRaw(t, world.server.port);
    client.send(sent);
    await until(holds, what);
    client.socket.destroy();
    await until(() => world.server.openRequests === 0, 'the end of the request');
  };
  return { ...world, gate, executions, leave };
};

const key = 'X-API-Key: alice';

test('a client that starts a run and disconnects leaves no wait, and the run completes', async (t) => {
  const { executions, gate, leave } = await givenSlowServer(t);

  for (const path of ['/v1/workflow', '/v1/workflow']) {
    await leave(rawPost(path, '{}', [key]), () => (executions()[0]?.watchers ?? 0) > 0, 'a waiting client');
    assert.deepEqual([executions()[0]!.watchers, executions()[0]!.status], [0, 'running']);
  }

  gate.open();
  await until(() => executions().every(({ status }) => status === 'completed'), 'the end of both');
});

test('a run whose client disconnects during the build starts after the build', async (t) => {
  const { runtime, executions, gate, leave } = await givenSlowServer(t);

  for (const path of ['/building/legacy', '/building', '/building']) {
    await leave(rawPost(path, '{}', [key]), () => (executions()[0]?.watchers ?? 0) > 0, 'a waiting client');
  }

  const builder = runtime.builders('building').list()[0]!;
  assert.equal(executions().at(-1)?.context.error?.code, 'cancelled', 'on an older route no client could reconnect');
  assert.deepEqual([builder.refCount, builder.slots.queued], [2, 2]);
  gate.open();
  await until(() => executions().every(({ isSettled }) => isSettled), 'the end of all');
  assert.deepEqual([builder.refCount, builder.slots.held], [0, 0]);
});

test('a client that disconnects from a long poll leaves no wait', async (t) => {
  const { executions, gate, leave, call, runtime } = await givenSlowServer(t);
  const started = await call('POST /v1/workflow', { headers: { prefer: 'respond-async' }, body: {} });
  const path = started.headers.get('location');
  await turns();
  const before = runtime.pendingTimers;

  for (let count = 0; count < 5; count += 1) {
    await leave(rawRequest(`GET ${path}?wait=300`), () => executions()[0]!.watchers === 1, 'a waiting client');
  }

  assert.deepEqual([executions()[0]!.watchers, runtime.pendingTimers], [0, before]);
  gate.open();
});

test('a client that disconnects during its request has started nothing', async (t) => {
  const { server, executions } = await givenSlowServer(t);
  const whole = rawPost('/v1/workflow', '{"some":"thing"}', [key]);

  for (let length = 1; length < whole.length; length += 7) {
    const client = await connectRaw(t, server.port);
    client.socket.write(whole.slice(0, length), 'latin1', () => client.socket.destroy());
    await client.closed;
  }

  await until(() => server.openRequests === 0, 'the end of every request');
  assert.equal(executions().length, 0);
});

test('a body that trickles in is waited for as long as it may take, and no longer', async (t) => {
  const { server, executions } = await givenSlowServer(t);
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('POST /v1/workflow', ['Content-Type: application/json', 'Content-Length: 1000']));
  const drip = setInterval(() => client.send('{'), 20);
  t.after(() => clearInterval(drip));

  const answer = await client.answer();

  assertClearRefusal(answer, 'a slow body');
  assert.equal(answer.status, 408);
  await client.closed;
  assert.equal(executions().length, 0);
});

test('half a request does not keep a server from ending', async (t) => {
  const { server } = await givenSlowServer(t);
  const clients = await Promise.all(
    [
      'POST /v1/wor',
      rawRequest('POST /v1/workflow', ['Content-Type: application/json', 'Content-Length: 9'], '{"a"'),
      '',
    ].map(async (sent) => {
      const client = await connectRaw(t, server.port);
      client.send(sent);
      return client;
    }),
  );
  await until(() => server.openRequests === 1, 'half a body');

  await server.close();

  await Promise.all(clients.map(({ closed }) => closed));
});
