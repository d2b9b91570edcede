/** What a build throws is about the resources of the server: the log gets it, no client does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { givenSocketServer, isComplete, userMessage } from '../support/socket-server.ts';

const SECRET = 'database is down at 10.1.2.3';

test('the message of a build that failed reaches no route and no socket, and the log has it', async (t) => {
  const build = () => {
    throw new Error(SECRET);
  };
  const { call, connect, errors } = await givenSocketServer(t, {
    workflow: workflow({ name: 'broken', perUser: { build }, run: () => 'done' }),
  });
  const headers = { 'x-api-key': 'alice' };
  const bodies: string[] = [];

  for (const line of ['POST /v1/workflow', 'POST /v1/workflow/stream', 'POST /generate', 'POST /generate/stream']) {
    const { status, body } = await call(line, { headers, body: {} });
    bodies.push(`${line} ${status} ${JSON.stringify(body)}`);
  }
  const { body: list } = await call('GET /executions', { headers });
  for (const { execution_id: id } of (list as { executions: { execution_id: string }[] }).executions) {
    for (const path of [`/executions/${id}`, `/executions/${id}/journal`]) {
      bodies.push(JSON.stringify((await call(`GET ${path}`, { headers })).body));
    }
  }
  const client = await connect('', headers);
  client.send(userMessage('go'));
  bodies.push(JSON.stringify(await client.until(isComplete)));

  assert.ok(bodies.length > 8);
  for (const body of bodies) assert.doesNotMatch(body, /database|10\.1/);
  assert.match(
    JSON.stringify(errors.splice(0).map((entry) => String((entry as { err?: unknown }).err))),
    /database is down/,
  );
});
