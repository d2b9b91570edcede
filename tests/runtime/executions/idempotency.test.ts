/** Idempotency keys: whose they are, for how long, and what counts as the same request. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { keyName, Names } from '../../../runtime/executions/names.ts';
import { type Caller, workflow } from '../../../runtime/index.ts';
import { controlledWorkflow } from '../../support/controlled-workflow.ts';
import { alice, bob, given, turns } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const nobody: Caller = { userId: undefined };
const key = 'a-key-of-more-than-sixteen-characters';
const reused = { code: 'idempotency_key_reused' };

const text = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', '\n', '"') });

test('a key is its user’s: no two users and keys are taken for one another, whatever they are made of', () => {
  const asked = { workflow: 'w', input: 1, request: { payload: undefined } };

  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(text, text), { selector: (pair) => JSON.stringify(pair), size: '+2' }),
      (pairs) => {
        const names = new Names();

        for (const [index, [user, theirs]] of pairs.entries())
          names.keep(`e${index}`, [keyName({ userId: user }, theirs, asked)]);

        for (const [index, [user, theirs]] of pairs.entries()) {
          assert.equal(names.find(keyName({ userId: user }, theirs, asked)), `e${index}`);
        }
      },
    ),
  );
});

test('a key that started an execution finds it as long as it is kept, and is free again after', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const { runtime, clock, start } = await given.runtime(t, { workflows: [served] });
  const asked = { input: { amount: 1 }, by: alice, idempotencyKey: key };
  const first = await start(asked);

  assert.equal(await start(asked), first, 'while it executes');
  runs.get(first.id)!.complete('done');
  await turns();
  clock.advance(runtime.options.retentionMs - 1);
  assert.equal(await start(asked), first, 'while its result is kept');
  clock.advance(1);
  const second = await start(asked);

  assert.notEqual(second, first);
  assert.equal(runs.size, 2);
  runs.get(second.id)!.complete('done');
});

test('a key with another input or workflow is refused, and whatever was started is left alone', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const other = workflow({ name: 'other', run: () => null });
  const { start } = await given.runtime(t, { workflows: [served, other] });
  const first = await start({ input: { a: 1, b: [2] }, by: alice, idempotencyKey: key });

  for (const input of [{ a: 1, b: [3] }, { a: 1 }, null, undefined]) {
    await assert.rejects(start({ input, by: alice, idempotencyKey: key }), reused);
  }
  await assert.rejects(start({ workflow: 'other', input: { a: 1, b: [2] }, by: alice, idempotencyKey: key }), reused);

  assert.deepEqual([first.status, runs.size], ['running', 1]);
  runs.get(first.id)!.complete('done');
});

test('users may choose the same key, and callers without identity count as one more user', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const { start } = await given.runtime(t, { workflows: [served] });

  const started = await Promise.all([alice, bob, nobody].map((by) => start({ by, idempotencyKey: key })));

  assert.equal(new Set(started).size, 3);
  for (const { id } of started) runs.get(id)!.complete('done');
});

test('without identity a key that could be met by chance is refused as such', async (t) => {
  const { workflow: served } = controlledWorkflow();
  const { runtime, start } = await given.runtime(t, { workflows: [served] });

  await assert.rejects(start({ by: nobody, idempotencyKey: 'x'.repeat(15) }), {
    code: 'request_invalid',
    message:
      'Without identity an idempotency key needs at least 16 random characters, got 15; or send the Guest-Token of an earlier reply.',
  });

  assert.equal(immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 1 })).executions.length, 0);
});

test('requests that come at the same time with one key start one execution', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const { start } = await given.runtime(t, { workflows: [served] });

  const started = await Promise.all(Array.from({ length: 20 }, () => start({ by: alice, idempotencyKey: key })));

  assert.equal(new Set(started).size, 1);
  assert.equal(runs.size, 1);
  runs.get(started[0]!.id)!.complete('done');
});

test('a start that is refused takes no key: the same request may be sent again', async (t) => {
  const { workflow: served, runs } = controlledWorkflow();
  const options = { maxConcurrency: 1, maxQueued: 0 };
  const { start } = await given.runtime(t, { workflows: [served], options });
  const hog = await start();
  const asked = { by: alice, idempotencyKey: key };

  await assert.rejects(start(asked), { code: 'queue_full' });
  runs.get(hog.id)!.complete('done');
  await turns();
  const execution = await start(asked);

  runs.get(execution.id)!.complete('done');
});

test('inputs are told apart by what was sent, also if the schema makes of it what JSON cannot say', async (t) => {
  const served = workflow({
    name: 'w',
    input: z.object({ amount: z.string() }).transform(({ amount }) => new Map([['amount', BigInt(amount)]])),
    run: (input) => [...input.values()].map(String),
  });
  const { call } = await given.server(t, { workflow: served });
  const asked = (amount: string) =>
    call('POST /v1/workflow', { headers: { 'idempotency-key': key }, body: { amount } });

  const [first, again, other] = [await asked('1'), await asked('1'), await asked('2')];

  assert.deepEqual([first.status, first.body], [200, { value: ['1'] }]);
  assert.deepEqual([again.status, again.headers.get('execution-id')], [200, first.headers.get('execution-id')]);
  assert.equal(other.status, 422);
});
