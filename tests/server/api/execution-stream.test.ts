/** Any execution as a stream: who may read it, from where on, how many at once, and what a slow one costs. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { Execution } from '../../../runtime/executions/execution.ts';
import { type Context, workflow } from '../../../runtime/index.ts';
import type { ServerOptions } from '../../../server/index.ts';
import { type EventReader, lastId, openStream } from '../../support/event-reader.ts';
import { given, turns } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { heldByProxy } from '../../support/proxy-setup.ts';

/** A run that emits what the test tells it. */
const world = async (t: TestContext, config: Partial<ServerOptions> = {}) => {
  let ctx: Context | undefined;
  let finish = (): void => {};
  const told = workflow({
    name: 'told',
    run: (_, given) => {
      ctx = given;
      return new Promise<string>((resolve) => {
        finish = () => resolve('done');
      });
    },
  });
  const server = await given.server(t, { workflow: told, config });
  const start = async (headers: Record<string, string> = {}) => {
    const begun = await server.call('POST /v1/workflow', {
      body: {},
      headers: { prefer: 'respond-async', ...headers },
    });
    await turns(5);
    return begun.headers.get('execution-id') ?? '';
  };
  const id = await start();
  const url = `${server.server.url}/executions/${id}/stream`;
  return {
    ...server,
    url,
    execution: immediate(server.runtime.get(id, { userId: undefined })) as Execution,
    start,
    emit: (...values: unknown[]) => {
      for (const value of values) ctx!.emit(value);
    },
    finish: () => finish(),
    read: (order: Parameters<typeof openStream>[2] = {}, query = ''): Promise<EventReader> =>
      openStream(t, url + query, order),
  };
};

const dataOf = (frame: string): Record<string, unknown> => JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '{}');
const valuesOf = (frames: readonly string[]): unknown[] =>
  frames.filter((frame) => /^event: output/m.test(frame)).map((frame) => dataOf(frame).value);

test('an execution is a stream of its facts with their numbers, from the start to the result', async (t) => {
  const { read, emit, finish } = await world(t);
  const reader = await read();
  await reader.frames(1);

  emit('a', { b: 1 });
  finish();
  const frames = await reader.frames();

  assert.deepEqual(
    frames.map((frame) => [/^id: (\d+)/m.exec(frame)?.[1], /^event: (.*)/m.exec(frame)?.[1]]),
    [
      ['1', 'execution.started'],
      ['3', 'output.emitted'],
      ['4', 'output.emitted'],
      ['5', 'execution.completed'],
    ],
  );
  assert.deepEqual(valuesOf(frames), ['a', { b: 1 }]);
  assert.deepEqual(dataOf(frames[3]!).result, { value: 'done' });
});

test('a stream that is cut after every single frame and resumed is the same as one that is not', async (t) => {
  const { read, emit, finish, execution } = await world(t);
  const whole = await read();
  const count = 100;
  const pieced: string[] = [];

  for (let at = 0; pieced.length < count; at += 1) {
    const isByHeader = at % 2 === 0;
    const seen = lastId(pieced);
    const reader = await read(
      isByHeader ? { headers: { 'last-event-id': seen } } : {},
      isByHeader ? '' : `?after=${seen}`,
    );
    emit(`${at} ${'x'.repeat(at)}`);
    pieced.push(...(await reader.frames(1)));
    reader.disconnect();
  }
  const last = await read({ headers: { 'last-event-id': lastId(pieced) } });
  finish();
  pieced.push(...(await last.frames()));

  assert.deepEqual(pieced, await whole.frames());
  assert.equal(execution.watchers, 0);
  const replayed = await read();
  assert.deepEqual(await replayed.frames(), pieced);
});

test('after the last event there is nothing: 204 tells an EventSource not to come back', async (t) => {
  const { call, finish, execution } = await world(t);
  finish();
  await turns(5);
  const path = `GET /executions/${execution.id}/stream`;

  assert.equal((await call(path, { headers: { 'last-event-id': String(execution.context.seq) } })).status, 204);
  assert.equal((await call(`${path}?after=${execution.context.seq - 1}`)).status, 200);
});

