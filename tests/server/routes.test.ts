/** What routes offer beyond NAT: lists, the inbox, cancelling, waiting, doing things once, and saying no in time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text } from '../../runtime/index.ts';
import {
  asAlice,
  asking,
  asUser,
  controlledServer,
  serveWorkflow,
  untilWatched,
} from '../support/controlled-server.ts';
import { controlledWorkflow } from '../support/controlled-workflow.ts';
import { type HttpReply, operator, untilIdle } from '../support/given.ts';
import { until } from '../support/http.ts';
import { immediate } from '../support/in-process.ts';

const texts = (body: unknown, key: string): unknown[] =>
  (body as Record<string, Record<string, unknown>[]>)[key]!.map((one) => one.execution_id);

// --- lists ---------------------------------------------------------------------------------------------------------

test('my executions are listed newest first, with what a poll of each would say and when it began and ended', async (t) => {
  const world = await controlledServer(t);
  const { clock, call, start, ask, complete } = world;
  const [first, second] = [await start(), await start()];
  await start(asUser('bob'));
  clock.advance(1_500);
  await complete(first.id);
  ask(second.id);

  const { status, body } = await call('GET /executions', { headers: asAlice });

  const { executions, next } = body as { executions: Record<string, unknown>[]; next: unknown };
  assert.deepEqual([status, next], [200, null]);
  for (const [index, id] of [second.id, first.id].entries()) {
    const { workflow: name, owner, phase, code, due_at, started_at, settled_at, ...polled } = executions[index]!;
    assert.deepEqual([code, due_at], [null, null]);
    assert.equal(owner, immediate(world.runtime.get(id, operator))?.context.owner);
    assert.equal(phase, index === 0 ? 'waiting' : 'settled');
    assert.equal(name, 'controlled');
    assert.equal(started_at, '2026-01-01T00:00:00.000Z');
    assert.equal(settled_at, index === 0 ? null : '2026-01-01T00:00:01.500Z');
    assert.deepEqual(polled, (await call(`GET /executions/${id}`, { headers: asAlice })).body);
  }
  for (const { id } of immediate(world.runtime.list(operator, { limit: 9 })).executions)
    if (id !== first.id) await complete(id);
});

test('lists come in pages, and only with what was asked for', async (t) => {
  const { call, start, ask, complete } = await controlledServer(t, { maxConcurrency: 20 });
  const ids: string[] = [];
  for (let count = 0; count < 7; count += 1) ids.unshift((await start()).id);
  ask(ids[1]!);
  ask(ids[4]!);
  await complete(ids[3]!);
  const page = async (query: string) => (await call(`GET /executions?${query}`, { headers: asAlice })).body;

  const first = (await page('limit=3')) as { next: string };
  const second = (await page(`limit=3&before=${first.next}`)) as { next: string };
  const third = (await page(`limit=3&before=${encodeURIComponent(second.next)}`)) as { next: string };

  assert.deepEqual(
    [first, second, third].flatMap((one) => texts(one, 'executions')),
    ids,
  );
  assert.equal(third.next, null);
  assert.deepEqual(texts(await page('status=interaction_required'), 'executions'), [ids[1], ids[4]]);
  assert.deepEqual(texts(await page('status=interaction_required&limit=1'), 'executions'), [ids[1]]);
  assert.deepEqual(texts(await page('status=completed'), 'executions'), [ids[3]]);
  assert.deepEqual(texts(await page('status=running&limit=2'), 'executions'), [ids[0], ids[2]]);
  assert.deepEqual(texts(await page('workflow=other'), 'executions'), []);
  await complete(...ids.filter((_, index) => index !== 3));
});

test('the inbox holds whatever waits for me, the longest waiting first, ready to be answered', async (t) => {
  const { clock, call, start, ask, ctx, complete } = await controlledServer(t);
  const [first, second] = [await start(), await start()];
  ask(second.id, text({ text: 'A?', timeoutS: 60 }));
  clock.advance(1_000);
  ask(first.id, text({ text: 'B?' }));
  clock.advance(500);
  ask(second.id, text({ text: 'C?' }));
  void ctx(first.id).sleep(1_000_000);

  const { body } = await call('GET /interactions', { headers: asAlice });

  const { interactions } = body as { interactions: Record<string, unknown>[] };
  assert.deepEqual(
    interactions.map(({ execution_id, workflow: name, prompt, opened_at, due_at }) => [
      execution_id,
      name,
      (prompt as { text: string }).text,
      opened_at,
      due_at,
    ]),
    [
      [second.id, 'controlled', 'A?', '2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000Z'],
      [first.id, 'controlled', 'B?', '2026-01-01T00:00:01.000Z', null],
      [second.id, 'controlled', 'C?', '2026-01-01T00:00:01.500Z', null],
    ],
  );
  const answer = { response: { type: 'text', text: 'yes' } };
  const answered = await call(`POST ${interactions[0]!.response_url}`, { headers: asAlice, body: answer });
  const limited = (await call('GET /interactions?limit=1', { headers: asAlice })).body;
  assert.equal(answered.status, 204);
  assert.deepEqual(texts(limited, 'interactions'), [first.id]);
  await complete(first.id, second.id);
});

// --- cancelling ----------------------------------------------------------------------------------------------------

test('a cancelled execution has failed, its run is told, and cancelling it again is a conflict', async (t) => {
  const { call, start, ask, ctx } = await controlledServer(t);
  const [busy, parked] = [await start(), await start()];
  ask(parked.id);

  for (const { id } of [busy, parked]) {
    const { signal } = ctx(id);
    const [first, second] = [
      await call(`DELETE /executions/${id}`, { headers: asAlice }),
      await call(`DELETE /executions/${id}`, { headers: asAlice }),
    ];

    assert.deepEqual([first.status, first.body], [204, undefined]);
    assert.equal(signal.aborted, true);
    assert.equal(second.status, 409);
    assert.equal((second.body as { code: string }).code, 'execution_settled');
    const { body } = await call(`GET /executions/${id}`, { headers: asAlice });
    assert.deepEqual(body, { execution_id: id, status: 'failed', error: 'The execution was cancelled.' });
  }
});

test('a client that waits for an execution gets a reply at once when it is cancelled', async (t) => {
  const { workflow: served } = controlledWorkflow();
  const world = await serveWorkflow(t, served);
  const waiting = world.call('POST /v1/workflow', { headers: asAlice, body: {} });
  await untilWatched(world);
  const [execution] = immediate(world.runtime.list(operator, { limit: 1 })).executions;

  await world.call(`DELETE /executions/${execution!.id}`, { headers: asAlice });

  const { status, body } = await waiting;
  assert.equal(status, 422);
  assert.deepEqual(body, {
    code: 'workflow_error',
    message: 'The execution was cancelled.',
    details: 'ExecutionFailed',
  });
});

// --- waiting -------------------------------------------------------------------------------------------------------

test('a client that does not want to wait gets the execution at once, and finds its result where it was told', async (t) => {
  const { call, start, complete } = await controlledServer(t);

  const { status, headers, body, id } = await start();

  assert.equal(status, 202);
  assert.equal(headers.get('preference-applied'), 'respond-async');
  assert.equal(headers.get('location'), `/executions/${id}`);
  assert.deepEqual(body, { execution_id: id, status_url: `/executions/${id}`, status: 'running' });
  await complete(id);
  const polled = await call(`GET ${headers.get('location')}`, { headers: asAlice });
  assert.deepEqual(polled.body, { execution_id: id, status: 'completed', result: { value: 'done' } });
});

test('a client that waits so long gets the result if it comes, else the execution as it stands', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const world = await serveWorkflow(t, served);
  const asked = (prefer: string) => world.call('POST /v1/workflow', { headers: { prefer }, body: {} });
  const tooLong = asked('wait=2');
  await untilWatched(world);
  world.clock.advance(2_000);
  const late = await tooLong;
  const inTime = asked('respond-async, wait="2"; foo=bar');
  await untilWatched(world);
  await untilIdle(world.runtime);
  for (const run of runs.values()) run.complete('done');

  assert.deepEqual([late.status, (late.body as { status: string }).status], [202, 'running']);
  assert.equal(late.headers.get('preference-applied'), 'wait=2');
  assert.deepEqual([(await inTime).status, (await inTime).body], [200, { value: 'done' }]);
  assert.equal((await inTime).headers.get('preference-applied'), 'wait=2');
});

test('unknown preferences are ignored', async (t) => {
  const world = await serveWorkflow(t, asking);

  for (const prefer of ['', 'wait', 'wait=', 'wait=-1', 'wait=soon', 'return=minimal', 'handling=strict', ',,;;==']) {
    const { status, headers } = await world.call('POST /v1/workflow', { headers: { prefer }, body: {} });
    assert.deepEqual([status, headers.get('preference-applied')], [202, null], prefer);
  }
});

test('a long poll is answered as soon as there is news, and not before', async (t) => {
  const world = await controlledServer(t);
  const { call, start, ctx, complete } = world;
  const { id } = await start();
  const poll = (query: string): Promise<HttpReply> => call(`GET /executions/${id}${query}`, { headers: asAlice });
  const seq = Number((await poll('')).headers.get('execution-seq'));
  assert.equal(seq, 2);

  const known = await poll('?wait=60&after=1');
  assert.equal(known.headers.get('execution-seq'), '2', 'what is news already is told at once');
  const waiting = [poll(`?wait=60&after=${seq}`), poll('?wait=60&after=3'), poll('?wait=60')];
  await until(() => world.server.openRequests === 3, 'three polls');
  await untilWatched(world);
  ctx(id).emit('a part');
  const first = await waiting[0]!;

  assert.equal(first.headers.get('execution-seq'), '3');
  assert.equal(
    world.server.openRequests,
    2,
    'a client that has seen it waits on, and so does one that waits for the status',
  );
  await complete(id);
  for (const reply of await Promise.all(waiting.slice(1)))
    assert.deepEqual(
      [reply.headers.get('execution-seq'), (reply.body as { status: string }).status],
      ['4', 'completed'],
    );
  assert.equal((await poll('?wait=60&after=99')).status, 200, 'of what is over there will be no news');
});

test('a long poll without news is answered when its time is over', async (t) => {
  const world = await controlledServer(t);
  const { id } = await world.start();

  const poll = world.call(`GET /executions/${id}?wait=30`, { headers: asAlice });
  await untilWatched(world);
  world.clock.advance(30_000);

  assert.deepEqual([(await poll).status, ((await poll).body as { status: string }).status], [200, 'running']);
  await world.complete(id);
});
