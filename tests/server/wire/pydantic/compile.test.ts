import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { jsonSchemaOf } from '../../../../runtime/index.ts';
import type { ValidationEntry } from '../../../../server/http/mistakes.ts';
import { compileLax } from '../../../../server/wire/pydantic/compile.ts';

type Result = { value: unknown; entries: ValidationEntry[] };

const compiled = (jsonSchema: Readonly<Record<string, unknown>>) => {
  const read = compileLax(jsonSchema);
  return (value: unknown): Result => {
    const entries: ValidationEntry[] = [];
    return { value: read(value, entries), entries };
  };
};

const readerOf = (schema: z.ZodType) => compiled(jsonSchemaOf(schema));

/** Type and place of each entry. */
const mistakesOf = ({ entries }: Result): unknown[][] => entries.map(({ type, loc }) => [type, ...loc]);

test('mistakes are told in the order of the schema, each where it is', () => {
  const read = readerOf(z.object({ a: z.int(), list: z.array(z.object({ b: z.int() })), c: z.string() }));

  const body = { more: 1, list: ['x', {}, { b: 'y' }], a: 'z' };

  assert.deepEqual(mistakesOf(read(body)), [
    ['int_parsing', 'a'],
    ['model_attributes_type', 'list', 0],
    ['missing', 'list', 1, 'b'],
    ['int_parsing', 'list', 2, 'b'],
    ['missing', 'c'],
  ]);
});

test('a missing member is told with the object that lacks it', () => {
  const [entry] = readerOf(z.object({ inner: z.object({ a: z.int() }) }))({ inner: { b: 1 } }).entries;

  assert.deepEqual(entry, { type: 'missing', loc: ['inner', 'a'], msg: 'Field required', input: { b: 1 } });
});

test('an object with members of its own is a model to pydantic, one without a dictionary', () => {
  assert.deepEqual(mistakesOf(readerOf(z.object({}))([])), [['model_attributes_type']]);
  assert.deepEqual(mistakesOf(readerOf(z.record(z.string(), z.int()))([])), [['dict_type']]);
});

test('members that are not declared are kept, read by the schema for the rest, or refused', () => {
  const body = { a: '1', b: '2', c: '3' };

  assert.deepEqual(readerOf(z.object({ a: z.int() }))(body).value, { a: 1, b: '2', c: '3' });
  assert.deepEqual(readerOf(z.object({ a: z.int() }).catchall(z.int()))(body).value, { a: 1, b: 2, c: 3 });
  assert.deepEqual(readerOf(z.record(z.string(), z.int()))(body).value, { a: 1, b: 2, c: 3 });
  assert.deepEqual(mistakesOf(readerOf(z.strictObject({ a: z.int() }))(body)), [
    ['extra_forbidden', 'b'],
    ['extra_forbidden', 'c'],
  ]);
});

test('a list of a wrong length is refused as a whole, a short one only if its items are good', () => {
  const read = readerOf(z.array(z.int()).min(2).max(3));

  assert.deepEqual(read([1]).entries, [
    {
      type: 'too_short',
      loc: [],
      msg: 'List should have at least 2 items after validation, not 1',
      input: [1],
      ctx: { field_type: 'List', min_length: 2, actual_length: 1 },
    },
  ]);
  assert.deepEqual(mistakesOf(read(['x'])), [['int_parsing', 0]]);
  assert.deepEqual(mistakesOf(read(['x', 1, 2, 3])), [['too_long']]);
  assert.deepEqual(mistakesOf(read({ 0: 1, 1: 2, length: 2 })), [['list_type']]);
});

test('the first items of a tuple have schemas of their own', () => {
  const read = readerOf(z.tuple([z.string(), z.int()]).rest(z.boolean()));

  assert.deepEqual(read(['1', '1', 'yes', 0]), { value: ['1', 1, true, false], entries: [] });
  assert.deepEqual(mistakesOf(read(['1', 'x', 'y', 'z'])), [
    ['int_parsing', 1],
    ['bool_parsing', 3],
  ]);
});

test('choices that stand under a name are an Enum class to pydantic, those in place a Literal', () => {
  const choices = z.enum(['a', 'b']);
  const read = readerOf(z.object({ inPlace: choices, named: choices.meta({ id: 'Role' }) }));

  assert.deepEqual(mistakesOf(read({ inPlace: 'x', named: 'x' })), [
    ['literal_error', 'inPlace'],
    ['enum', 'named'],
  ]);
});

test('null is taken where it may be, and is no choice with a name', () => {
  const read = readerOf(z.object({ a: z.int().nullable(), b: z.string().nullable() }));

  assert.deepEqual(read({ a: null, b: null }).entries, []);
  assert.deepEqual(mistakesOf(read({ a: 'x', b: 1 })), [
    ['int_parsing', 'a'],
    ['string_type', 'b'],
  ]);
});

test('of several choices the one that fits without conversion is taken, in whatever place it stands', () => {
  const read = readerOf(z.union([z.int(), z.boolean(), z.string(), z.array(z.int())]));
  const taken = (value: unknown) => read(value).value;

  assert.deepEqual([taken(7), taken('7'), taken(true), taken(['7'])], [7, '7', true, [7]]);
  assert.equal(readerOf(z.union([z.int(), z.boolean()]))('1').value, 1);
});

