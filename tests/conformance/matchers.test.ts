import assert from 'node:assert/strict';
import test from 'node:test';
import { type Expectation, matchExpectation, type Seen } from './expectations.ts';
import { fill, match, matches, type Names } from './matchers.ts';

const id = 'V1StGXR8_Z5jdHi6B-myT';

type Case = { takes: readonly unknown[]; refuses: readonly unknown[] };

const cases: readonly (Case & { expected: unknown })[] = [
  { expected: 'text', takes: ['text'], refuses: ['Text', 5, null, undefined] },
  { expected: null, takes: [null], refuses: [undefined, 0, ''] },
  { expected: 0, takes: [0], refuses: [1, '0', false] },
  { expected: [1, 'b'], takes: [[1, 'b']], refuses: [[1], [1, 'b', 2], ['b', 1], { 0: 1, 1: 'b' }, undefined] },
  { expected: { a: 1 }, takes: [{ a: 1 }], refuses: [{}, { a: 2 }, { a: 1, b: 2 }, { a: 1, b: null }, [], null] },
  { expected: { $any: true }, takes: [null, 0, '', []], refuses: [undefined] },
  { expected: { $string: true }, takes: ['', 'a'], refuses: [1, null, ['a']] },
  { expected: { $number: true }, takes: [0, -1.5], refuses: ['0', null] },
  { expected: { $number: { min: 0, max: 9 } }, takes: [0, 9], refuses: [-1, 10, '5'] },
  {
    expected: { $uuid: true },
    takes: [id, crypto.randomUUID()],
    refuses: ['short', `${id}!`, `${id}\n`, 'x'.repeat(65), 5],
  },
  {
    expected: { $timestamp: true },
    takes: ['2026-01-02T03:04:05Z', '2026-01-02 03:04:05.123456', '2026-01-02T03:04:05+00:00'],
    refuses: ['2026-01-02', 'now', 1767323045],
  },
  {
    expected: { $unixTime: true },
    takes: [Math.floor(Date.now() / 1000)],
    refuses: [Date.now(), Date.now() / 1000 + 0.5, 1, String(Math.floor(Date.now() / 1000))],
  },
  { expected: { $regex: '^a+$' }, takes: ['a', 'aaa'], refuses: ['b', '', 5] },
  { expected: { $json: { a: 1 } }, takes: ['{"a":1}', '{ "a": 1 }'], refuses: ['{"a":2}', 'a', { a: 1 }] },
  { expected: { $has: { a: 1 } }, takes: [{ a: 1 }, { a: 1, b: 2 }], refuses: [{ b: 2 }, { a: 2 }, 'a', null] },
  { expected: { $oneOf: ['a', 1] }, takes: ['a', 1], refuses: ['b', 2, null] },
  { expected: { $not: 'a' }, takes: ['b', null], refuses: ['a'] },
  {
    expected: { $url: { base: 'http://x.test/a', query: { b: '1', c: { $string: true } } } },
    takes: ['http://x.test/a?b=1&c=2', 'http://x.test/a?c=2&b=1'],
    refuses: ['http://x.test/a?b=1', 'http://x.test/?b=1&c=2', 'http://x.test/a?b=1&c=2&d=3', 'a?b=1', null],
  },
  { expected: '{{:any}}!', takes: ['!', 'hello!', 'two\nlines!'], refuses: ['hello', 5] },
  { expected: 'id {{:uuid}}.', takes: [`id ${id}.`], refuses: ['id short.', `id ${id}`] },
  { expected: '({{:number}})', takes: ['(1.5)', '(-3)'], refuses: ['(a)', '()'] },
];

for (const { expected, takes, refuses } of cases) {
  test(`an expectation of ${JSON.stringify(expected)} takes what fits and refuses what does not`, () => {
    for (const actual of takes) assert.ok(matches(expected, actual, {}), `refused ${JSON.stringify(actual)}`);
    for (const actual of refuses) assert.ok(!matches(expected, actual, {}), `took ${JSON.stringify(actual)}`);
  });
}

