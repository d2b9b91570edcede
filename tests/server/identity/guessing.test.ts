/** Who guesses operator keys is slowed down, on every route there is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../../runtime/index.ts';
import { given, type ServerWorld } from '../../support/given.ts';
import { openRequest } from '../../support/http-client.ts';
import { openSocket } from '../../support/web-socket.ts';

const operatorKey = 'the key of the operator';

const givenServer = async (t: TestContext) => {
  const served = workflow({ name: 'echo', input: z.object({ say: z.string() }), run: ({ say }) => ({ said: say }) });
  const config = { asyncJobs: true, monitorUsers: true, objectStore: 'memory', identity: { operatorKey } };
  const world = await given.server(t, { workflow: served, config });
  const routes = world.server.routes.filter((one) => !one.startsWith('SOCKET'));
  return { ...world, lines: routes.map((route) => route.replaceAll(/(:\w+|\*)/g, 'x')) };
};

/** Gives the status, and closes the connection: some replies never end. */
const statusOf = async ({ server }: ServerWorld, line: string, headers: Record<string, string>): Promise<number> => {
  const reply = await openRequest(server.url, line, {
    headers,
    ...(line.startsWith('POST ') && { body: { say: 'x' } }),
  });
  try {
    const status = reply.statusCode ?? 0;
    if (!reply.headers['content-type']?.startsWith('text/event-stream')) return status;
    // A stream has its status before its run: then the refusal is its first event.
    const [piece] = await once(reply, 'data');
    return /^event: error|"workflow_error"/.test(String(piece)) ? 422 : status;
  } finally {
    reply.destroy();
  }
};

test('a wrong operator key is slowed down on every route that looks at it, and the right one is not', async (t) => {
  const world = await givenServer(t);
  for (let tried = 0; tried < 10; tried += 1) {
    await statusOf(world, 'GET /executions', { 'x-operator-key': `wrong ${tried}` });
  }
  const looking: string[] = [];

  for (const line of world.lines) {
    const wrong = await statusOf(world, line, { 'x-operator-key': 'another wrong one' });
    assert.ok(wrong < 500, `${line}: ${wrong}`);
    if (wrong === 429) looking.push(line);
    assert.notEqual(await statusOf(world, line, { 'x-operator-key': operatorKey }), 429, line);
    assert.notEqual(await statusOf(world, line, {}), 429, line);
  }
  for (const line of [
    'GET /executions',
    'GET /builders',
    'GET /monitor/users',
    'GET /inspect',
    'DELETE /executions/x',
  ]) {
    assert.ok(looking.includes(line), line);
  }
  const socket = async (key: string) => {
    const { status, client } = await openSocket(`${world.server.url}/inspect/socket`, { 'x-operator-key': key });
    client?.drop();
    return status;
  };
  assert.equal(await socket('another wrong one'), 429);
  assert.equal(await socket(operatorKey), 101);
});

test('a user whose page sends X-As-Operator with the own key is served as this user, however often', async (t) => {
  const world = await givenServer(t);
  for (const headers of [{ 'x-api-key': 'mine' }, { authorization: 'Bearer mine' }]) {
    for (let asked = 0; asked < 15; asked += 1) {
      assert.equal(await statusOf(world, 'GET /executions', { 'x-as-operator': '1', ...headers }), 200);
    }
  }
  assert.equal(await statusOf(world, 'GET /builders', { 'x-as-operator': '1', 'x-api-key': 'mine' }), 403);
});
