/** Sessions: what a run is told of its request, how runs end, and what is counted about them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import {
  type Context,
  metadataFromHttpRequest,
  type Session,
  type SessionManager,
  text,
  workflow,
} from '../../../runtime/index.ts';
import { refusal } from '../../support/execution-store.ts';
import { untilIdle } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { echo, gate, notebook, sessionManager } from '../../support/session-manager.ts';

/** Tells what the run knows of its request. */
const aboutRequest = (ctx: Context) => ({
  user: ctx.user,
  conversationId: ctx.conversationId,
  userMessageId: ctx.userMessageId,
  path: ctx.request.path,
  traceId: ctx.trace.traceId,
  runId: ctx.trace.runId,
  parentId: ctx.trace.parentId,
  parentName: ctx.trace.parentName,
});
const witness = workflow({ name: 'witness', run: (_input: unknown, ctx) => aboutRequest(ctx) });
const ownWitness = workflow({
  name: 'own-witness',
  perUser: { build: () => {} },
  run: (_input: unknown, ctx) => aboutRequest(ctx),
});

test('a run knows the request of its session', async (t) => {
  const { manager } = await sessionManager(t, witness);
  const headers = {
    'conversation-id': 'c1',
    'user-message-id': 'm1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01',
    'workflow-run-id': 'r1',
    'workflow-parent-id': 'p1',
    'workflow-parent-name': 'caller',
  };
  const metadata = metadataFromHttpRequest({ path: '/v1/workflow', headers });
  const session = await manager.session({ ...metadata, userId: 'alice' });

  const known = await (await session.run(null)).result();

  assert.deepEqual(known, {
    user: 'alice',
    conversationId: 'c1',
    userMessageId: 'm1',
    path: '/v1/workflow',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    runId: 'r1',
    parentId: 'p1',
    parentName: 'caller',
  });
});

test('a session of the same user knows nothing of the session that was there before, or is there beside it', async (t) => {
  const { manager } = await sessionManager(t, ownWitness);
  const first = await manager.session({ userId: 'alice', conversationId: 'c1', trace: { runId: 'r1' } });
  await (await first.run(null)).result();
  const second = await manager.session({ userId: 'alice', userMessageId: 'm2' });

  const known = await (await second.run(null)).result();

  const { conversationId, userMessageId, runId, path, parentId } = known;
  assert.deepEqual(
    { conversationId, userMessageId, path, parentId },
    {
      conversationId: undefined,
      userMessageId: 'm2',
      path: null,
      parentId: null,
    },
  );
  assert.notEqual(runId, 'r1');
});

test('missing ids are made for each run', async (t) => {
  const { manager } = await sessionManager(t, witness);
  const session = await manager.session();

  const one = await (await session.run(null)).result();
  const other = await (await session.run(null)).result();

  assert.match(one.traceId, /^[0-9a-f]{32}$/);
  assert.match(one.runId, /^[0-9a-f-]{36}$/);
  assert.notEqual(one.traceId, other.traceId);
  assert.notEqual(one.runId, other.runId);
});

test('a parent given for one run comes before that of the request, and the next run has the latter again', async (t) => {
  const { manager } = await sessionManager(t, witness);
  const session = await manager.session({ trace: { parentId: 'p0', parentName: 'request' } });

  const given = await (await session.run(null, { parentId: 'p1', parentName: 'step' })).result();
  const next = await (await session.run(null)).result();

  assert.deepEqual([given.parentId, given.parentName], ['p1', 'step']);
  assert.deepEqual([next.parentId, next.parentName], ['p0', 'request']);
});

test('an input is what the schema makes of it, or is refused with what is wrong', async (t) => {
  const input = z.object({ amount: z.coerce.number() });
  const { manager } = await sessionManager(t, workflow({ name: 'checked', input, run: ({ amount }) => amount + 1 }));
  const session = await manager.session();

  assert.equal(await (await session.run({ amount: '41' })).result(), 42);

  await assert.rejects(session.run({ amount: 'many' }), { code: 'input_invalid', message: /^amount: / });
});

test('a closed session starts no more runs', async (t) => {
  const { manager } = await sessionManager(t, echo);
  const session = await manager.session();
  assert.ok(session.isOpen);

  await session.close();

  assert.equal(session.isOpen, false);
  await assert.rejects(session.run(null), refusal('session_closed'));
});

test('runs of one user wait for a slot of that user, and not for those of others', async (t) => {
  const { opened, open } = gate();
  const started: unknown[] = [];
  const served = workflow({
    name: 'slow',
    perUser: { build: () => {} },
    run: (_input: unknown, ctx) => {
      started.push(ctx.user);
      return opened;
    },
  });
  const { manager } = await sessionManager(t, served, { maxConcurrency: 1 });
  const [alice, bob] = [await manager.session({ userId: 'alice' }), await manager.session({ userId: 'bob' })];

  const runs = [await alice.run(1), await alice.run(2), await bob.run(3)];
  await untilIdle(manager.runtime);

  assert.deepEqual(started, ['alice', 'bob']);
  assert.deepEqual([alice.builder.slots.held, alice.builder.slots.queued], [1, 1]);
  open();
  await Promise.all(runs.map((run) => run.result()));
  assert.deepEqual(started, ['alice', 'bob', 'alice']);
});

