/** What a run gives: one result, or a stream of values. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFailedError, workflow } from '../../../runtime/index.ts';
import { refusal } from '../../support/execution-store.ts';
import { immediate } from '../../support/in-process.ts';
import { echo, gate, sessionManager } from '../../support/session-manager.ts';

const all = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
  const values: unknown[] = [];
  for await (const value of stream) values.push(value);
  return values;
};

test('a result is there as often as it is asked for, also when the record is not', async (t) => {
  const { manager, clock } = await sessionManager(t, echo, { options: { retentionMs: 1_000 } });
  const run = await (await manager.session()).run('hello');
  assert.equal(await run.result(), 'hello');

  clock.advance(1_000);

  assert.equal(immediate(manager.runtime.get(run.executionId, { userId: undefined })), undefined);
  assert.equal(await run.result(), 'hello');
});

test('a run that fails rejects with the name and the words of its workflow, and says where to look', async (t) => {
  const broken = workflow({
    name: 'broken',
    run: () => {
      throw new RangeError('too far');
    },
  });
  const { manager } = await sessionManager(t, broken);
  const run = await manager.run(null);

  const thrown = await run.result().catch((error: unknown) => error);

  assert.ok(thrown instanceof RunFailedError);
  const { name, message, code, executionId } = thrown;
  assert.deepEqual(
    { name, message, code, executionId },
    { name: 'RangeError', message: 'too far', code: 'workflow_error', executionId: run.executionId },
  );
});

const counting = workflow({
  name: 'counting',
  run: async function* (input: { to: number; fails?: boolean }) {
    for (let count = 1; count <= input.to; count += 1) yield count;
    if (input.fails) throw new Error('lost count');
    return 'counted';
  },
});

test('a stream gives what the run emits in order, also to a reader who comes when it is over', async (t) => {
  const { manager } = await sessionManager(t, counting);
  const run = await manager.run({ to: 3 });

  const live = await all(run.resultStream());

  assert.equal(await run.result(), 'counted');
  assert.deepEqual(live, [1, 2, 3]);
  assert.deepEqual(await all(run.resultStream()), [1, 2, 3]);
});

test('a stream waits for what is still to come', async (t) => {
  const { opened, open } = gate();
  const served = workflow({
    name: 'slow',
    run: async function* () {
      yield 'before';
      await opened;
      yield 'after';
    },
  });
  const { manager } = await sessionManager(t, served);
  const stream = (await manager.run(null)).resultStream();
  assert.deepEqual(await stream.next(), { done: false, value: 'before' });

  const next = stream.next();
  open();

  assert.deepEqual(await next, { done: false, value: 'after' });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test('the stream of a run that fails gives what there was, and then throws', async (t) => {
  const { manager } = await sessionManager(t, counting);
  const run = await manager.run({ to: 2, fails: true });
  const seen: unknown[] = [];

  const read = async () => {
    for await (const value of run.resultStream()) seen.push(value);
  };

  await assert.rejects(read(), { name: 'Error', message: 'lost count' });
  assert.deepEqual(seen, [1, 2]);
});

test('a reader who leaves the stream does not end the run', async (t) => {
  const { manager } = await sessionManager(t, counting);
  const run = await manager.run({ to: 5 });

  for await (const value of run.resultStream()) if (value === 2) break;

  assert.equal(await run.result(), 'counted');
});

test('a reader who has missed values is told so, and one who comes after the record has gone too', async (t) => {
  const options = { maxJournalFacts: 20, retentionMs: 1_000 };
  const { manager, clock } = await sessionManager(t, counting, { options });
  const run = await manager.run({ to: 100 });
  await run.result();

  await assert.rejects(all(run.resultStream()), refusal('output_truncated'));

  clock.advance(1_000);
  await assert.rejects(all(run.resultStream()), refusal('execution_not_found'));
});

test('a workflow that only streams is told that it streams, unless the caller says otherwise', async (t) => {
  const served = workflow({ name: 'streams', streamOnly: true, run: (_input: unknown, ctx) => ctx.streaming });
  const { manager } = await sessionManager(t, served);
  const session = await manager.session();

  assert.equal(await (await session.run(null)).result(), true);

  await assert.rejects((await session.run(null, { streaming: false })).result(), /single output value/);
});
