/**
 * Every route there is, taken from what the server says of itself, so that none can be forgotten: asked for under a name
 * that is not ours, by somebody whom the proxy has not named, and by somebody who guesses operator keys.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../../runtime/index.ts';
import type { ServerOptions } from '../../../server/options.ts';
import { given, type ServerWorld } from '../../support/given.ts';
import { openSocket } from '../../support/web-socket.ts';

const operatorKey = 'the key of the operator';
const sockets = ['/websocket', '/inspect/socket'];

const givenServer = async (t: TestContext, config: Partial<ServerOptions> = {}) => {
  const served = workflow({ name: 'echo', input: z.object({ say: z.string() }), run: ({ say }) => ({ said: say }) });
  const world = await given.server(t, {
    workflow: served,
    config: { asyncJobs: true, monitorUsers: true, objectStore: 'memory', ...config },
  });
  const { body } = await world.call('GET /openapi.json');
  const paths = (body as { paths: Record<string, object> }).paths;
  const lines = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]*\}/g, 'x')}`),
  );
  assert.ok(lines.length > 30, `${lines.length} routes`);
  return { ...world, lines };
};

/** `fetch` sets Host itself. Gives the status, and leaves: some replies never end. */
const statusOf = ({ server }: ServerWorld, line: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const [method = '', path = ''] = line.split(' ');
    const body = method === 'POST' ? '{"say":"x"}' : '';
    const asked = request(server.url + path, {
      method,
      headers: { ...(body && { 'content-type': 'application/json', 'content-length': body.length }), ...headers },
    });
    asked.on('response', (reply) => {
      const { statusCode = 0, headers: replied } = reply;
      if (!replied['content-type']?.startsWith('text/event-stream')) {
        resolve(statusCode);
        reply.destroy();
        return;
      }
      // A stream has its status before its run: then the refusal is its first event.
      reply.once('data', (piece: Buffer) => {
        resolve(/^event: error|"workflow_error"/.test(String(piece)) ? 422 : statusCode);
        reply.destroy();
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });

test('under a name that is not ours no route and no socket is there', async (t) => {
  const world = await givenServer(t);

  for (const line of world.lines) assert.equal(await statusOf(world, line, { host: 'evil.example' }), 421, line);
  for (const path of sockets) {
    assert.equal((await openSocket(world.server.url + path, { host: 'evil.example' })).status, 421, path);
  }
});

/** What is the same for everybody. */
const PUBLIC = /^(GET \/(health|docs|openapi\.json|workflows|v1\/models|console|static|$)|(GET|POST) \/auth\/redirect)/;
/** These are the operators' own doors. */
const OPERATORS = /^(GET \/inspect|(POST|DELETE) \/operator)/;

test('whom the proxy has not named gets nothing but what is public', async (t) => {
  const world = await givenServer(t, { identity: { header: 'X-User' } });
  // Here browsers do not come to the server itself.
  const strangers: Record<string, string>[] = [{}, { 'x-user': '' }, { cookie: 'nat-session=alice', 'x-api-key': 'k' }];

  for (const line of world.lines.filter(
    (one) => !PUBLIC.test(one) && !OPERATORS.test(one) && one !== 'GET /monitor/users',
  )) {
    for (const headers of strangers) {
      const status = await statusOf(world, line, headers);
      assert.ok(status === 401 || status === 404 || status === 422, `${line} ${JSON.stringify(headers)}: ${status}`);
    }
  }
});

test('who guesses operator keys is slowed down on every route that looks at them, and nobody else is', async (t) => {
  const world = await givenServer(t, { identity: { operatorKey } });
  for (let tried = 0; tried < 10; tried += 1) {
    await statusOf(world, 'GET /executions', { 'x-operator-key': `wrong ${tried}` });
  }
  const looking: string[] = [];

  for (const line of world.lines) {
    const right = await statusOf(world, line, { 'x-operator-key': operatorKey });
    assert.ok(right === 429 || right < 500, `${line}: ${right}`);
    if (right === 429) looking.push(line);
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
  assert.equal((await openSocket(`${world.server.url}/inspect/socket`, { 'x-operator-key': operatorKey })).status, 429);
});
