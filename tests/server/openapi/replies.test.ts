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
  const { call, check } = await givenDoubling(t);

  const job = await call('POST /v1/workflow/async', { body: { amount: 1, job_id: 'one' } });

  check('POST /v1/workflow/async', job);
  check('POST /v1/workflow/async', await call('POST /v1/workflow/async', { body: { amount: 1, job_id: 'one' } }));
  check('GET /v1/workflow/async/job/{jobId}', await call('GET /v1/workflow/async/job/one'));
  check('GET /v1/workflow/async/job/{jobId}', await call('GET /v1/workflow/async/job/none'));

  check('POST /static/{path}', await call('POST /static/a.txt', { body: form() }));
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

/** A request for each JSON body that a route replies with: the operation, the request if it differs, and the status. */
const requests = (
  id: string,
): readonly (readonly [operation: string, line?: string, body?: unknown, status?: number])[] => {
  const chat = { messages: [{ role: 'user', content: 'Hello' }] };
  const asked = { messages: [{ role: 'user', content: 'ask' }] };
  return [
    ['GET /'],
    ['GET /health'],
    ['GET /health/ready'],
    ['GET /workflows'],
    ['GET /builders'],
    ['GET /nodes'],
    ['GET /monitor/users'],
    ['GET /openapi.json'],
    ['GET /v1/models'],
    ['GET /v1/models/{path}', 'GET /v1/models/shared'],
    ['GET /executions'],
    ['GET /interactions'],
    [SHOW, `GET /executions/${id}`],
    ['GET /executions/{executionId}/journal', `GET /executions/${id}/journal`],
    [START, START, {}],
    [START, START, 'ask', 202],
    ['POST /generate', 'POST /generate', {}],
    ['POST /work', 'POST /work', {}],
    ['POST /work', 'POST /work', { asks: true }, 202],
    ['POST /old-work', 'POST /old-work', {}],
    ['GET /seen'],
    ['POST /work/async', 'POST /work/async', { job_id: 'one' }, 202],
    ['POST /work/async', 'POST /work/async', { job_id: 'one' }],
    ['POST /work/async', 'POST /work/async', { job_id: 'two', sync_timeout: 10 }],
    ['GET /work/async/job/{jobId}', 'GET /work/async/job/one'],
    ['POST /old-work/async', 'POST /old-work/async', {}, 202],
    ['POST /old-work/async', 'POST /old-work/async', { sync_timeout: 10 }],
    ['GET /old-work/async/job/{jobId}', 'GET /old-work/async/job/one'],
    ['POST /v1/chat', 'POST /v1/chat', chat],
    ['POST /v1/chat', 'POST /v1/chat', asked, 202],
    ['POST /chat', 'POST /chat', chat],
    ['POST /v1/chat/completions', 'POST /v1/chat/completions', chat],
    ['POST /v1/chat/completions', 'POST /v1/chat/completions', asked, 202],
    ['POST /static/{path}', 'POST /static/a', form()],
    ['PUT /static/{path}', 'PUT /static/a', form()],
  ];
};

const form = (): FormData => {
  const data = new FormData();
  data.set('file', new Blob(['text']), 'a.txt');
  return data;
};

/** `GET /executions 200`: the replies that are described as JSON, without refusals. */
const jsonRepliesOf = ({ paths }: Document): string[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { responses }]) =>
      Object.entries(responses).flatMap(([status, { content = {} }]) =>
        status.startsWith('2') && 'application/json' in content ? [`${method.toUpperCase()} ${path} ${status}`] : [],
      ),
    ),
  );

test('every JSON reply of every route fits its schema', async (t) => {
  const asks = (input: unknown): boolean => JSON.stringify(input ?? {}).includes('ask');
  const run = async (input: unknown, ctx: { prompt(question: ReturnType<typeof text>): Promise<unknown> }) => {
    if (!asks(input)) return 'done';
    await ctx.prompt(text({ text: 'Which?' }));
    return 'answered';
  };
  const work = z.object({ asks: z.literal(true).optional() });
  const world = await given.server(t, {
    workflow: workflow({ name: 'shared', run }),
    workflows: [workflow({ name: 'work', input: work, run }), workflow({ name: 'seen', run })],
    config: {
      ...{ monitorUsers: true, asyncJobs: true, objectStore: 'memory', enableInteractiveExtensions: true },
      endpoints: [
        { functionName: 'work', method: 'POST', path: '/work', legacyPath: '/old-work' },
        { functionName: 'seen', method: 'GET', path: '/seen', legacyPath: null },
      ],
    },
  });
  const document = await documentOf(world);
  const check = replyCheckerOf(document);
  const { headers: started } = await world.call(START, { headers: asAlice, body: 'ask' });
  const seen = new Set<string>();

  for (const [operation, line = operation, body, status = 200] of requests(started.get('execution-id')!)) {
    const headers = /builders|nodes/.test(operation) ? { 'x-as-operator': '1' } : asAlice;
    const sent = await world.call(line, { headers, body });
    assert.equal(sent.status, status, `${line}: ${JSON.stringify(sent.body)}`);
    check(operation, sent);
    seen.add(`${operation} ${status}`);
  }

  assert.deepEqual(
    jsonRepliesOf(document).filter((reply) => !seen.has(reply)),
    [],
    'replies that this test has not asked for',
  );
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
