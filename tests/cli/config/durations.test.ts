import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../cli/config/durations.ts';

const durations: [given: string | number, ms: number][] = [
  [0, 0],
  [1800, 1_800_000],
  ['1800', 1_800_000],
  [0.25, 250],
  ['0.0004', 0],
  ['PT30M', 1_800_000],
  ['pt30m', 1_800_000],
  ['PT1H30M', 5_400_000],
  ['PT0.5S', 500],
  ['P7D', 604_800_000],
  ['P2W', 1_209_600_000],
  ['P1DT1S', 86_401_000],
  ['00:30:00', 1_800_000],
  ['36:00:01.5', 129_601_500],
  ['P36500D', 3_153_600_000_000],
];

for (const [given, ms] of durations) {
  test(`the duration ${given} has ${ms} ms`, () => {
    assert.equal(parseDuration(given), ms);
  });
}

const others = [
  '',
  ' ',
  'P',
  'PT',
  'P1DT',
  'P1Y',
  'P1M',
  '1h',
  '-1',
  '-PT1S',
  'PT-1S',
  '00:60:00',
  '1:00',
  '1e3',
  'PT1S ',
];

for (const given of [...others, -1, Number.NaN, Number.POSITIVE_INFINITY, 'P36501D', '9'.repeat(400)]) {
  test(`${JSON.stringify(given)} is not a duration`, () => {
    assert.equal(parseDuration(given), undefined);
  });
}

test('a duration that is written down is read as the same', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

test('a duration is written as short as it gets', () => {
  assert.deepEqual([0, 5_000, 600_000, 604_800_000, 90_061_500].map(formatDuration), [
    'PT0S',
    'PT5S',
    'PT10M',
    'P7D',
    'P1DT1H1M1.5S',
  ]);
});
