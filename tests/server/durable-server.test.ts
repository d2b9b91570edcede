/** What clients see of a server that keeps its executions: it goes, another one comes, and they go on. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import { createServer } from '../../server/index.ts';
import { DurableServer, type StatusBody } from '../support/durable-server.ts';
import { lastId, openStream } from '../support/event-reader.ts';
import { until } from '../support/http.ts';
import { engineOf, immediate } from '../support/in-process.ts';
import {
  contentOf,
  interactionReply,
  isComplete,
  isPrompt,
  isText,
  textsOf,
  userMessage,
} from '../support/socket-server.ts';
import { openSocket } from '../support/web-socket.ts';

/** Says hello, and asks twice. */
const asking = workflow({
  name: 'asking',
  async run(_: unknown, ctx) {
    ctx.emit('hello');
    const { text: name } = await ctx.prompt(text({ text: 'Who?' }));
    const { text: age } = await ctx.prompt(text({ text: 'How old?' }));
    return `${name}, ${age}`;
  },
});

const isOver = ({ status }: StatusBody): boolean => status === 'completed' || status === 'failed';

const echo = workflow({ name: 'echo', input: z.object({}), run: (input) => input });

test('an execution that waits is polled and answered under the next server, and comes to its end', async (t) => {
  const world = await DurableServer.open(t, asking);
  const first = await world.startPrompting();

  await world.restart();
  const found = await world.status(first);
  const status = await world.answer(first, 'Ada');
  const second = await world.statusWhen(first, ({ prompt }) => prompt?.text === 'How old?');
  await world.restart();
  await world.answer({ ...first, ...second }, '36');
  const end = await world.statusWhen(first, isOver);
  await world.restart();

  assert.equal(found.status, 'interaction_required');
  assert.equal(found.interaction_id, /interactions\/([^/]+)/.exec(first.response_url)?.[1]);
  assert.equal(status, 204);
  assert.deepEqual([end.status, end.result], ['completed', { value: 'Ada, 36' }]);
  assert.deepEqual(await world.status(first), end);
});

test('a stream ends whole when the server stops, and goes on after it where the reader was', async (t) => {
  const world = await DurableServer.open(t, asking);
  const first = await world.startPrompting();
  const before = await openStream(t, `${world.server.url}${first.status_url}/stream`);
  const told = await before.frames(3);

  await world.restart();
  await before.ended;
  const headers = { 'last-event-id': lastId(told) };
  await world.answer(first, 'Ada');
  const after = await openStream(t, `${world.server.url}${first.status_url}/stream`, { headers });
  const [answered, asked] = await after.frames(2);

  assert.deepEqual(eventsOf(told), ['execution.started', 'output.emitted', 'interaction.requested']);
  assert.ok(before.isComplete);
  assert.deepEqual(eventsOf([answered!, asked!]), ['interaction.answered', 'interaction.requested']);
});

test('the stream of a run that goes on after the server has stopped does not look like a whole answer', async (t) => {
  const asking = workflow({
    name: 'asking',
    input: z.object({ words: z.string() }),
    async *run(_, ctx) {
      yield 'half of it, ';
      yield (await ctx.prompt(text({ text: 'And?' }))).text;
    },
  });
  const world = await DurableServer.open(t, asking, { enableInteractiveExtensions: true });
  const chat = { messages: [{ role: 'user', content: 'x' }], stream: true };
  const open = async (path: string, body: object) => ({
    path,
    reader: await openStream(t, world.server.url + path, { method: 'POST', body }),
  });
  const readers = [
    await open('/v1/workflow/stream', { words: 'x' }),
    await open('/v1/chat/stream', chat),
    await open('/v1/chat/completions', chat),
  ];
  for (const { path, reader } of readers) await until(() => reader.text.includes('interaction_required'), path);

  await world.restart();

  for (const { reader } of readers) {
    await reader.ended;
    assert.ok(reader.isComplete);
    const [, data = '{}'] = /event: error\ndata: (.*)\n\n$/.exec(reader.text) ?? [];
    assert.equal(JSON.parse(data).details, 'ServerStopped', reader.text);
    assert.doesNotMatch(reader.text, /DONE/);
  }
});

test('a run that is streamed as it runs ends whole too, and its reader can come back', async (t) => {
  const world = await DurableServer.open(t, asking);
  const reader = await openStream(t, `${world.server.url}/v1/workflow/stream`, { method: 'POST', body: {} });
  await reader.frames(2);

  await world.restart();
  await reader.ended;
  const { status } = await world.status({ status_url: `/executions/${reader.headers['execution-id']}` });

  assert.ok(reader.isComplete);
  assert.equal(status, 'interaction_required');
});

const eventsOf = (frames: readonly string[]): (string | undefined)[] =>
  frames.map((frame) => /^event: (.*)$/m.exec(frame)?.[1]);

test('a start and an answer that are sent again after a restart are the same ones', async (t) => {
  const world = await DurableServer.open(t, asking);
  const key = { 'idempotency-key': 'a-key-that-nobody-meets-by-chance' };
  const first = await world.startPrompting({ for: 'Ada' }, key);
  const status = await world.answer(first, 'Ada', key);

  await world.restart();
  const again = await world.call('POST /v1/workflow', { body: { for: 'Ada' }, headers: key });
  const other = await world.call('POST /v1/workflow', { body: { for: 'Bob' }, headers: key });
  const answeredAgain = await world.answer(first, 'Ada', key);
  const unkeyed = await world.answer(first, 'Ada');

  assert.equal((again.body as { execution_id: string }).execution_id, first.execution_id);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.equal(other.status, 422);
  assert.deepEqual([status, answeredAgain, unkeyed], [204, 204, 400]);
});