test('an execution of another user gets 404, like one that never existed', async (t) => {
  const { server, call, start, finish } = await world(t);
  const id = await start({ 'x-api-key': 'key-of-a' });

  for (const [path, headers] of [
    [id, {}],
    [id, { 'x-api-key': 'key-of-b' }],
    ['nothing', { 'x-api-key': 'key-of-a' }],
  ] as const) {
    assert.equal((await call(`GET /executions/${path}/stream`, { headers })).status, 404);
  }
  const reader = await openStream(t, `${server.url}/executions/${id}/stream`, { headers: { 'x-api-key': 'key-of-a' } });
  assert.equal(reader.status, 200);
  reader.disconnect();
  finish();
  await call(`DELETE /executions/${id}`, { headers: { 'x-api-key': 'key-of-a' } });
  for (const each of immediate(server.runtime.list({ userId: undefined, isOperator: true }, { limit: 9 })).executions) {
    if (!each.isSettled) await server.runtime.cancel(each.id, { userId: undefined, isOperator: true });
  }
});

test('a place to go on from that is no number is refused', async (t) => {
  const { call, execution, finish } = await world(t);
  const path = `GET /executions/${execution.id}/stream`;

  assert.equal((await call(path, { headers: { 'last-event-id': 'x' } })).status, 422);
  assert.equal((await call(`${path}?after=-1`)).status, 422);
  finish();
});

test('a reader whom the journal no longer reaches gets the present state first, then what there is', async (t) => {
  const { read, emit, finish } = await world(t, { runtime: { maxJournalFacts: 50 } });
  emit(...Array.from({ length: 200 }, (_, index) => index));
  const reader = await read({ headers: { 'last-event-id': '2' } });
  const [first = '', second = ''] = await reader.frames(2);

  finish();
  const frames = await reader.frames();

  assert.match(first, /^event: truncated\n/);
  assert.equal(dataOf(first).status, 'running');
  assert.equal(dataOf(first).truncated_through, Number(lastId([second])) - 1);
  const values = valuesOf(frames);
  assert.equal(values.at(-1), 199);
  assert.ok(values.length < 200);
});

test('a thousand readers of one execution all get everything, and leave nothing behind', async (t) => {
  const { read, emit, finish, execution } = await world(t);
  const readers: EventReader[] = [];
  while (readers.length < 1_000) readers.push(...(await Promise.all(Array.from({ length: 100 }, () => read()))));
  assert.equal(execution.watchers, 1_000);

  emit('a');
  await turns();
  emit('b');
  finish();
  const all = await Promise.all(readers.map(async (reader) => valuesOf(await reader.frames())));

  assert.equal(all.length, 1_000);
  for (const values of all) assert.deepEqual(values, ['a', 'b']);
  assert.equal(execution.watchers, 0);
});

test('for a reader that reads nothing, only the journal is stored, and no run waits for it', async (t) => {
  const { url, read, emit, finish, execution } = await world(t);
  const { hostname, port, pathname } = new URL(url);
  const stalled = connect({ port: Number(port), host: hostname }).pause();
  t.after(() => stalled.destroy());
  await once(stalled, 'connect');
  stalled.write(`GET ${pathname} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  const other = await read();
  while (execution.watchers < 2) await turns(1);
  const piece = 'x'.repeat(100_000);
  const count = 600;

  for (let index = 1; index <= count; index += 1) {
    emit(piece);
    while (other.text.length < index * piece.length) await turns(1);
  }
  finish();
  assert.equal(valuesOf(await other.frames()).length, count, 'the other one got all of it');
  assert.equal(execution.isSettled, true);
  assert.equal(execution.watchers, 1, 'the stalled one waits for his socket');

  let received = '';
  stalled.setEncoding('latin1').on('data', (data: string) => {
    received += data;
  });
  stalled.resume();
  await once(stalled, 'close');
  assert.match(received, /event: truncated/);
  assert.match(received.slice(-1_000), /event: execution.completed/);
  assert.ok(received.length < 20e6 + heldByProxy(), `of 60 MB ${received.length} bytes were kept for him`);
  while (execution.watchers > 0) await turns(1);
});
