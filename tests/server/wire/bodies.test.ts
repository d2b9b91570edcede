import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { type ExecutionView, workflow } from '../../../runtime/index.ts';
import { createWire } from '../../../server/wire/bodies.ts';

const given = {
  /** What a client gets from a workflow that has declared this output, for a result. */
  result: (output: z.ZodType | undefined, result: unknown): unknown => {
    const served = workflow({ name: 'served', run: () => result, ...(output && { output }) });
    const execution = { context: { workflow: 'served', result } } as ExecutionView;
    return createWire('', [served]).result(execution);
  },
};

const record = z.object({ a: z.number() });

test('objects are sent as they are, everything else is wrapped', () => {
  assert.deepEqual(given.result(undefined, { a: 1 }), { a: 1 });
  assert.deepEqual(given.result(record, { a: 1 }), { a: 1 });
  assert.deepEqual(given.result(z.union([record, z.object({ b: z.number() })]), { a: 1 }), { a: 1 });
  assert.deepEqual(given.result(z.any(), { a: 1 }), { a: 1 });
  for (const result of [null, 'a', 0, false, [1]]) assert.deepEqual(given.result(undefined, result), { value: result });
});

test('a workflow whose results are objects or something else has all of them wrapped', () => {
  assert.deepEqual(given.result(z.union([z.string(), record]), { a: 1 }), { value: { a: 1 } });
  assert.deepEqual(given.result(z.union([z.string(), record]), 'a'), { value: 'a' });
  assert.deepEqual(given.result(record.nullable(), { a: 1 }), { value: { a: 1 } });
  assert.deepEqual(given.result(z.union([z.string(), record.meta({ id: 'WireTestRecord' })]), { a: 1 }), {
    value: { a: 1 },
  });
});