test('a job is found by its id after a restart, and is not started again', async (t) => {
  const world = await DurableServer.open(t, echo, { asyncJobs: true });
  const body = { job_id: 'nightly-5d7a1c9e0b42', sync_timeout: 5 };
  const first = await world.call('POST /v1/workflow/async', { body });

  await world.restart();
  const found = await world.call('GET /v1/workflow/async/job/nightly-5d7a1c9e0b42');
  const again = await world.call('POST /v1/workflow/async', { body });

  assert.equal((found.body as { status: string }).status, 'success');
  assert.equal(again.headers.get('execution-id'), first.headers.get('execution-id'));
});

const conversation = '/websocket?conversation_id=c1';
const ada = { cookie: 'nat-session=ada' };

const connect = async (t: TestContext, url: string) => {
  const { client } = await openSocket(`${url}${conversation}`, ada);
  assert.ok(client);
  t.after(() => client.drop());
  return client;
};

test('a conversation on a socket goes on after a restart, with the prompt that is open', async (t) => {
  const world = await DurableServer.open(t, asking);
  const before = await connect(t, world.server.url);
  before.send(userMessage('go', { conversation_id: 'c1' }));
  const [asked] = (await before.until(isPrompt)).slice(-1);

  await world.restart();
  const code = await before.closed();
  const after = await connect(t, world.server.url);
  const again = (await after.until(isPrompt)).at(-1)!;
  after.send(interactionReply('Ada', { conversation_id: 'c1' }));
  await after.until(isPrompt);
  after.send(interactionReply('36', { conversation_id: 'c1' }));
  const rest = await after.until(isComplete);

  assert.equal(code, 1001);
  assert.deepEqual(contentOf(again).text, contentOf(asked!).text);
  assert.equal(again.parent_id, 'message-1');
  assert.deepEqual(textsOf(rest), ['Ada, 36']);
});

test('a turn that has ended is not shown again after a restart, unless the client keeps count', async (t) => {
  const served = workflow({ name: 'echo', input: z.object({ words: z.string() }), run: ({ words }) => words });
  const world = await DurableServer.open(t, served);
  const before = await connect(t, world.server.url);
  before.send(userMessage('one', { conversation_id: 'c1' }));
  await before.until(isComplete);

  await world.restart();
  const after = await connect(t, world.server.url);
  after.send(userMessage('two', { conversation_id: 'c1' }));
  const shown = await after.until(isComplete);
  const { client: counting } = await openSocket(`${world.server.url}${conversation}&after=0`, ada);
  t.after(() => counting?.drop());
  const again = await counting!.until(isComplete);

  assert.deepEqual(textsOf(shown), ['two']);
  assert.deepEqual(textsOf(again), ['two']);
});

test('a conversation whose execution has left memory is found, and shows nothing twice', async (t) => {
  const world = await DurableServer.open(t, asking, { runtime: { hibernateAfterMs: 0, restAfterMs: 0 } });
  const before = await connect(t, world.server.url);
  before.send(userMessage('go', { conversation_id: 'c1', schema_type: 'generate_stream' }));
  const shown = await before.until(isPrompt);
  before.close();
  await before.closed();
  const { executions } = engineOf(world.server.runtime);
  const operator = { userId: undefined, isOperator: true };
  const [{ id } = { id: '' }] = immediate(world.server.runtime.list(operator, { limit: 1 })).executions;
  await until(() => executions.inMemory(id) === undefined, 'it leaves memory');

  const after = await connect(t, world.server.url);
  const again = await after.until(isPrompt);

  assert.deepEqual(textsOf(shown), ['hello']);
  assert.equal(again.filter(isText).length, 0);
});

test('while the store does not work starts and answers are refused with 503, and what was accepted stays', async (t) => {
  const world = await DurableServer.open(t, asking);
  const first = await world.startPrompting();
  world.executeSql('ALTER TABLE journal RENAME TO away');

  const failed = await world.call('POST /v1/workflow', { body: {} });
  const refused = await world.call('POST /v1/workflow', { body: {} });
  const unanswered = await world.answer(first, 'Ada');
  const seen = await world.status(first);
  world.executeSql('ALTER TABLE away RENAME TO journal');
  while ((await world.answer(first, 'Ada')) === 503) await setTimeout(100);

  for (const { status, headers, body } of [failed, refused]) {
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '1');
    assert.equal((body as { code: string }).code, 'store_unavailable');
  }
  assert.equal(unanswered, 503);
  assert.equal(seen.status, 'interaction_required');
  await world.statusWhen(first, ({ prompt }) => prompt?.text === 'How old?');
});

test('a second server on the same directory is refused, and the first one goes on', async (t) => {
  const world = await DurableServer.open(t, echo);
  const config = { port: 0, data: world.directory };

  await assert.rejects(createServer({ workflow: echo, config }), /is in use by process \d+/);

  assert.equal((await world.call('POST /v1/workflow', { body: {} })).status, 200);
});

test('a server that cannot begin gives the directory back', async (t) => {
  const world = await DurableServer.open(t, echo);
  await world.server.close();
  const config = { port: 0, data: world.directory };
  const broken = workflow({
    name: 'broken',
    build: () => {
      throw new Error('no database');
    },
    run: () => 1,
  });

  await assert.rejects(createServer({ workflow: broken, config }), /no database/);
  await assert.rejects(createServer({ workflow: echo, config: { ...config, dataSecret: 'short' } }), /at least 16/);

  await world.restart();
});
