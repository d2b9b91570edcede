import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Adapter, AdapterName } from '../../../server/http/adapter.ts';
import { chooseAdapter } from '../../../server/http/choose-adapter.ts';

const named = (name: AdapterName): Adapter => ({
  name,
  create: () => {
    throw new Error('not created here');
  },
});
const both = { uws: async () => named('uws'), node: async () => named('node') };
const onlyNode = { ...both, uws: () => Promise.reject(new Error('no binding')) };

test('the fast adapter is taken where it loads, and the other where it does not, with the reason', async () => {
  assert.deepEqual({ ...(await chooseAdapter(undefined, 1, both)), adapter: undefined }, { adapter: undefined });
  const { adapter, fallback } = await chooseAdapter(undefined, 1, onlyNode);

  assert.equal((await chooseAdapter(undefined, 1, both)).adapter.name, 'uws');
  assert.deepEqual([adapter.name, fallback], ['node', 'no binding']);
});

test('an adapter that is asked for is taken, or its absence is an error', async () => {
  const { adapter, fallback } = await chooseAdapter('node', 1, both);

  assert.deepEqual([adapter.name, fallback], ['node', undefined]);
  await assert.rejects(chooseAdapter('uws', 1, onlyNode), /no binding/);
});
