/** The sockets of the inspector, as programs use them; the receivers are those of the Stately inspector itself. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createMachine } from 'xstate';
import { text, workflow } from '../../../../runtime/index.ts';
import { VERSION } from '../../../../server/operator/inspector/messages.ts';
import { MAX_WATCHERS } from '../../../../server/operator/inspector/sockets.ts';
import { isOnNode } from '../../../support/adapter.ts';
import { asking } from '../../../support/controlled-server.ts';
import { operator, turns } from '../../../support/given.ts';
import { until } from '../../../support/http.ts';
import { immediate } from '../../../support/in-process.ts';
import { givenInspector } from '../../../support/inspector-server.ts';

const body = {};
const operatorKey = 'the key of the operator';

test('the receiver of the Stately inspector gets the actors, their machines, events and snapshots', async (t) => {
  const { server, call, clock } = await givenInspector(t, { workflow: asking });
  const received: StatelyInspectionEvent[] = [];
  const receiver = createWebSocketReceiver({ server: `${server.url.replace('http', 'ws')}/inspect/socket` });
  receiver.subscribe((message) => received.push(message));
  await until(() => received.some((one) => one.type === '@xstate.actor' && one.name === 'builders'), 'the actors');

  await call('POST /v1/workflow', { body });
  const isAsked = (one: StatelyInspectionEvent) =>
    one.type === '@xstate.event' && one.event.type === 'interaction.requested';
  await until(() => received.some(isAsked), 'the prompt');

  const actors = received.filter((one) => one.type === '@xstate.actor');
  const execution = actors.find(({ name }) => name.includes('execution '))!;
  const root = actors.find(({ name }) => name === 'manager')!;
  assert.equal(execution.rootId, root.sessionId);
  assert.equal(actors.find(({ sessionId }) => sessionId === execution.parentId)?.name, 'executions');
  const { snapshot } = received.findLast((one) => one.type === '@xstate.snapshot')!;
  const { value } = snapshot as unknown as { value: { active: string } };
  assert.deepEqual(value, { active: 'awaiting_interaction' });
  assert.doesNotThrow(() => createMachine(JSON.parse(execution.definition!)).resolveState({ value, context: {} }));
  for (const one of received) assert.deepEqual([one._version, typeof one.createdAt], [VERSION, 'string']);

  const closed = server.close(); // a receiver cannot be told to leave
  await turns();
  clock.advance(60_000);
  await closed;
});

test('messages are of the version that is tested with', () => {
  const { version } = JSON.parse(readFileSync('node_modules/@statelyai/inspect/package.json', 'utf8'));

  assert.equal(VERSION, version);
});

test('the inspection is subscribed while a watcher is connected, and not after', async (t) => {
  const { open, server } = await givenInspector(t, { workflow: asking });
  const { inspection } = server.runtime;
  const [one, two] = [await open(), await open()];
  await until(() => inspection.inspectors === 2, 'both');

  one.client!.close();
  two.client!.drop();

  await until(() => inspection.inspectors === 0, 'their end');
});

test('only operators may watch, and pages of others not even from this machine', async (t) => {
  const { open } = await givenInspector(t, { workflow: asking, config: { identity: { operatorKey } } });
  const proxied = { 'x-forwarded-for': '203.0.113.7' };
  const status = async (headers: Record<string, string>) => (await open('', headers)).status;

  assert.equal(await status({}), 403);
  assert.equal(await status({ ...proxied, 'x-operator-key': operatorKey }), 101);
  assert.equal(await status(proxied), 403);
  assert.equal(await status({ ...proxied, 'x-api-key': 'alice' }), 403);
  assert.equal(await status({ origin: 'http://evil.example' }), 403);
  assert.equal(await status({ origin: 'http://localhost:3000' }), 403);
  assert.equal(await status({ host: 'evil.example' }), 421);
});

test('a filter that cannot be understood is refused, on the socket and on the page', async (t) => {
  const { open, call } = await givenInspector(t, { workflow: asking });

  for (const query of ['?knid=execution', '?kind=job', '?payloads=yes', '?kind=']) {
    assert.equal((await open(query)).status, 422, query);
    const { status, body: problem } = await call(`GET /inspect${query}`);
    assert.equal(status, 422, query);
    assert.match((problem as { detail: string }).detail, /expected .*, got "/);
  }
  assert.equal((await open('?kind=builder&kind=execution&user=a&execution=b&payloads=0')).status, 101);
});

test('there are so many watchers at once, and no more', async (t) => {
  const { open } = await givenInspector(t, { workflow: asking });
  for (let count = 0; count < MAX_WATCHERS; count += 1) assert.equal((await open()).status, 101);

  assert.equal((await open()).status, 503);
});

test('a watcher who says something is not heard, and one who says too much is cut off', async (t) => {
  const { open, call, server } = await givenInspector(t, { workflow: asking });
  const { client } = await open();
  const { client: loud } = await open();

  client!.send({ type: '@statelyai.connected' });
  client!.frame(Buffer.from([1, 2, 3]), { opcode: 2 });
  loud!.frame(Buffer.alloc(2_000));
  assert.equal(await loud!.closed(), isOnNode() ? 1009 : 1006);
  await call('POST /v1/workflow', { body });

  const isStart = ({ event }: { event?: { type?: string } }) => event?.type === 'execution.started';
  await client!.until(isStart);
  client!.close();
  assert.equal(immediate(server.runtime.list(operator, { limit: 9 })).executions.length, 1);
});

test('a server that stops says goodbye with 1001, after its end has been shown', async (t) => {
  const { open, server, clock } = await givenInspector(t, { workflow: asking, config: { rootPath: '/pfx' } });
  const { client } = await open(); // below the root path

  const closed = server.close();
  await turns();
  clock.advance(60_000);

  assert.equal(await client!.closed(), 1001);
  assert.ok(client!.messages.some(({ type }) => type === '@xstate.snapshot'));
  await closed;
});

test('a watcher who reads slowly gets the first picture bit by bit, as he reads', async (t) => {
  const wordy = workflow({ name: 'wordy', run: (_: unknown, ctx) => ctx.prompt(text({ text: 'x'.repeat(50_000) })) });
  const { open, call } = await givenInspector(t, { workflow: wordy });
  for (let count = 0; count < 400; count += 1) await call('POST /v1/workflow', { body });
  const { client } = await open('?payloads=1&kind=execution');

  client!.pause();
  await turns(50);
  const early = client!.messages.length;
  client!.resume();
  await client!.when(() => client!.messages.length > 400);
  client!.close();

  assert.ok(early < 400, 'he has not read yet');
  assert.ok(client!.messages.slice(1).every(({ type }) => type === '@xstate.actor'));
});