const ways = workflow({
  name: 'ways',
  input: z.enum(['fine', 'fail', 'wait']),
  perUser: { build: () => {} },
  run: async (way, ctx) => {
    if (way === 'fail') throw new Error('no');
    if (way === 'wait') await ctx.prompt(text({ text: 'Go on?' }));
    return way;
  },
});

test('a session is one request, however many runs it had, with the time from its opening to its end', async (t) => {
  const { manager, clock } = await sessionManager(t, ways);
  const session = await manager.session({ userId: 'alice' });
  const { builder } = session;
  await (await session.run('fine')).result();
  await (await session.run('fine')).result();
  clock.advance(250);
  assert.equal(builder.totalRequests, 0);
  assert.equal(builder.refCount, 1);

  await session.close();

  const { totalRequests, errorCount, totalLatencyMs, lastActivity } = builder;
  assert.deepEqual(
    { totalRequests, errorCount, totalLatencyMs },
    { totalRequests: 1, errorCount: 0, totalLatencyMs: 250 },
  );
  assert.equal(lastActivity.getTime(), clock.now());
});

test('the time of the build is not part of the request', async (t) => {
  const { opened, open } = gate();
  const served = workflow({ name: 'slow-build', perUser: { build: () => opened }, run: () => null });
  const { manager, clock } = await sessionManager(t, served);
  const opening = manager.session({ userId: 'alice' });
  clock.advance(5_000);
  open();
  const session = await opening;
  clock.advance(100);

  await session.close();

  assert.equal(session.builder.totalLatencyMs, 100);
  assert.equal(session.builder.createdAt.getTime(), clock.now() - 5_100);
});

type Use = (session: Session<string>) => Promise<unknown>;

const uses: Record<string, { errors: 0 | 1; use: Use }> = {
  'without runs': { errors: 0, use: async () => {} },
  'whose run completed': { errors: 0, use: async (session) => (await session.run('fine')).result() },
  'whose run failed': { errors: 1, use: async (session) => (await session.run('fail')).result().catch(() => {}) },
  'whose run was cancelled': { errors: 1, use: async (session) => (await session.run('wait')).cancel() },
  'whose run was refused': { errors: 1, use: (session) => session.run('unheard-of').catch(() => {}) },
  'with a failed run before a good one': {
    errors: 1,
    use: async (session) => {
      await (await session.run('fail')).result().catch(() => {});
      await (await session.run('fine')).result();
    },
  },
  'that was closed as failed': { errors: 1, use: (session) => session.close({ success: false }) },
};

for (const [kind, { errors, use }] of Object.entries(uses)) {
  test(`a session ${kind} is counted as ${errors === 0 ? 'a success' : 'an error'}`, async (t) => {
    const { manager } = await sessionManager(t, ways);
    const session = await manager.session({ userId: 'alice' });

    await use(session);
    await session.close();

    const { totalRequests, errorCount, refCount } = session.builder;
    assert.deepEqual({ totalRequests, errorCount, refCount }, { totalRequests: 1, errorCount: errors, refCount: 0 });
  });
}

test('a run that outlives its session keeps the builder, and the request is counted when the run has ended', async (t) => {
  const { manager, clock } = await sessionManager(t, ways);
  const session = await manager.session({ userId: 'alice' });
  const run = await session.run('wait');
  await untilIdle(manager.runtime);
  await session.close();
  clock.advance(7_200_000);
  const { builder } = session;
  assert.deepEqual([builder.refCount, builder.totalRequests], [1, 0]);
  assert.equal(await manager.cleanupInactive(0), 0);

  await answerAll(manager, run.executionId);

  assert.equal(await run.result(), 'wait');
  assert.deepEqual([builder.refCount, builder.totalRequests, builder.errorCount], [0, 1, 0]);
});

test('what waits for a person holds no slot', async (t) => {
  const { manager } = await sessionManager(t, ways, { maxConcurrency: 1 });
  const session = await manager.session({ userId: 'alice' });
  const waiting = await session.run('wait');
  await untilIdle(manager.runtime);
  assert.equal(waiting.status, 'awaiting_interaction');

  const other = await session.run('fine');

  assert.equal(await other.result(), 'fine');
  assert.equal(waiting.status, 'awaiting_interaction');
});

test('other requests can be added to the counters of the sessions', async (t) => {
  const { manager } = await sessionManager(t, notebook().served);
  const { builder } = await manager.session({ userId: 'alice' });

  builder.recordRequest(40, false);

  const { totalRequests, errorCount, totalLatencyMs } = builder;
  assert.deepEqual(
    { totalRequests, errorCount, totalLatencyMs },
    { totalRequests: 1, errorCount: 1, totalLatencyMs: 40 },
  );
});

/** Answers what a run of alice has asked, as a server would for her. */
const answerAll = async ({ runtime }: SessionManager<string>, executionId: string): Promise<void> => {
  const by = { userId: 'alice' };
  for (const { id } of immediate(runtime.get(executionId, by))?.context.pauses ?? []) {
    await runtime.answer(executionId, id, { kind: 'text', text: 'yes' }, by);
  }
};
