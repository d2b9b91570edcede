/** What may be asked, and what counts as an answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Answer,
  binaryChoice,
  checkbox,
  dropdown,
  Failure,
  type Json,
  notification,
  type Pick,
  type PromptKind,
  type Question,
  type Response,
  radio,
  readAnswer,
  text,
} from '../../../runtime/index.ts';

const id = fc.constantFrom('yes', 'no', 'default', '', 'ä', '__proto__');
const json = fc.oneof(
  fc.constantFrom(true, 'yes', 1, null, { a: 1, b: [2] }),
  fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.parse(JSON.stringify(value))), // JSON has no -0
) as fc.Arbitrary<Json>;
const option = fc.record({ id, label: fc.string(), value: fc.constantFrom('yes', 'no', '') });
const options = fc.uniqueArray(option, { selector: (one) => one.id, maxLength: 4 });
const twoOptions = fc.uniqueArray(fc.record({ id, label: fc.string(), value: json }), {
  selector: (one) => one.id,
  minLength: 2,
  maxLength: 2,
});
const question: fc.Arbitrary<Question<Answer>> = fc.oneof(
  fc.boolean().map((required) => text({ text: '?', required })),
  fc.constant(notification({ text: '!' })),
  twoOptions.map((two) => binaryChoice({ text: '?', options: two })),
  ...[radio, dropdown, checkbox].map((make) => options.map((some) => make({ text: '?', options: some }))),
);

const offeredBy = ({ prompt }: Question<Answer>): readonly { readonly id: string; readonly value: Json }[] =>
  'options' in prompt ? prompt.options : [];

const reversed = (value: Json): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value;

const kind = fc.constantFrom<PromptKind>('text', 'notification', 'binary_choice', 'radio', 'checkbox', 'dropdown');
/** What clients send: mostly something that was offered, sometimes anything. */
const responseTo = (asked: Question<Answer>): fc.Arbitrary<Response> => {
  const known = offeredBy(asked).flatMap((one): Pick[] => [{ id: one.id }, { value: reversed(one.value) }]);
  const pick = fc.oneof(
    fc.constantFrom<Pick>({ id: 'other' }, ...known),
    json.map((value): Pick => ({ value })),
  );
  return fc.record(
    {
      kind: fc.oneof({ weight: 5, arbitrary: fc.constant(asked.prompt.input_type) }, kind),
      text: fc.constantFrom('', ' ', 'hello'),
      picks: fc.array(pick, { maxLength: 3 }),
    },
    { requiredKeys: ['kind'] },
  );
};
const exchange = question.chain((asked) => fc.tuple(fc.constant(asked), responseTo(asked)));

/** An object is the same whatever the order of its members. */
const isSame = (one: unknown, other: unknown): boolean => sorted(one) === sorted(other);
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? ['an object', ...Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))]
      : inner,
  ) ?? 'nothing';

test('a response is an answer of the kind that was asked for, made of what was offered, or it is refused', () => {
  let accepted = 0;

  fc.assert(
    fc.property(exchange, ([asked, given]) => {
      const { prompt } = asked;
      const offered = offeredBy(asked);
      const meant = (given.picks ?? []).map((pick) =>
        offered.find((one) => (pick.id === undefined ? isSame(one.value, pick.value) : one.id === pick.id)),
      );
      const isWhole = meant.every((one) => one !== undefined);
      const isFit = {
        text: prompt.input_type !== 'text' || !prompt.required || (given.text ?? '').trim() !== '',
        notification: true,
        binary_choice: meant.length === 1 && isWhole,
        radio: meant.length === 1 && isWhole,
        dropdown: meant.length === 1 && isWhole,
        checkbox: isWhole,
      }[prompt.input_type];

      if (given.kind !== prompt.input_type || !isFit) {
        assert.throws(() => readAnswer(prompt, given), isUnfit);
        return;
      }
      const answer = readAnswer(prompt, given);
      accepted += 1;
      assert.equal(answer.kind, prompt.input_type);
      if ('text' in answer) assert.equal(answer.text, given.text ?? '');
      if ('option' in answer) assert.deepEqual([answer.option, answer.value], [meant[0], meant[0]!.value]);
      if ('options' in answer) {
        assert.deepEqual(answer.options, [...new Set(meant)]);
        assert.deepEqual(
          answer.values,
          answer.options.map(({ value }) => value),
        );
      }
    }),
    { numRuns: 1_500 },
  );

  assert.ok(accepted > 300, `${accepted} were accepted`);
});

