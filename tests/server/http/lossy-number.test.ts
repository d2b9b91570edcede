/** Numbers that would be rounded on their way to a workflow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lossyNumberIn } from '../../../server/http/lossy-number.ts';
import { ValidationFailure } from '../../../server/http/mistakes.ts';
import { readJsonBody } from '../../../server/wire/json-body.ts';

const cases: readonly [string, readonly (string | number)[] | undefined][] = [
  ['9007199254740993', []],
  ['{"a":[1,{"b":9007199254740993}]}', ['a', 1, 'b']],
  ['{"a":1e400}', ['a']],
  ['{"a":-1e400}', ['a']],
  ['{"a":"9007199254740993 1e400","b":2}', undefined],
  ['{"9007199254740993":1}', undefined],
  ['[9007199254740991,-9007199254740991,1e3,0.1234567890123456789,1e-400]', undefined],
  ['[[],[1,2],[3,12345678901234567891]]', [2, 1]],
  ['{"\\"a":{"x":[]},"b":12345678901234567891}', ['b']],
  ['[9007199254740992,123456789012345680000]', undefined],
];

for (const [text, path] of cases) {
  test(`in ${text} ${path === undefined ? 'no number would be rounded' : `the one at ${JSON.stringify(path)} would be`}`, () => {
    assert.deepEqual(lossyNumberIn(text)?.path, path);
  });
}

test('a body whose numbers are as JavaScript writes them is never refused', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      assert.equal(lossyNumberIn(text), undefined);
    }),
  );
});

test('a body with such a number is refused with its place', () => {
  const body = Buffer.from('{"amount":[1,9007199254740993]}');

  assert.throws(
    () => readJsonBody('application/json', body),
    (thrown) => thrown instanceof ValidationFailure && /9007199254740993 would be rounded/.test(thrown.message),
  );
});

test('texts of many megabytes, such as images, are read over', () => {
  const image = '1e5/+Zm9v'.repeat(1_000_000);
  const escaped = '\\n1e5\\"'.repeat(1_000_000);

  assert.equal(lossyNumberIn(`{"image":"${image}","escaped":"${escaped}"}`), undefined);
  assert.deepEqual(lossyNumberIn(`{"image":"${image}","b":[9007199254740993]}`)?.path, ['b', 0]);
});
