import assert from 'node:assert/strict';
import test from 'node:test';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc from 'fast-check';
import { z } from 'zod';
import { jsonSchemaOf } from '../../../../runtime/index.ts';
import { type ValidationEntry, ValidationFailure, validationReply } from '../../../../server/http/mistakes.ts';
import { createReader, type Reading } from '../../../../server/wire/pydantic/reader.ts';

const given = {
  reader: (schema: StandardSchemaV1, jsonSchema = jsonSchemaOf(schema)) => {
    const read = createReader(schema, jsonSchema);
    return (body: unknown): Reading => {
      const reading = read(body);
      assert.ok(!(reading instanceof Promise), 'these schemas answer at once');
      return reading;
    };
  },

  /** A foreign Standard Schema: accepts everything, or refuses it with these issues. */
  foreignSchema: (issues?: StandardSchemaV1.Issue[], more: object = {}): StandardSchemaV1 => ({
    '~standard': { version: 1, vendor: 'test', validate: (value) => (issues ? { issues } : { value }), ...more },
  }),
};

test('the mistake that only the schema sees is told with the value that came, not the converted one', () => {
  const even = z.object({ n: z.int().refine((n) => n % 2 === 0, 'not even') });

  const { issues } = given.reader(even)({ n: '7' });

  assert.deepEqual(issues, [
    { type: 'value_error', loc: ['body', 'n'], msg: 'Value error, not even', input: '7', ctx: { error: {} } },
  ]);
});

test('a schema that validates later answers with a promise', async () => {
  const schema = z.object({ n: z.int().refine(async (n) => n > 1, 'too small') });
  const read = createReader(schema, jsonSchemaOf(schema));

  assert.deepEqual(await read({ n: '2' }), { value: { n: 2 } });
  assert.deepEqual((await read({ n: 1 })).issues?.[0]?.msg, 'Value error, too small');
  assert.ok(!(read({ n: 'x' }) instanceof Promise), 'what does not fit the JSON Schema needs no waiting');
});

test('without a JSON Schema only the schema itself speaks, and its paths may have any form', () => {
  const issues = [{ message: 'no' }, { message: 'bad', path: ['list', { key: 1 }, 'gone', 'deeper'] }];
  const read = given.reader(given.foreignSchema(issues), {});

  assert.deepEqual(read({ list: [0, { a: 1 }] }).issues, [
    { type: 'value_error', loc: ['body'], msg: 'Value error, no', input: { list: [0, { a: 1 }] }, ctx: { error: {} } },
    {
      type: 'value_error',
      loc: ['body', 'list', 1, 'gone', 'deeper'],
      msg: 'Value error, bad',
      input: null,
      ctx: { error: {} },
    },
  ]);
});

test('the JSON Schema is that of the input, from any source', () => {
  const schema = z.object({ n: z.int().default(1), at: z.date() });
  const olderZod: StandardSchemaV1 = Object.create(schema, {
    '~standard': { value: { ...schema['~standard'], jsonSchema: undefined } },
  });
  const jsonSchema = { input: () => ({ type: 'string' }) };
  const refusing = { input: () => assert.fail('has no words for it') };

  for (const known of [schema, olderZod]) {
    const { properties, required } = jsonSchemaOf(known);
    assert.deepEqual(Object.keys(properties as object), ['n', 'at']);
    assert.deepEqual(required, ['at']);
  }
  assert.deepEqual(jsonSchemaOf(given.foreignSchema([], { jsonSchema })), { type: 'string' });
  assert.deepEqual(jsonSchemaOf(given.foreignSchema([], { jsonSchema: refusing })), {});
  assert.deepEqual(jsonSchemaOf(given.foreignSchema()), {});
});

test('a failure carries its entries and says them in one line', () => {
  const entries: ValidationEntry[] = [{ type: 'missing', loc: ['body', 'cmd'], msg: 'Field required', input: {} }];

  const failure = new ValidationFailure(entries);

  assert.equal(failure.message, 'body.cmd: Field required');
  assert.deepEqual(validationReply(failure.entries), { detail: entries });
});

const Nested = z.object({ name: z.string(), weight: z.number().gt(0).lt(10).default(1) });

/** Schemas that say in JSON Schema all that they mean. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  text: z.object({ cmd: z.string() }),
  model: z.object({
    n: z.int().min(0).max(100).default(1),
    mode: z.enum(['plain', 'upper']).default('plain'),
    loud: z.boolean().nullish(),
    tags: z.array(z.string()).max(3).default([]),
    nested: Nested.nullable().default(null),
  }),
  mixed: z.object({
    n: z.union([z.int(), z.string(), z.array(Nested)]),
    tags: z.record(z.string(), z.union([z.number(), z.null()])).optional(),
    nested: z.discriminatedUnion('name', [
      z.object({ name: z.literal('a'), weight: z.number() }),
      z.object({ name: z.literal('b') }),
    ]),
  }),
  loose: z.looseObject({ loud: z.boolean().optional() }),
};

/** JSON that often nearly fits. */
const bodies = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('7', '1.5', 'yes', 'plain', 'a', 'b', null, true, 0, 5, 7.5, -1),
    fc.jsonValue({ maxDepth: 1 }),
    fc.dictionary(
      fc.constantFrom('cmd', 'n', 'mode', 'loud', 'tags', 'nested', 'name', 'weight', '__proto__', 'constructor'),
      tie('value'),
      { noNullPrototype: true },
    ),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value;

for (const [name, schema] of Object.entries(schemas)) {
  test(`whatever JSON comes for the schema ${name}, it is refused in words or becomes what the schema takes`, () => {
    const read = given.reader(schema);

    fc.assert(
      fc.property(bodies, (body) => {
        const before = JSON.stringify(body);

        const reading = read(body);

        assert.equal(JSON.stringify(body), before);
        if (!reading.issues) assert.ok(schema.safeParse(reading.value).success);
        else {
          assert.ok(reading.issues.length > 0);
          for (const { type, loc } of reading.issues) assert.ok(type !== 'value_error' && loc[0] === 'body', type);
        }
      }),
      { numRuns: 500 },
    );
  });
}
