/** Streams that start an execution: what they send, and what becomes of the run when the reader leaves. */

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import type { ServerOptions } from '../../server/index.ts';
import { openStream } from '../support/event-reader.ts';
import { alice, given, turns } from '../support/given.ts';
import { engineOf, immediate } from '../support/in-process.ts';

const person = { 'x-api-key': 'key-of-a-reader' };

const echo = workflow({
  name: 'echo',
  input: z.object({ words: z.array(z.string()) }),
  async *run({ words }) {
    yield* words;
  },
});

/** Emits, then waits for a person. */
const asking = workflow({
  name: 'asking',
  async run(_, ctx) {
    ctx.emit('before');
    const { text: name } = await ctx.prompt(text({ text: 'Who?' }));
    ctx.emit(`after ${name}`);
    return name;
  },
});

/** Works until it is told to stop. */
const endless = workflow({
  name: 'endless',
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

const dataOf = (frame: string): Record<string, unknown> => JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '{}');

const streamed = async (t: TestContext, setup: Parameters<typeof given.server>[1], path: string, more = {}) => {
  const world = await given.server(t, setup);
  return { ...world, reader: await openStream(t, world.server.url + path, { method: 'POST', body: {}, ...more }) };
};

const off: Partial<ServerOptions> = { stepAdaptor: { mode: 'off', customEventTypes: [] } };

test('a stream gives the outputs and ends, and its execution has completed and can be found', async (t) => {
  const body = { words: ['a', 'b'] };
  const { reader, call } = await streamed(t, { workflow: echo, config: off }, '/v1/workflow/stream', { body });

  await reader.ended;

  assert.equal(reader.status, 200);
  assert.equal(reader.headers['content-type'], 'text/event-stream; charset=utf-8');
  assert.equal(reader.text, 'data: {"value":"a"}\n\ndata: {"value":"b"}\n\n');
  const { body: found } = await call(`GET /executions/${reader.headers['execution-id']}`);
  assert.equal((found as { status: string }).status, 'completed');
});

test('a bad body is refused before the stream begins', async (t) => {
  const { call } = await given.server(t, { workflow: echo });

  for (const path of ['/v1/workflow/stream', '/v1/workflow/full', '/generate/stream', '/generate/full']) {
    const { status, headers } = await call(`POST ${path}`, { body: { words: 'none' } });

    assert.equal(status, 422, path);
    assert.equal(headers.get('content-type'), 'application/json');
  }
});

test('a prompt comes between the outputs around it, and the stream goes on with the answer', async (t) => {
  const { reader, call } = await streamed(t, { workflow: asking, config: off }, '/v1/workflow/stream');
  const [, prompt = ''] = await reader.frames(2);
  const { response_url: url } = dataOf(prompt);

  const { status } = await call(`POST ${url}`, { body: { response: { type: 'text', text: 'Ada' } } });
  const frames = await reader.frames();

  assert.equal(status, 204);
  assert.match(frames[1] ?? '', /^event: interaction_required\n/);
  assert.deepEqual(
    [frames[0], ...frames.slice(2)].map((frame) => dataOf(frame ?? '').value),
    ['before', 'after Ada'],
  );
});

test('who leaves an interactive stream does not end the run, and can answer and read on', async (t) => {
  const { server, reader, call } = await streamed(t, { workflow: asking, config: off }, '/v1/workflow/stream');
  const id = reader.headers['execution-id'];
  const [, prompt = ''] = await reader.frames(2);

  reader.disconnect();
  await reader.ended;
  await call(`POST ${dataOf(prompt).response_url}`, { body: { response: { type: 'text', text: 'Ada' } } });
  const again = await openStream(t, `${server.url}/executions/${id}/stream`);

  const values = (await again.frames())
    .filter((frame) => /^event: output/m.test(frame))
    .map((frame) => dataOf(frame).value);
  assert.deepEqual(values, ['before', 'after Ada']);
});

const cancels: [what: string, path: string, config: Partial<ServerOptions>][] = [
  ['a legacy stream', '/generate/stream', {}],
  ['a legacy stream of all steps', '/generate/full', {}],
  ['a stream that asked for it', '/v1/workflow/stream?on_disconnect=cancel', {}],
  ['any stream where the server is told so', '/v1/workflow/full', { cancelOnDisconnect: true }],
];

for (const [what, path, config] of cancels) {
  test(`the run of ${what} is cancelled when its reader leaves`, async (t) => {
    const { reader, runtime } = await streamed(t, { workflow: endless, config }, path);
    const execution = immediate(runtime.get(reader.headers['execution-id'] as string, alice));
    await reader.frames(1);

    reader.disconnect();
    while (execution?.isSettled === false) await turns(1);

    assert.equal(execution?.context.error?.code, 'cancelled');
  });
}

test('a run that ends with its readers goes on while another one reads, and ends with the last', async (t) => {
  const path = '/v1/workflow/stream?on_disconnect=cancel';
  const { server, reader, runtime } = await streamed(t, { workflow: endless, config: {} }, path);
  const id = reader.headers['execution-id'] as string;
  const execution = immediate(engineOf(runtime).executions.get(id))!;
  const second = await openStream(t, `${server.url}/executions/${id}/stream`);
  const events = { accept: 'text/event-stream' };
  const last = await openStream(t, `${server.url}/executions/${id}/journal`, { headers: events });
  for (const each of [reader, second, last]) await each.frames(1);

  for (const each of [reader, second]) {
    const { watchers } = execution;
    each.disconnect();
    while (execution.watchers === watchers) await turns(1);
    await turns();
    assert.equal(execution.isSettled, false);
  }
  last.disconnect();
  while (!execution.isSettled) await turns(1);

  assert.equal(execution.context.error?.code, 'cancelled');
});

test('the run of a stream that has ended is not touched by its reader', async (t) => {
  const body = { words: ['a'] };
  const { reader, runtime } = await streamed(t, { workflow: echo }, '/generate/stream', { body });

  await reader.ended;
  await turns(10);

  assert.equal(immediate(runtime.get(reader.headers['execution-id'] as string, alice))?.status, 'completed');
});

test('an error ends an interactive stream as an event, and an older one as a line of JSON', async (t) => {
  const failing = workflow({
    name: 'failing',
    run: () => {
      throw new RangeError('too far');
    },
  });
  const { server } = await given.server(t, { workflow: failing, config: off });
  const textOf = async (path: string): Promise<string> => {
    const reader = await openStream(t, server.url + path, { method: 'POST', body: {} });
    await reader.ended;
    return reader.text;
  };

  const error = '{"code":"workflow_error","message":"too far","details":"RangeError"}';
  assert.equal(await textOf('/v1/workflow/stream'), `event: error\ndata: ${error}\n\n`);
  assert.equal(await textOf('/v1/workflow/full?filter_steps=none'), `event: error\ndata: ${error}\n\n`);
  assert.equal(await textOf('/generate/stream'), error);
});

test('a workflow with a result and no outputs streams the result, and one that has streamed does not repeat it', async (t) => {
  const both = workflow({
    name: 'both',
    input: z.object({ emits: z.boolean() }),
    run({ emits }, ctx) {
      if (emits) ctx.emit('part');
      return 'whole';
    },
  });
  const { server } = await given.server(t, { workflow: both, config: off });
  const textOf = async (emits: boolean): Promise<string> => {
    const reader = await openStream(t, `${server.url}/v1/workflow/stream`, { method: 'POST', body: { emits } });
    await reader.ended;
    return reader.text;
  };

  assert.equal(await textOf(false), 'data: {"value":"whole"}\n\n');
  assert.equal(await textOf(true), 'data: {"value":"part"}\n\n');
});

test('a notification is an event, and the id of an exporter has a field of its own', async (t) => {
  const telling = workflow({
    name: 'telling',
    async run(_, ctx) {
      ctx.observe('trace-1');
      await ctx.notify('Heads up.');
    },
  });
  const { reader } = await streamed(t, { workflow: telling, config: off }, '/v1/workflow/stream');

  const [trace, notified = '', ...rest] = await reader.frames();

  assert.equal(trace, 'observability_trace: {"observability_trace_id":"trace-1"}');
  assert.match(notified, /^event: notification\n/);
  assert.equal((dataOf(notified).prompt as { text: string }).text, 'Heads up.');
  assert.deepEqual(rest, []);
});

test('a start that is repeated with its key is the same run, streamed again from the beginning', async (t) => {
  const order = { body: { words: ['a'] }, headers: { ...person, 'idempotency-key': 'key-1' } };
  const { server, reader } = await streamed(t, { workflow: echo, config: off }, '/v1/workflow/stream', order);
  await reader.ended;

  const again = await openStream(t, `${server.url}/v1/workflow/stream`, { method: 'POST', ...order });
  await again.ended;

  assert.equal(again.headers['execution-id'], reader.headers['execution-id']);
  assert.equal(again.headers['idempotent-replayed'], 'true');
  assert.equal(again.text, reader.text);
});

test('a run for one result records no steps of its own', async (t) => {
  const { call, runtime } = await given.server(t, { workflow: echo });
  const { headers } = await call('POST /v1/workflow', { body: { words: [] }, headers: person });

  const page = await runtime.facts(headers.get('execution-id') ?? '', 0, { userId: undefined, isOperator: true });

  assert.deepEqual(
    page?.entries.filter(({ type }) => type === 'trace.emitted'),
    [],
  );
});

test('a server that stops ends its streams with the fate of their runs', async (t) => {
  const { server, reader, clock } = await streamed(t, { workflow: asking, config: off }, '/v1/workflow/stream');
  await reader.frames(2);

  const closed = server.close();
  clock.advance(10_000);
  await closed;

  const frames = await reader.frames();
  assert.match(frames.at(-1) ?? '', /^event: error\n/);
});
