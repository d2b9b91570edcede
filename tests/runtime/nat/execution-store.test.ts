/** Records, from their creation to the end of their time; the table of the store has a file of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRuntime, DEFAULT_EXECUTION_TTL, EndedError, ExecutionStore } from '../../../runtime/index.ts';
import { executionStore, question, refusal, reply } from '../../support/execution-store.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

test('a new execution runs, and is found by its id as the same record', async (t) => {
  const { store, clock } = executionStore(t);

  const record = await store.createExecution();

  assert.equal(record.status, 'running');
  assert.equal(record.createdAt, clock.now());
  assert.equal(record.completedAt, undefined);
  assert.equal(await store.get(record.executionId), record);
  assert.equal(await store.get('unheard-of'), undefined);
});

test('an execution that completes has a result, its time, and nothing pending', async (t) => {
  const { store, clock } = executionStore(t);
  const record = await store.createExecution();
  await store.setInteractionRequired(record.executionId, question);
  clock.advance(2_000);

  await store.setCompleted(record.executionId, { rows: 3 });

  assert.deepEqual(record.result, { rows: 3 });
  assert.equal(record.completedAt, clock.now());
  assert.equal(record.error, undefined);
  assert.deepEqual(record.pendingInteractions, []);
});

test('an execution that fails with an error tells its message, and has no result', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();

  await store.setFailed(record.executionId, new RangeError('too far'));

  assert.equal(record.error, 'too far');
  assert.equal(record.result, undefined);
});

test('a consent shows where to go until the execution is set running', async (t) => {
  const { store, clock } = executionStore(t);
  const record = await store.createExecution();

  await store.setOauthRequired(record.executionId, 'https://idp.example/auth', 's1');

  const consent = { authUrl: 'https://idp.example/auth', oauthState: 's1', createdAt: clock.now() };
  assert.deepEqual({ ...record.pendingOauth }, consent);
  await store.setRunning(record.executionId);
  assert.equal(record.pendingOauth, undefined);
});

test('of two consents the one named is given, and one that was never asked for is refused', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();
  const { executionId } = record;
  await store.setOauthRequired(executionId, 'https://one.example', 's1');
  await store.setOauthRequired(executionId, 'https://two.example', 's2');

  await store.setRunning(executionId, { oauthState: 's1' });

  const open = record.pendingOauths.map(({ oauthState }) => oauthState);
  assert.deepEqual(open, ['s2']);
  await assert.rejects(store.setRunning(executionId, { oauthState: 's3' }), refusal('fact_refused'));
});

test('the first outcome is what happened first, also for who looks when it runs again', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();
  await store.setInteractionRequired(record.executionId, question, 'p');
  await store.resolveInteraction(record.executionId, 'p', reply);
  await store.setFailed(record.executionId, 'broken');

  const outcome = await record.firstOutcome;

  assert.equal(outcome, 'interaction_required');
});

for (const [outcome, happen] of Object.entries({
  oauth_required: (store: ExecutionStore, id: string) => store.setOauthRequired(id, 'https://idp.example', 's'),
  completed: (store: ExecutionStore, id: string) => store.setCompleted(id, 1),
  failed: (store: ExecutionStore, id: string) => store.setFailed(id, 'broken'),
})) {
  test(`who waits for the first outcome is told ${outcome}`, async (t) => {
    const { store } = executionStore(t);
    const record = await store.createExecution();

    await happen(store, record.executionId);

    assert.equal(await record.firstOutcome, outcome);
  });
}

test('a record is kept for its time to live, not longer, and then also counts as no execution', async (t) => {
  const { store, clock } = executionStore(t, { ttlSeconds: 30 });
  const { executionId } = await store.createExecution();
  await store.setCompleted(executionId, 1);

  clock.advance(29_999);
  assert.equal((await store.get(executionId))?.status, 'completed');
  clock.advance(1);

  assert.equal(await store.get(executionId), undefined);
  await assert.rejects(store.setFailed(executionId, 'late'), refusal('execution_not_found'));
});

test('cleaning up counts what it removes when the timers are late, and leaves what runs', async (t) => {
  const { store, clock } = executionStore(t, { ttlSeconds: 30 });
  const [done, failed, alive] = [
    await store.createExecution(),
    await store.createExecution(),
    await store.createExecution(),
  ];
  await store.setCompleted(done.executionId, 1);
  await store.setFailed(failed.executionId, 'broken');
  clock.block(30_000);

  const removed = await store.cleanupExpired();

  assert.equal(removed, 2);
  assert.equal(await store.get(done.executionId), undefined);
  assert.equal(await store.get(alive.executionId), alive);
  assert.equal(await store.cleanupExpired(), 0);
});

test('the time to live is ten minutes by default, and refused below zero', (t) => {
  const { store } = executionStore(t);

  assert.equal(store.ttlSeconds, DEFAULT_EXECUTION_TTL);
  assert.equal(DEFAULT_EXECUTION_TTL, 600);
  assert.throws(() => new ExecutionStore({ ttlSeconds: -1 }), refusal('options_invalid'));
});

test('a store that is closed ends what waits, and takes nothing new', async (t) => {
  const { store } = executionStore(t);
  const record = await store.createExecution();
  const { future } = await store.setInteractionRequired(record.executionId, question);

  await store.close();

  await assert.rejects(future, EndedError);
  assert.equal(record.status, 'failed');
  await assert.rejects(store.createExecution(), refusal('draining'));
});

test('over a runtime only the owner answers through it, and closing the store does not stop it', async (t) => {
  const runtime = await createRuntime({ workflows: [], options: { retentionMs: 5_000 }, clock: new SimulatedClock() });
  t.after(() => runtime.stop());
  const store = new ExecutionStore(runtime);
  const { executionId } = await store.createExecution({ owner: 'alice' });
  const pending = await store.setInteractionRequired(executionId, question, 'p');

  await assert.rejects(runtime.answer(executionId, 'p', reply, { userId: 'bob' }), refusal('execution_not_found'));
  assert.equal(await runtime.answer(executionId, 'p', reply, { userId: 'alice' }), 'accepted');

  assert.deepEqual(await pending.future, reply);
  assert.equal(store.ttlSeconds, 5);
  await store.close();
  assert.ok(runtime.isAccepting);
  await store.setCompleted(executionId, 'done');
});