test('what fits no choice is told what each of them has against it', () => {
  const Named = z.object({ a: z.int() }).meta({ id: 'Named' });
  const all = z.object({
    v: z.union([z.string(), z.array(z.string()), Named, z.number(), z.record(z.string(), z.int())]),
  });

  assert.deepEqual(mistakesOf(readerOf(all)({ v: [5] })), [
    ['string_type', 'v', 'str'],
    ['string_type', 'v', 'list[str]', 0],
    ['model_attributes_type', 'v', 'Named'],
    ['float_type', 'v', 'float'],
    ['dict_type', 'v', 'dict[str,int]'],
  ]);
});

const tagged = z.discriminatedUnion('type', [
  z.object({ type: z.literal('a'), n: z.int() }),
  z.object({ type: z.literal('b') }).meta({ id: 'B' }),
]);

test('objects told apart by a tag are read by their tag, which stands in the location', () => {
  const read = readerOf(tagged);

  assert.deepEqual(read({ type: 'a', n: '1' }).value, { type: 'a', n: 1 });
  assert.deepEqual(mistakesOf(read({ type: 'a', n: 'x' })), [['int_parsing', 'a', 'n']]);
  assert.deepEqual(mistakesOf(read({ type: 'b', n: 'x' })), []);
  assert.deepEqual(mistakesOf(read('a')), [['model_attributes_type']]);
  assert.deepEqual(read({}).entries, [
    {
      type: 'union_tag_not_found',
      loc: [],
      msg: "Unable to extract tag using discriminator 'type'",
      input: {},
      ctx: { discriminator: "'type'" },
    },
  ]);
});

for (const [tag, shown] of [
  ['c', 'c'],
  [null, 'None'],
  [5, '5'],
] as const) {
  test(`a tag ${JSON.stringify(tag)} that does not exist is refused with those that do`, () => {
    assert.deepEqual(readerOf(tagged)({ type: tag }).entries, [
      {
        type: 'union_tag_invalid',
        loc: [],
        msg: `Input tag '${shown}' found using 'type' does not match any of the expected tags: 'a', 'b'`,
        input: { type: tag },
        ctx: { discriminator: "'type'", tag: shown, expected_tags: "'a', 'b'" },
      },
    ]);
  });
}

test('a schema that refers to itself is read at every level', () => {
  const Tree = z.object({
    n: z.int(),
    get inner() {
      return Tree.optional();
    },
  });
  const read = readerOf(Tree);

  assert.deepEqual(read({ n: '1', inner: { n: '2', inner: { n: '3' } } }).value, {
    n: 1,
    inner: { n: 2, inner: { n: 3 } },
  });
  assert.deepEqual(mistakesOf(read({ n: 1, inner: { n: 1, inner: {} } })), [['missing', 'inner', 'inner', 'n']]);
});

test('words of JSON Schema that we do not know mean anything', () => {
  const unknown = [{}, { $ref: 'http://elsewhere.test/#' }, { $ref: '#/$defs/gone' }, { not: {} }, { type: 'list' }];

  for (const jsonSchema of unknown) {
    assert.deepEqual(compiled(jsonSchema)(5), { value: 5, entries: [] }, JSON.stringify(jsonSchema));
  }
  assert.deepEqual(compiled({ enum: [{ a: 1 }] })({ a: 1 }).entries, []);
  assert.deepEqual(compiled({ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'integer' } } })('7').value, 7);
});

test('the value that came is never changed, and is not even copied if nothing is converted', () => {
  const read = readerOf(z.object({ list: z.array(z.object({ n: z.int() })) }));
  const fitting = { list: [{ n: 1 }], more: {} };
  const converted = Object.freeze({ list: Object.freeze([Object.freeze({ n: '1', x: 1 })]) });

  assert.equal(read(fitting).value, fitting);
  assert.deepEqual(read(converted).value, { list: [{ n: 1, x: 1 }] });
});

test('members that an object only inherits are not its members', () => {
  const read = readerOf(z.object({ constructor: z.string(), cmd: z.string() }));

  const body = JSON.parse('{"__proto__":{"constructor":"x","cmd":"x"}}');

  assert.deepEqual(mistakesOf(read(body)), [
    ['missing', 'constructor'],
    ['missing', 'cmd'],
  ]);
});

test('a member called __proto__ stays a member, converted or not', () => {
  const properties = JSON.parse('{"__proto__":{"type":"integer"},"n":{"type":"integer"}}');
  const read = compiled({ type: 'object', properties });

  const { value } = read(JSON.parse('{"__proto__":"1","n":"2"}'));

  assert.equal(JSON.stringify(value), '{"__proto__":1,"n":2}');
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('a million mistakes are answered with the first hundred', () => {
  const words = Array.from({ length: 1_000 }, () => 'x');
  const lists = readerOf(z.array(z.array(z.int())));
  const dictionary = readerOf(z.record(z.string(), z.int()));

  assert.equal(lists(words.map(() => words)).entries.length, 100);
  assert.equal(dictionary({ ...words }).entries.length, 100);
});

test('a list of a million good items is read to its end', () => {
  const numbers = Array.from({ length: 1_000_000 }, (_, index) => index);

  const { value, entries } = readerOf(z.array(z.int()))([...numbers, '7']);

  assert.equal(entries.length, 0);
  assert.equal((value as unknown[]).at(-1), 7);
});