const isUnfit = (thrown: unknown): boolean => {
  assert.ok(thrown instanceof Failure);
  assert.equal(thrown.code, 'answer_invalid');
  assert.notEqual(thrown.message, '');
  return true;
};

test('a prompt and its answer are plain JSON: they mean the same after they were stored', () => {
  fc.assert(
    fc.property(exchange, ([{ prompt }, given]) => {
      const stored = JSON.parse(JSON.stringify(prompt));

      const read = (asked: typeof prompt) => {
        try {
          return JSON.stringify(readAnswer(asked, given));
        } catch (thrown) {
          return Failure.from(thrown).message;
        }
      };

      assert.deepEqual(stored, prompt);
      assert.equal(read(stored), read(prompt));
    }),
  );
});

const two = [
  { id: 'yes', label: 'Yes', value: true },
  { id: 'no', label: 'No', value: false },
] as const;
const some = two.map(({ id, label }) => ({ id, label, value: id }));
const timeoutS = 60;

const mistakes: readonly (readonly [what: string, make: () => unknown, message: RegExp])[] = [
  ['without a text', () => text({} as never), /needs a text, got undefined/],
  ['with no time', () => text({ text: '?', timeoutS: 0 }), /timeoutS must be .*, got 0/],
  ['with less than no time', () => text({ text: '?', timeoutS: -1 }), /timeoutS must be .*, got -1/],
  ['with half a second', () => radio({ text: '?', options: some, timeoutS: 0.5 }), /timeoutS must be .*, got 0.5/],
  ['with a time that is none', () => text({ text: '?', timeoutS: Number.NaN }), /timeoutS must be .*, got NaN/],
  ['for ever and a day', () => text({ text: '?', timeoutS: 1e13 }), /timeoutS must be .*, got 10000000000000/],
  ['with one option of two', () => binaryChoice({ text: '?', options: two.slice(1) }), /exactly two options/],
  ['with three options of two', () => binaryChoice({ text: '?', options: [...two, two[0]] }), /exactly two options/],
  ['without options', () => binaryChoice({ text: '?' } as never), /exactly two options/],
  ['without a list', () => checkbox({ text: '?' } as never), /checkbox prompt needs a list of options/],
  ['with an id twice', () => dropdown({ text: '?', options: [...some, ...some] }), /a unique id, got "yes"/],
  ['with an id that is no text', () => radio({ text: '?', options: [{ ...some[0]!, id: 1 as never }] }), /got 1/],
  ['with a default that never comes', () => text({ text: '?', default: 'x' }), /A default needs timeoutS/],
  ['with an empty default', () => text({ text: '?', timeoutS, default: '' }), /does not fit its own prompt: An answer/],
  ['with another default', () => radio({ text: '?', options: some, timeoutS, default: 'x' }), /offered were: yes, no/],
  [
    'with one default too many',
    () => checkbox({ text: '?', options: some, timeoutS, default: ['yes', 'x'] }),
    /The option x was not offered/,
  ],
];

for (const [what, make, message] of mistakes) {
  test(`a prompt ${what} is the author’s mistake, and told where it is made`, () => {
    assert.throws(make, { code: 'prompt_invalid', message });
  });
}

test('a default is an answer like any other', () => {
  const asked = [
    text({ text: '?', timeoutS, required: false, default: '' }),
    binaryChoice({ text: '?', options: two, timeoutS, default: 'no' }),
    checkbox({ text: '?', options: some, timeoutS, default: [] }),
    checkbox({ text: '?', options: some, timeoutS, default: ['no', 'yes'] }),
  ];

  const fallbacks = asked.map(({ fallback }) => fallback && ('values' in fallback ? fallback.values : fallback));

  assert.deepEqual(fallbacks, [
    { kind: 'text', text: '' },
    { kind: 'binary_choice', option: two[1], value: false },
    [],
    ['no', 'yes'],
  ]);
});

test('what an author changes in a list of options afterwards changes no prompt', () => {
  const own = some.map((one) => ({ ...one, value: String(one.value) }));
  const { prompt } = radio({ text: '?', options: own });

  own[0]!.value = 'changed';
  own.pop();

  assert.deepEqual('options' in prompt && prompt.options.map(({ value }) => value), ['yes', 'no']);
});
