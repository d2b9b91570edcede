/** Servers answer as their OpenAPI document says. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { binaryChoice, checkbox, dropdown, notification, radio, text, workflow } from '../../../runtime/index.ts';
import { asAlice, controlledServer } from '../../support/controlled-server.ts';
import { given, type ServerWorld } from '../../support/given.ts';
import { type Document, replyCheckerOf } from '../../support/openapi-replies.ts';

const START = 'POST /v1/workflow';
const SHOW = 'GET /executions/{executionId}';
const ANSWER = 'POST /executions/{executionId}/interactions/{interactionId}/response';

const documentOf = async ({ call }: Pick<ServerWorld, 'call'>): Promise<Document> =>
  (await call('GET /openapi.json')).body as Document;

const doubling = workflow({
  name: 'doubling',
  input: z.object({ amount: z.number() }),
  output: z.object({ double: z.number() }),
  run: ({ amount }) => {
    if (amount < 0) throw new Error('too little');
    return { double: 2 * amount };
  },
});

const givenDoubling = async (t: TestContext) => {
  const world = await given.server(t, {
    workflow: doubling,
    config: { monitorUsers: true, asyncJobs: true, objectStore: 'memory' },
  });
  return { ...world, check: replyCheckerOf(await documentOf(world)) };
};

test('starts, results and refusals are described', async (t) => {
  const { call, check } = await givenDoubling(t);

  check(START, await call('POST /v1/workflow', { body: { amount: 1 } }));
  check(START, await call('POST /v1/workflow', { body: { amount: 'x' } }));
  check(START, await call('POST /v1/workflow', { body: { amount: -1 } }));
  check(START, await call('POST /v1/workflow'));
  check(START, await call('POST /v1/workflow', { body: { amount: 1 }, headers: { 'idempotency-key': 'a b' } }));
  check('POST /generate', await call('POST /generate', { body: { amount: 1 } }));
  check('POST /generate', await call('POST /generate', { body: { amount: -1 } }));
  check('POST /v1/workflow/stream', await call('POST /v1/workflow/stream', { body: { amount: 1 } }));
  check('GET /health', await call('GET /health'));
  check('GET /openapi.json', await call('GET /openapi.json'));
  check('GET /monitor/users', await call('GET /monitor/users'));
  const tooLarge = await call('POST /v1/workflow', { body: { amount: 'x'.repeat(1_100_000) } });
  check(START, tooLarge, { isDefault: true });
});

test('jobs and files are described', async (t) => {
  const { call, check, server } = await givenDoubling(t);

  const job = await call('POST /v1/workflow/async', { body: { amount: 1, job_id: 'one' } });

  check('POST /v1/workflow/async', job);
  check('POST /v1/workflow/async', await call('POST /v1/workflow/async', { body: { amount: 1, job_id: 'one' } }));
  check('GET /v1/workflow/async/job/{jobId}', await call('GET /v1/workflow/async/job/one'));
  check('GET /v1/workflow/async/job/{jobId}', await call('GET /v1/workflow/async/job/none'));

  const form = new FormData();
  form.set('file', new Blob(['text']), 'a.txt');
  const stored = await fetch(`${server.url}/static/a.txt`, { method: 'POST', body: form });
  check('POST /static/{path}', { status: stored.status, headers: stored.headers, body: await stored.json() });
  check('GET /static/{path}', await call('GET /static/none'));
  check('DELETE /static/{path}', await call('DELETE /static/a.txt'));
});

test('a chat is described', async (t) => {
  const echo = workflow({ name: 'echo', input: z.string(), output: z.string(), run: (input) => input });
  const world = await given.server(t, { workflow: echo });
  const check = replyCheckerOf(await documentOf(world));
  const body = { messages: [{ role: 'user', content: 'Hello' }] };

  check('POST /v1/chat', await world.call('POST /v1/chat', { body }));
  check('POST /v1/chat', await world.call('POST /v1/chat', { body: { messages: [] } }));
  check(
    'POST /v1/chat/completions',
    await world.call('POST /v1/chat/completions', { body: { ...body, stream: true } }),
  );
  check(START, await world.call('POST /v1/workflow', { body: 'Hello' }));
});

test('executions that wait, their answers and their lists are described', async (t) => {
  const { call, start, ask, complete } = await controlledServer(t);
  const check = replyCheckerOf(await documentOf({ call }));
  const started = await start();
  const { id } = started;

  check(START, started);
  check(SHOW, await call(`GET /executions/${id}`, { headers: asAlice }));
  ask(id);
  check(SHOW, await call(`GET /executions/${id}`, { headers: asAlice }));
  ask(id);
  const waiting = await call(`GET /executions/${id}`, { headers: asAlice });
  const { response_url: url } = waiting.body as { response_url: string };
  check(SHOW, waiting);
  check('GET /executions', await call('GET /executions', { headers: asAlice }));
  check('GET /executions', await call('GET /executions'));
  check('GET /executions', await call('GET /executions?limit=x', { headers: asAlice }));
  check('GET /interactions', await call('GET /interactions', { headers: asAlice }));

  const answer = { response: { type: 'text', text: 'this' } };
  check(ANSWER, await call(`POST ${url}`, { headers: asAlice, body: { response: { type: 'radio' } } }));
  check(ANSWER, await call(`POST ${url}`, { headers: asAlice, body: answer }));
  check(ANSWER, await call(`POST ${url}`, { headers: asAlice, body: answer }));
  check(ANSWER, await call(`POST ${url}`, { body: answer }));
  check(SHOW, await call('GET /executions/none'));
  check(SHOW, await call(`GET /executions/${id}?wait=x`, { headers: asAlice }));
  await complete(id);
  check(SHOW, await call(`GET /executions/${id}`, { headers: asAlice }));
  check('DELETE /executions/{executionId}', await call(`DELETE /executions/${id}`, { headers: asAlice }));
  check('GET /executions/{executionId}/stream', await call(`GET /executions/${id}/stream`, { headers: asAlice }));
});

test('a failed execution, a cancellation and a full queue are described', async (t) => {
  const { call, start, complete } = await controlledServer(t, { maxConcurrency: 1, maxQueued: 1 });
  const check = replyCheckerOf(await documentOf({ call }));
  const [first, second, third] = [await start(), await start(), await start()];

  check(START, third);
  assert.equal(third.status, 429);
  check('DELETE /executions/{executionId}', await call(`DELETE /executions/${second.id}`, { headers: asAlice }));
  check(SHOW, await call(`GET /executions/${second.id}`, { headers: asAlice }));
  await complete(first.id);
});

test('a reply that is not described is noticed', async (t) => {
  const { check } = await givenDoubling(t);
  const headers = new Headers({ 'content-type': 'application/json' });

  assert.throws(() => check(START, { status: 200, headers, body: { double: 'two' } }), /double must be number/);
  assert.throws(() => check(START, { status: 418, headers, body: {} }), /answers 418/);
  assert.throws(() => check(SHOW, { status: 200, headers, body: { execution_id: 'a', status: 'lost' } }), /must/);
});

test('prompts of every kind are described', async (t) => {
  const { check } = await givenDoubling(t);
  const headers = new Headers({ 'content-type': 'application/json' });
  const waits = { execution_id: 'a', status: 'interaction_required', interaction_id: 'b', response_url: '/c' };
  const options = ['yes', 'no'].map((name) => ({ id: name, label: name, value: name }));
  const common = { text: '?', options };
  const questions = [text(common), notification(common), binaryChoice(common), radio(common), checkbox(common)];

  for (const { prompt } of [...questions, dropdown(common)]) {
    check(SHOW, { status: 200, headers, body: { ...waits, prompt } });
  }
  const broken = { ...radio(common).prompt, options: 'none' };
  assert.throws(() => check(SHOW, { status: 200, headers, body: { ...waits, prompt: broken } }), /must/);
});
