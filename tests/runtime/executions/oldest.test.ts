import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Oldest } from '../../../runtime/executions/oldest.ts';

test('the first of any items are those that sorting all of them gives', () => {
  const items = fc.array(fc.nat({ max: 500 }), { maxLength: 2_000 });
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 200 }), (times, limit) => {
      const oldest = new Oldest<{ at: number; index: number }>(limit, ({ at }) => at);
      const all = times.map((at, index) => ({ at, index }));
      for (const item of all) oldest.add(item);

      assert.deepEqual(oldest.first(), all.toSorted((a, b) => a.at - b.at).slice(0, limit));
    }),
    { numRuns: 200 },
  );
});

test('of many items that come in order, only the first ones are looked at again', () => {
  let asked = 0;
  const oldest = new Oldest<number>(200, (at) => {
    asked += 1;
    return at;
  });

  for (let at = 0; at < 200_000; at += 1) oldest.add(at);

  assert.equal(oldest.first().at(-1), 199);
  assert.ok(asked < 300_000, `${asked} times`);
});
