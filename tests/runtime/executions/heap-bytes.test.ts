/** How many bytes a value takes in memory: an estimate that texts of any script do not escape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapBytesOf } from '../../../runtime/executions/record-bytes.ts';
import { heapUsed } from '../../support/heap.ts';

const COUNT = 40;

/** Texts as they arrive: parsed, each a text of its own. */
const parsed = (unit: string): unknown[] =>
  Array.from({ length: COUNT }, (_, index) => JSON.parse(JSON.stringify([`${index}${unit.repeat(100_000)}`])));

for (const [what, unit] of Object.entries({
  Latin: 'x',
  'Western European': 'é',
  Cyrillic: 'я',
  Chinese: '語',
  emoji: '💡',
})) {
  test(`a ${what} text counts as many bytes as it takes`, () => {
    const before = heapUsed();
    const values = parsed(unit);
    const taken = heapUsed() - before;

    const counted = values.reduce<number>((sum, value) => sum + heapBytesOf(value), 0);

    assert.ok(counted > taken * 0.9 && counted < taken * 1.2, `${counted} bytes are counted, and ${taken} are taken`);
  });
}

test('one wide character makes the whole text wide', () => {
  assert.ok(heapBytesOf(`${'x'.repeat(1_000)}я`) > 2_000);
  assert.ok(heapBytesOf({ [`${'x'.repeat(1_000)}я`]: 1 }) > 2_000);
});
