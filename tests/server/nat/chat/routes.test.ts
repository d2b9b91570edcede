/** The chat routes: which there are, what they have in common with those of a workflow, and what they send as streams. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../../../runtime/index.ts';
import type { ServerOptions } from '../../../../server/index.ts';
import { serverDefaults } from '../../../../server/options.ts';
import { openStream } from '../../../support/event-reader.ts';
import { given, operator } from '../../../support/given.ts';
import { until } from '../../../support/http.ts';
import { immediate } from '../../../support/in-process.ts';

const word = z.object({ word: z.string() });

const echo = workflow({ name: 'echo', input: word, run: ({ word }) => word });
const asking = workflow({
  name: 'asking',
  input: word,
  run: async (_, ctx) => (await ctx.prompt(text({ text: 'Who?' }))).text,
});
const pair = workflow({ name: 'pair', input: z.object({ a: z.int(), b: z.int() }), run: ({ a, b }) => a + b });
const endless = workflow({
  name: 'endless',
  input: word,
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

const hi = { messages: [{ role: 'user', content: 'hi' }] };
const quiet: Partial<ServerOptions> = { stepAdaptor: { mode: 'off', customEventTypes: [] } };
const alice = { 'x-api-key': 'key-of-alice' };

const paths = { path: '/v1/chat', legacy: '/chat', completions: '/v1/chat/completions' };

const streamOf = (t: TestContext, url: string, body: object) => openStream(t, url, { method: 'POST', body });

test('the completion that was answered is the one that is found later, on every route', async (t) => {
  const { call } = await given.server(t, { workflow: echo });

  for (const path of Object.values(paths)) {
    const { status, headers, body } = await call(`POST ${path}`, { headers: alice, body: hi });
    const found = await call(`GET /executions/${headers.get('execution-id')}`, { headers: alice });

    assert.equal(status, 200, path);
    assert.deepEqual((found.body as { result: unknown }).result, body);
  }
});

test('a chat is started once under an idempotency key, and at the client’s wish in the background', async (t) => {
  const { call } = await given.server(t, { workflow: asking });
  const order = { headers: { ...alice, 'idempotency-key': 'k-1', prefer: 'respond-async' }, body: hi };

  const [first, second] = [await call('POST /v1/chat', order), await call('POST /v1/chat', order)];

  assert.deepEqual([first.status, second.status], [202, 202]);
  assert.equal(second.headers.get('execution-id'), first.headers.get('execution-id'));
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
});

test('a stream is chunks of one completion, a closing one and the end marker, on every route', async (t) => {
  const { server } = await given.server(t, { workflow: echo, config: quiet });
  const routes: [path: string, body: object][] = [
    ['/v1/chat/stream', hi],
    ['/chat/stream', { ...hi, stream: false }],
    ['/v1/chat/completions', { ...hi, stream: true }],
  ];

  for (const [path, body] of routes) {
    const reader = await streamOf(t, server.url + path, body);
    await reader.ended;

    const [first = '', last = '', ...rest] = reader.text.split('\n\n');
    const id = reader.headers['execution-id'];
    const chunks = [first, last].map((frame) => JSON.parse(frame.slice('data: '.length)));
    assert.deepEqual(rest, ['data: [DONE]', ''], path);
    assert.deepEqual(
      chunks.map(({ id, choices: [{ delta, finish_reason }] }) => [id, delta.content, finish_reason]),
      [
        [id, 'hi', null],
        [id, '', 'stop'],
      ],
    );
  }
});

test('a workflow that cannot be called as a chat is a failed run, in the form of each route', async (t) => {
  const { server, call } = await given.server(t, { workflow: pair, config: quiet });
  const message = 'pair cannot be called as a chat: it takes or gives something other than a text or a chat.';
  const failure = (details: string) => ({ code: 'workflow_error', message, details });

  const versioned = await call('POST /v1/chat', { body: hi });
  const legacy = await call('POST /chat', { body: hi });
  const streams = [];
  for (const path of ['/v1/chat/stream', '/chat/stream']) {
    const reader = await streamOf(t, server.url + path, hi);
    await reader.ended;
    streams.push(reader.text);
  }

  assert.deepEqual([versioned.status, versioned.body], [422, failure('ExecutionFailed')]);
  assert.deepEqual([legacy.status, legacy.body], [422, failure('ValueError')]);
  const data = JSON.stringify(failure('ValueError'));
  assert.deepEqual(streams, [`event: error\ndata: ${data}\n\n`, data]);
});

test('a reader of an older chat stream who leaves ends the run', async (t) => {
  const { server, runtime } = await given.server(t, { workflow: endless });
  const reader = await streamOf(t, `${server.url}/chat/stream`, hi);
  const execution = immediate(runtime.get(String(reader.headers['execution-id']), operator));
  await reader.frames(1);

  reader.disconnect();
  await until(() => execution?.isSettled === true, 'the end of the run');

  assert.equal(execution?.context.error?.code, 'cancelled');
});

test('only versioned routes may pause, and completions where they are told that they may', async (t) => {
  for (const enableInteractiveExtensions of [false, true]) {
    const { call } = await given.server(t, { workflow: asking, config: { enableInteractiveExtensions } });

    const statuses = [];
    for (const path of Object.values(paths)) statuses.push((await call(`POST ${path}`, { body: hi })).status);

    assert.deepEqual(statuses, [202, 422, enableInteractiveExtensions ? 202 : 422]);
  }
});

test('paths that are null, switched off, or of a GET are not there', async (t) => {
  const { workflow: served } = serverDefaults;
  const statusesOf = async (config: Partial<ServerOptions>) => {
    const { call } = await given.server(t, { workflow: echo, config });
    const statuses: number[] = [];
    for (const path of [...Object.values(paths), '/v1/chat/stream', '/chat/stream']) {
      statuses.push((await call(`POST ${path}`, { body: hi })).status);
    }
    return statuses;
  };

  assert.deepEqual(await statusesOf({ disableLegacyRoutes: true }), [200, 404, 200, 200, 404]);
  assert.deepEqual(await statusesOf({ workflow: { ...served, openaiApiV1Path: null } }), [200, 200, 404, 200, 200]);
  assert.deepEqual(await statusesOf({ workflow: { ...served, method: 'GET' } }), [404, 404, 404, 404, 404]);
});

test('one path for both kinds of chat is served as OpenAI has it, with nothing below', async (t) => {
  const config = { ...quiet, workflow: { ...serverDefaults.workflow, openaiApiPath: '/v1/chat/completions' } };
  const { server, call } = await given.server(t, { workflow: echo, config });

  const reader = await streamOf(t, `${server.url}/v1/chat/completions`, { ...hi, stream: true });
  await reader.ended;
  const below = await call('POST /v1/chat/completions/stream', { body: hi });

  assert.match(reader.text, /\[DONE\]\n\n$/);
  assert.equal(below.status, 404);
});
