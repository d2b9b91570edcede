/** Visits of all kinds: whole, broken and cut off, from clients that wait for the answer and from others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { turns } from '../../support/given.ts';
import { connectRaw, type RawReply, rawRequest, until } from '../../support/http.ts';
import { givenStrictServer, startPrompting } from '../../support/strict-server.ts';

const line = fc.constantFrom(
  'POST /v1/workflow',
  'POST /generate',
  'POST /strict',
  'POST /strict/legacy',
  'POST /executions/ID/interactions/IT/response',
  'GET /executions/ID',
  'GET /executions/ID?wait=1&after=0',
  'GET /executions/ID?wait=300',
  'GET /executions',
  'GET /interactions',
  'GET /monitor/users',
  'GET /auth/redirect?state=%00&code=<b>',
  'DELETE /executions/ID',
  'OPTIONS /executions/ID',
  'PUT /v1/workflow',
);
const header = fc.constantFrom(
  'X-API-Key: alice',
  'Content-Type: text/plain',
  'Prefer: wait=0',
  'Prefer: respond-async',
  'Idempotency-Key: 0123456789abcdef',
  'Cookie: nat-session="\\"',
  'Authorization: Bearer a.b.c',
  'Transfer-Encoding: chunked',
  'Conversation-Id: \xff',
);
const content = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '{"amount":1}',
      '{"amount":"1"}',
      '{"response":{"type":"text","text":"x"}}',
      '{',
      '',
      '[]',
    ),
  },
  fc.json({ maxDepth: 3 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const json = ['Content-Type: application/json'];
const visit = fc.record({
  line,
  type: fc.constantFrom(json, json, json, []),
  headers: fc.array(header, { maxLength: 2 }),
  content,
  announced: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -1),
  keep: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
  isPolite: fc.constantFrom(true, true, false),
});

test('after a thousand visits of all kinds everything works, and nothing is left of them', async (t) => {
  const world = await givenStrictServer(t);
  const { server, call } = world;
  const ids = async () => /executions\/(.*)\/interactions\/(.*)\/response/.exec(await startPrompting(world))!.slice(1);
  let [id = '', interaction = ''] = await ids();
  const statuses = new Map<number, number>();

  await fc.assert(
    fc.asyncProperty(visit, async ({ line: target, type, headers, content: sent, announced, keep, isPolite }) => {
      const path = target.replace('ID', id).replace('IT', interaction);
      const length = [`Content-Length: ${Math.max(0, Buffer.byteLength(sent, 'latin1') + announced)}`];
      const isPost = target.startsWith('POST');
      const whole = rawRequest(
        path,
        [...(isPost ? [...length, ...type] : []), ...headers],
        isPost || keep < 0.1 ? sent : '',
      );
      const client = await connectRaw(t, server.port);
      client.send(whole.slice(0, Math.ceil(whole.length * keep)));
      const answer = isPolite && keep === 1 && announced === 0 ? await soon(client) : undefined;
      client.socket.destroy();
      if (answer !== undefined) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      assert.ok(answer === undefined || answer.status < 500 || answer.status === 505, answer?.body); // 505: by uWS
      if (answer?.status === 204 || answer?.status === 409) [id = '', interaction = ''] = await ids();
    }),
    { numRuns: 1_000 },
  );

  await until(() => server.openRequests === 0, 'the end of every request');
  t.diagnostic(
    [...statuses]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  );
  for (const status of [200, 400, 401, 404, 405, 409, 422]) assert.ok(statuses.has(status), `no visit got ${status}`);
  assert.equal((await call('POST /v1/workflow', { body: {} })).status, 200);
});

/** The answer, unless it takes the server longer than a few turns: long polls do. */
const soon = (client: Awaited<ReturnType<typeof connectRaw>>): Promise<RawReply | undefined> =>
  Promise.race([client.answer().catch(() => undefined), turns(200).then(() => undefined)]);
