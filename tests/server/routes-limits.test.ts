/** Idempotency, limits, unanswered prompts and full journals, seen from outside. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, text, workflow } from '../../runtime/index.ts';
import {
  asAlice,
  asking,
  asUser,
  controlledServer,
  serveWorkflow,
  untilWatched,
} from '../support/controlled-server.ts';
import { type HttpReply, operator, turns } from '../support/given.ts';
import { connectRaw, rawRequest, until } from '../support/http.ts';
import { immediate } from '../support/in-process.ts';

const key = 'a-key-of-sixteen-characters';
const code = ({ body }: HttpReply): unknown => (body as { code?: unknown } | undefined)?.code;

// --- doing things once ---------------------------------------------------------------------------------------------

test('a start that is sent again with its key gives the execution there is, as it stands', async (t) => {
  const { call, complete, runs } = await controlledServer(t);
  const start = (idempotencyKey: string, headers = asAlice, body: unknown = { amount: 1 }) =>
    call('POST /v1/workflow', {
      headers: { ...headers, 'idempotency-key': idempotencyKey, prefer: 'respond-async' },
      body,
    });

  const first = await start(key);
  const again = await start(`"${key}"`);
  const other = await start(key, asAlice, { amount: 2 });
  const bobs = await start(key, asUser('bob'));
  const id = first.headers.get('execution-id')!;
  await complete(id, bobs.headers.get('execution-id')!);
  const late = await start(key);

  assert.deepEqual([again.status, again.headers.get('execution-id')], [202, id]);
  assert.deepEqual(
    [first, again].map(({ headers }) => headers.get('idempotent-replayed')),
    [null, 'true'],
  );
  assert.deepEqual([other.status, code(other)], [422, 'idempotency_key_reused']);
  assert.notEqual(bobs.headers.get('execution-id'), id);
  assert.deepEqual([late.status, late.body], [200, { value: 'done' }]);
  assert.equal(runs.size, 2);
});

test('keys that cannot be keys are refused before anything happens', async (t) => {
  const { runtime, call } = await controlledServer(t);

  for (const bad of ['', '""', 'a key', 'x'.repeat(256), 'ä']) {
    const refused = await call('POST /v1/workflow', { headers: { ...asAlice, 'idempotency-key': bad }, body: {} });
    assert.deepEqual([refused.status, code(refused)], [422, 'request_invalid'], JSON.stringify(bad));
  }
  const short = await call('POST /v1/workflow', { headers: { 'idempotency-key': 'x'.repeat(15) }, body: {} });

  assert.deepEqual([short.status, code(short)], [422, 'request_invalid']);
  assert.match((short.body as { detail: string }).detail, /needs at least 16 random characters, got 15/);
  assert.equal(immediate(runtime.list(operator, { limit: 1 })).executions.length, 0);
});

test('an answer that is sent again with its key is no mistake, and any other is', async (t) => {
  const { call } = await serveWorkflow(t, asking);
  const { body } = await call('POST /v1/workflow', { headers: asAlice, body: {} });
  const { response_url } = body as { response_url: string };
  const answer = (says: string, headers: Record<string, string>) =>
    call(`POST ${response_url}`, {
      headers: { ...asAlice, ...headers },
      body: { response: { type: 'text', text: says } },
    });

  const replies = [
    await answer('yes', { 'idempotency-key': 'k1' }),
    await answer('yes', { 'idempotency-key': 'k1' }),
    await answer('no', { 'idempotency-key': 'k1' }),
    await answer('yes', { 'idempotency-key': 'k2' }),
    await answer('yes', {}),
  ];

  assert.deepEqual(
    replies.map((reply) => [reply.status, code(reply)]),
    [
      [204, undefined],
      [204, undefined],
      [422, 'idempotency_key_reused'],
      [400, undefined],
      [400, undefined],
    ],
  );
});

// --- saying no in time ---------------------------------------------------------------------------------------------

test('beyond the queue a start is refused at once, and told when to come again', async (t) => {
  const { call, start, complete } = await controlledServer(t, { maxConcurrency: 1, maxQueued: 1 });
  const [running, queued] = [await start(), await start()];

  const refused = await call('POST /v1/workflow', { headers: asAlice, body: {} });

  assert.equal(refused.status, 429);
  assert.equal(code(refused), 'queue_full');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.match(refused.headers.get('content-type')!, /problem\+json/);
  await complete(running.id);
  const last = await start();
  assert.equal(last.status, 202, 'there is room again');
  await complete(queued.id);
  await complete(last.id);
});

test('a server that stops takes no new work and says so, answers who waits, and ends what is left', async (t) => {
  const { call, clock, server, runtime, start, ask, runs } = await controlledServer(t, { stopTimeoutMs: 10_000 });
  const [parked, running] = [await start(), await start()];
  ask(parked.id);
  const waiting = call('POST /v1/workflow', { headers: asAlice, body: {} });
  await until(() => runs.size === 3, 'the third run');
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('GET /health'));
  assert.equal((await client.answer()).status, 200);

  const closed = server.close();
  client.send(rawRequest('POST /v1/workflow', ['Content-Type: application/json', 'Content-Length: 2'], '{}'));
  const refused = await client.answer();

  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '11');
  assert.match(refused.headers['content-type']!, /problem\+json/);
  await assert.rejects(connectRaw(t, server.port), { code: 'ECONNREFUSED' }, 'no client can connect any more');
  const third = immediate(runtime.list(operator, { limit: 1 })).executions[0]!;
  runs.get(third.id)!.complete('in time');
  assert.deepEqual([(await waiting).status, (await waiting).body], [200, { value: 'in time' }]);
  clock.advance(10_000);
  await closed;
  const left = immediate(runtime.list(operator, { limit: 10 })).executions.filter(({ id }) => id !== third.id);
  assert.deepEqual(
    left.map(({ id, context }) => [id, context.error?.code]),
    [
      [running.id, 'interrupted'],
      [parked.id, 'interrupted'],
    ],
  );
});

// --- prompts -------------------------------------------------------------------------------------------------------

test('of several open prompts the oldest is the status, and all of them are there to be answered in any order', async (t) => {
  const { call, start, ask, complete } = await controlledServer(t);
  const { id } = await start();
  for (const question of ['A?', 'B?', 'C?']) ask(id, text({ text: question }));
  const poll = async () => (await call(`GET /executions/${id}`, { headers: asAlice })).body as Record<string, unknown>;
  const answer = async ({ response_url }: Record<string, unknown>) =>
    (await call(`POST ${response_url}`, { headers: asAlice, body: { response: { type: 'text', text: 'yes' } } }))
      .status;

  const { pending, ...first } = await poll();
  const open = pending as Record<string, unknown>[];

  assert.deepEqual(
    open.map(({ prompt }) => (prompt as { text: string }).text),
    ['A?', 'B?', 'C?'],
  );
  assert.deepEqual(first, { execution_id: id, ...open[0] });
  assert.equal(await answer(open[1]!), 204);
  assert.deepEqual(((await poll()).pending as unknown[]).length, 2);
  assert.equal(await answer(open[0]!), 204);
  assert.equal(await answer(open[0]!), 400);
  const last = await poll();
  assert.deepEqual([last.interaction_id, 'pending' in last], [open[2]!.interaction_id, false]);
  await complete(id);
});

test('an expired prompt continues with its default, or fails the run, and accepts no later answer', async (t) => {
  const served = workflow({
    name: 'w',
    run: async (input: unknown, ctx: Context) => {
      const question = { text: '?', timeoutS: 60 };
      const answer = await ctx.prompt(text(input === 'careful' ? { ...question, default: 'no' } : question));
      return answer.text;
    },
  });
  const { call, clock, runtime } = await serveWorkflow(t, served);
  const start = async (input: string) =>
    (await call('POST /v1/workflow', { body: input })).body as { status_url: string; response_url: string };
  const [careful, careless, late] = [await start('careful'), await start('careless'), await start('late')];
  const answer = ({ response_url }: { response_url: string }) =>
    call(`POST ${response_url}`, { body: { response: { type: 'text', text: 'yes' } } });

  clock.advance(60_000 + runtime.options.promptGraceMs - 1);
  assert.equal((await answer(late)).status, 204, 'a little late is not too late');
  clock.advance(1);
  await turns();

  const [first, second, third] = await Promise.all(
    [careful, careless, late].map(async ({ status_url }) => (await call(`GET ${status_url}`)).body as object),
  );
  assert.deepEqual({ ...first, execution_id: '' }, { execution_id: '', status: 'completed', result: { value: 'no' } });
  assert.deepEqual(
    { ...second, execution_id: '' },
    { execution_id: '', status: 'failed', error: 'HITL prompt timed out after 60s waiting for human response' },
  );
  assert.deepEqual({ ...third, execution_id: '' }, { execution_id: '', status: 'completed', result: { value: 'yes' } });
  assert.equal((await answer(careful)).status, 400);
});

test('an execution without an answer is abandoned, and a later answer gets an error', async (t) => {
  const { call, clock, runtime } = await serveWorkflow(t, asking, { parkedTimeoutMs: 86_400_000 });
  const { body } = await call('POST /v1/workflow', { headers: asAlice, body: {} });
  const { status_url, response_url } = body as Record<string, string>;

  clock.advance(86_399_999);
  assert.equal((await runtime.inbox({ userId: undefined, isOperator: true }, 1)).length, 1);
  clock.advance(1);

  const polled = (await call(`GET ${status_url}`, { headers: asAlice })).body as Record<string, string>;
  assert.deepEqual([polled.status, polled.error], ['failed', 'The execution waited for 86400 s without an answer.']);
  const late = await call(`POST ${response_url}`, {
    headers: asAlice,
    body: { response: { type: 'text', text: 'x' } },
  });
  assert.equal(late.status, 400);
  assert.equal((await runtime.inbox({ userId: undefined, isOperator: true }, 1)).length, 0);
});

// --- journals ------------------------------------------------------------------------------------------------------

test('a run may stream more than is kept: the oldest output goes, and the rest is as it was', async (t) => {
  const served = workflow({
    name: 'w',
    async *run() {
      for (let part = 1; part <= 100; part += 1) yield part;
      return 'all';
    },
  });
  const { call, runtime } = await serveWorkflow(t, served, { maxJournalFacts: 20 });

  const { status, body, headers } = await call('POST /v1/workflow', { body: {} });

  assert.deepEqual([status, body], [200, { value: 'all' }]);
  const page = await runtime.facts(headers.get('execution-id')!, 0, operator);
  const values = page!.entries.flatMap((fact) => (fact.type === 'output.emitted' ? [fact.value] : []));
  assert.deepEqual(
    values,
    values.map((_, index) => 101 - values.length + index),
  );
  assert.ok(page!.entries.length <= 20 && values.length > 10);
  assert.equal(page!.truncatedThrough, page!.entries.find(({ type }) => type === 'output.emitted')!.seq - 1);
});

test('a run that decides more than can be kept ends, and says why', async (t) => {
  const served = workflow({
    name: 'w',
    run: async (_input: unknown, ctx) => {
      for (let step = 1; ; step += 1) await ctx.step(`step ${step}`, () => step);
    },
  });
  const { call, runtime } = await serveWorkflow(t, served, { maxJournalFacts: 20 });

  const { status, body, headers } = await call('POST /v1/workflow', { body: {} });

  const message =
    'The run has more steps and answers than its journal may hold. ' +
    'Its journal has 21 facts, and fermata.max_journal_facts is 20. Most of them are of step "step 1": 2.';
  assert.deepEqual([status, body], [422, { code: 'workflow_error', message, details: 'ExecutionFailed' }]);
  assert.equal(immediate(runtime.get(headers.get('execution-id')!, operator))?.context.error?.code, 'journal_full');
});

test('a client that waits while its execution is forgotten is answered all the same', async (t) => {
  const world = await controlledServer(t, { retentionMs: 0 });
  const { call, clock, start, complete } = world;
  const { id } = await start();
  const poll = call(`GET /executions/${id}?wait=60`, { headers: asAlice });
  await untilWatched(world);

  await complete(id);
  clock.advance(1);

  const { status, body } = await poll;
  assert.deepEqual([status, (body as { status: string }).status], [200, 'completed']);
  assert.equal((await call(`GET /executions/${id}`, { headers: asAlice })).status, 404);
});
