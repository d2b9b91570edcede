/** Readers from whom nothing can be taken back: what they get of a step that was cut off and runs again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JournalEntry } from '../../../machines/facts.ts';
import { voidIn } from '../../../machines/void-facts.ts';
import { GivenOutput } from '../../../runtime/nat/given-output.ts';

type Line = readonly [type: 'emit' | 'restart' | 'end' | 'plain' | 'continue', value?: unknown];

/** Facts of step 3, and some of none. */
const factsOf = (lines: readonly Line[]): JournalEntry[] =>
  lines.map(([type, value], index) => {
    const common = { seq: index + 1, at: 0 };
    if (type === 'emit') return { ...common, type: 'output.emitted', call: 9, inStep: 3, value };
    if (type === 'plain') return { ...common, type: 'output.emitted', call: 9, value };
    if (type === 'restart') return { ...common, type: 'output.restarted', step: 3 };
    if (type === 'continue') return { ...common, type: 'execution.continued', input: null };
    return { ...common, type: 'step.completed', call: 3 };
  });

/** What a live reader gets, where `!` stands before what replaces all that was given of the step. */
const read = (...lines: Line[]): unknown[] => {
  const given = new GivenOutput();
  return factsOf(lines).flatMap((fact) => {
    const { values, isChanged } = given.hear(fact);
    return isChanged ? ['!', ...values] : values;
  });
};

const cases: readonly [what: string, lines: Line[], got: unknown[]][] = [
  [
    'the same in the same pieces',
    [['emit', 'a'], ['emit', 'b'], ['restart'], ['emit', 'a'], ['emit', 'b'], ['emit', 'c'], ['end']],
    ['a', 'b', 'c'],
  ],
  [
    'the same in other pieces',
    [['emit', 'abc'], ['restart'], ['emit', 'a'], ['emit', 'bcde'], ['emit', 'f'], ['end']],
    ['abc', 'de', 'f'],
  ],
  [
    'something else',
    [['emit', 'ab'], ['restart'], ['emit', 'a'], ['emit', 'x'], ['emit', 'y'], ['end']],
    ['ab', '!', 'a', 'x', 'y'],
  ],
  ['less', [['emit', 'ab'], ['restart'], ['emit', 'a'], ['end']], ['ab', '!', 'a']],
  ['nothing', [['emit', 'ab'], ['restart'], ['end']], ['ab', '!']],
  [
    'the same, cut off once more',
    [['emit', 'abc'], ['restart'], ['emit', 'ab'], ['restart'], ['emit', 'abcd'], ['end']],
    ['abc', 'd'],
  ],
  [
    'more, cut off once more',
    [['emit', 'ab'], ['restart'], ['emit', 'abc'], ['restart'], ['emit', 'abcd'], ['end']],
    ['ab', 'c', 'd'],
  ],
  [
    'the same values',
    [['emit', { n: 1 }], ['emit', 'a'], ['restart'], ['emit', { n: 1 }], ['emit', 'ab'], ['end']],
    [{ n: 1 }, 'a', 'b'],
  ],
  ['another value', [['emit', { n: 1 }], ['restart'], ['emit', { n: 2 }], ['end']], [{ n: 1 }, '!', { n: 2 }]],
  ['a text in the place of a value', [['emit', 1], ['restart'], ['emit', '1'], ['end']], [1, '!', '1']],
  [
    'the same beside what is of no step',
    [['emit', 'a'], ['plain', 'x'], ['restart'], ['emit', 'a'], ['plain', 'x'], ['end']],
    ['a', 'x', 'x'],
  ],
  ['the same after the function has begun anew', [['emit', 'a'], ['continue'], ['emit', 'a'], ['end']], ['a', 'a']],
];

for (const [what, lines, got] of cases) {
  test(`of a step that says ${what} when it runs again, a live reader gets what is new`, () => {
    assert.deepEqual(read(...lines), got);
  });
}

test('whatever the attempts of a step say, a live reader ends with what the last one has said, and a late one has only that', () => {
  const attempt = fc.array(fc.stringMatching(/^[ab]{0,3}$/), { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 1, maxLength: 4 }), (attempts) => {
      const lines = attempts.flatMap((texts, index): Line[] => [
        ...(index > 0 ? ([['restart']] as Line[]) : []),
        ...texts.map((text): Line => ['emit', text]),
      ]);
      const last = attempts.at(-1)!.join('');
      const facts = factsOf([...lines, ['end']]);
      const voids = voidIn(facts);

      const late = facts.filter((fact) => voids?.has(fact) !== true);
      const live = read(...lines, ['end']).reduce<string>((said, piece) => (piece === '!' ? '' : said + piece), '');

      assert.equal(live, last);
      assert.equal(late.map((fact) => ('value' in fact ? fact.value : '')).join(''), last);
    }),
  );
});

test('what an earlier life of the function has emitted is not void because a step of the same number begins anew', () => {
  const facts = factsOf([['emit', 'a'], ['end'], ['continue'], ['emit', 'b'], ['restart'], ['emit', 'c']]);

  assert.deepEqual([...voidIn(facts)!], [facts[3]]);
});
