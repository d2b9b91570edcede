import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { sampleOf } from '../../cli/sample.ts';
import { jsonSchemaOf } from '../../runtime/index.ts';

type Tree = { name: string; children: Tree[] };
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));

const samples: [schema: z.ZodType, sample: unknown][] = [
  [z.object({ amount: z.number().positive(), note: z.string().optional() }), { amount: 1 }],
  [z.object({ amount: z.number().gt(0).lt(0.5) }), { amount: 0.25 }],
  [z.int().min(7), 7],
  [z.number().multipleOf(5).gt(5), 10],
  [z.number().max(-2), -2],
  [z.string(), 'text'],
  [z.string().min(6), 'text..'],
  [z.string().max(2), 'te'],
  [z.email(), 'user@example.com'],
  [z.array(z.boolean()).min(2), [true, true]],
  [z.array(z.string()), []],
  [z.tuple([z.string(), z.null()]), ['text', null]],
  [z.enum(['low', 'high']), 'low'],
  [z.literal(7), 7],
  [z.string().nullable(), 'text'],
  [z.union([z.object({ id: z.uuid() }), z.string()]), { id: '3f0e2a52-3c1d-4a3e-9d3b-6a1b8f1f2c11' }],
  [z.intersection(z.object({ a: z.int() }), z.object({ b: z.boolean() })), { a: 1, b: true }],
  [
    z.discriminatedUnion('do', [z.object({ do: z.literal('ask') }), z.object({ do: z.literal('tell') })]),
    { do: 'ask' },
  ],
  [z.object({ size: z.int().meta({ examples: [38] }), colour: z.string().default('red') }), { size: 38 }],
  [tree, { name: 'text', children: [] }],
  [z.unknown(), {}],
];

for (const [schema, sample] of samples) {
  test(`the sample ${JSON.stringify(sample)} is made of a schema that it fits`, () => {
    assert.deepEqual(sampleOf(jsonSchemaOf(schema)), sample);
    assert.ok(schema.safeParse(sample).success);
  });
}

/** Schemas of JSON that have a smallest value, inside each other. */
const schemas = fc.letrec<{ any: z.ZodType }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(z.string(), z.boolean(), z.null(), z.int(), z.iso.datetime(), z.url()),
    fc.tuple(fc.integer({ min: -99, max: 99 }), fc.nat({ max: 9 })).map(([least, more]) =>
      z
        .int()
        .min(least)
        .max(least + more),
    ),
    fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(([least, more]) =>
      z
        .string()
        .min(least)
        .max(least + more),
    ),
    fc.uniqueArray(fc.string(), { minLength: 1 }).map((values) => z.enum(values as [string])),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((choices) => z.union(choices as [z.ZodType])),
    fc.tuple(tie('any'), fc.nat({ max: 2 })).map(([item, least]) => z.array(item).min(least)),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('any')).map((members) => z.object(members)),
    tie('any').map((inner) => z.object({ maybe: inner.optional(), perhaps: inner.nullable() })),
  ),
}));

test('whatever the schema, its sample fits', () => {
  fc.assert(
    fc.property(schemas.any, (schema) => {
      const sample = sampleOf(jsonSchemaOf(schema));

      assert.ok(schema.safeParse(sample).success, JSON.stringify(sample));
    }),
  );
});

test('a schema that only refers to itself has no sample, and that is found out', () => {
  const endless = {
    $ref: '#/$defs/a',
    $defs: { a: { type: 'object', required: ['a'], properties: { a: { $ref: '#' } } } },
  };

  assert.match(JSON.stringify(sampleOf(endless)), /^(\{"a":)+null\}+$/);
  assert.deepEqual(sampleOf({ $ref: '#' }), {});
  assert.deepEqual(sampleOf({ $ref: 'https://example.com/elsewhere' }), {});
});
