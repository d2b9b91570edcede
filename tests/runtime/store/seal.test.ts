/** What is kept sealed: for any text and any key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Seal } from '../../../runtime/store/seal.ts';

const mine = new Seal('a key of 32 random bytes, say');
const text = fc.string({ unit: 'grapheme', maxLength: 200 });

test('a seal opens what it has closed, which shows nothing of the text and never looks the same', () => {
  fc.assert(
    fc.property(text, (given) => {
      const [first, second] = [mine.close(given), mine.close(given)];

      assert.equal(mine.open(first), given);
      assert.notEqual(first, second);
      if (given.length > 8) assert.ok(!Buffer.from(first, 'base64').includes(given));
    }),
  );
});

test('a seal refuses what was changed, wherever that is, or cut', () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
      const bytes = Buffer.from(mine.close(given), 'base64');
      const cut = bytes.subarray(0, at % bytes.length).toString('base64');
      bytes[at % bytes.length]! ^= change;

      assert.equal(mine.open(bytes.toString('base64')), undefined);
      assert.equal(mine.open(cut), undefined);
    }),
  );
});

test('a seal refuses what was closed under another key, and what is no sealed text', () => {
  const others = fc.string({ minLength: 1 }).map((secret) => new Seal(secret));
  fc.assert(
    fc.property(text, others, (given, other) => assert.equal(mine.open(other.close(given)), undefined)),
    { numRuns: 10 }, // a key is made slowly
  );
  fc.assert(fc.property(text, (given) => assert.equal(mine.open(given), undefined)));
});