test('a name that is bound must have the same value wherever it comes again', () => {
  const expected = { a: { $uuid: 'E' }, b: { $string: true, $as: 'S' }, c: '{{E}}/{{S}}', d: 'of {{E:uuid}}' };

  const good = match(expected, { a: id, b: 's', c: `${id}/s`, d: `of ${id}` }, { run: 'r' });
  const other = { a: id, b: 's', c: `${id}/t`, d: `of ${id.toLowerCase()}` };

  assert.deepEqual(good, { differences: [], names: { run: 'r', E: id, S: 's' } });
  assert.deepEqual(
    match(expected, other, {}).differences.map(({ at }) => at),
    ['.c', '.d'],
  );
});

test('a choice that does not fit leaves no names behind', () => {
  const expected = {
    $oneOf: [
      { a: { $string: true, $as: 'N' }, b: 1 },
      { a: 'x', b: { $number: true, $as: 'M' } },
    ],
  };

  const { names } = match(expected, { a: 'x', b: 2 }, {});

  assert.deepEqual(names, { M: 2 });
});

test('a difference says where it is, what was expected and what came', () => {
  const { differences } = match({ list: [{ a: 1 }, { a: 'x-{{run}}' }] }, { list: [{ a: 1 }, { a: 2 }] }, { run: 'r' });

  assert.deepEqual(differences, [{ at: '.list[1].a', expected: 'x-r', actual: 2 }]);
});

test('an unknown matcher is an error of the scenario, not a difference', () => {
  assert.throws(() => match({ $tpyo: 1 }, 1, {}), /no matcher is called \$tpyo/);
});

test('names are filled into every text of a value', () => {
  const filled = fill({ path: '/{{E}}', list: ['{{E}}{{E}}', 1, null], other: '{{unknown}}' }, { E: 'e' });

  assert.deepEqual(filled, { path: '/e', list: ['ee', 1, null], other: '{{unknown}}' });
});

const fits = (expected: Expectation, seen: Seen, names: Names = {}): boolean =>
  matchExpectation(expected, seen, names).differences.length === 0;

test('of a reply only what the expectation mentions is compared', () => {
  const seen: Seen = { status: 200, headers: { 'x-a': ['1'] }, json: { a: 1 }, text: '{"a":1}', empty: false };

  assert.ok(fits({}, seen));
  assert.ok(fits({ status: 200, json: { a: 1 } }, seen));
  assert.ok(!fits({ status: 201 }, seen));
  assert.ok(!fits({ empty: true }, seen));
});

test('equal header lines count once, and null means that there is none', () => {
  const seen: Seen = { headers: { twice: ['a', 'a'], both: ['a', 'b'] } };

  assert.ok(fits({ headers: { twice: 'a', both: 'a, b', none: null } }, seen));
  assert.ok(!fits({ headers: { twice: null } }, seen));
  assert.ok(!fits({ headers: { none: 'a' } }, seen));
});

test('a body that is no JSON is shown as text where JSON was expected', () => {
  const { differences } = matchExpectation({ json: { a: 1 } }, { text: 'Internal Server Error' }, {});

  assert.deepEqual(differences, [{ at: 'json', expected: { a: 1 }, actual: 'Internal Server Error' }]);
});

test('frames are compared in order, or by kind only among themselves', () => {
  const frames = [{ data: 1 }, { intermediate_data: 'a' }, { data: 2 }];
  const mixed = [{ intermediate_data: 'a' }, { data: 1 }, { data: 2 }];
  const swapped = [{ data: 2 }, { intermediate_data: 'a' }, { data: 1 }];

  assert.ok(fits({ frames }, { frames }));
  assert.ok(!fits({ frames }, { frames: mixed }));
  assert.ok(fits({ frames, order: 'by-kind' }, { frames: mixed }));
  assert.ok(!fits({ frames, order: 'by-kind' }, { frames: swapped }));
  assert.ok(!fits({ frames, order: 'by-kind' }, { frames: mixed.slice(1) }));
});

test('messages of an ignored kind may come or not', () => {
  const messages = [{ type: 'a', n: 1 }];
  const expected: Expectation = { messages, ignore: ['noise'] };

  assert.ok(fits(expected, { messages }));
  assert.ok(fits(expected, { messages: [{ type: 'noise' }, ...messages] }));
  assert.ok(!fits(expected, { messages: [{ type: 'b' }, ...messages] }));
});
