/** What is converted and what is refused. Each line was compared with pydantic 2.13 itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { jsonSchemaOf } from '../../../../runtime/index.ts';
import type { ValidationEntry } from '../../../../server/http/mistakes.ts';
import { compileLax } from '../../../../server/wire/pydantic/compile.ts';

const readerOf = (schema: z.ZodType) => {
  const read = compileLax(jsonSchemaOf(schema));
  return (value: unknown): { value: unknown; entries: ValidationEntry[] } => {
    const entries: ValidationEntry[] = [];
    return { value: read(value, entries), entries };
  };
};

/** `from -> to | from -> to`, each as JSON; of what is refused, the type of the entry. */
const rowsOf = (text: string): [string, string][] =>
  text.split('|').map((row) => row.split('->').map((part) => part.trim()) as [string, string]);

const conversions: Readonly<Record<string, { schema: z.ZodType; takes: string; refuses: string }>> = {
  'an integer': {
    schema: z.int(),
    takes: `7 -> 7 | 3.0 -> 3 | "7" -> 7 | " +7 " -> 7 | "-7" -> -7 | "7.00" -> 7 | "1_000" -> 1000 | "007" -> 7 |
      true -> 1 | false -> 0`,
    refuses: `1.5 -> int_from_float | "7.5" -> int_parsing | "" -> int_parsing | "1e3" -> int_parsing |
      "0x10" -> int_parsing | "1__0" -> int_parsing | "99999999999999999999999" -> int_parsing_size |
      1e30 -> int_parsing_size | 1e400 -> finite_number | null -> int_type | [] -> int_type`,
  },
  'a number': {
    schema: z.number(),
    takes: `1.5 -> 1.5 | "2" -> 2 | " 2.5 " -> 2.5 | "1e3" -> 1000 | ".5" -> 0.5 | "5." -> 5 | "1_000.5" -> 1000.5 |
      "+2" -> 2 | true -> 1`,
    refuses: `"heavy" -> float_parsing | "" -> float_parsing | "1_" -> float_parsing | "0x10" -> float_parsing |
      "1e400" -> finite_number | 1e400 -> finite_number | null -> float_type | {} -> float_type`,
  },
  'a boolean': {
    schema: z.boolean(),
    takes: `true -> true | 1 -> true | 0 -> false | "yes" -> true | "ON" -> true | "T" -> true | "y" -> true |
      "1" -> true | "True" -> true | "off" -> false | "n" -> false | "NO" -> false | "f" -> false | "0" -> false |
      "false" -> false`,
    refuses: `"maybe" -> bool_parsing | " yes" -> bool_parsing | "" -> bool_parsing | 2 -> bool_parsing |
      0.5 -> bool_type | null -> bool_type | [] -> bool_type`,
  },
  'a text': {
    schema: z.string(),
    takes: `"" -> "" | "7" -> "7"`,
    refuses: `7 -> string_type | true -> string_type | null -> string_type | ["a"] -> string_type`,
  },
  null: {
    schema: z.null(),
    takes: `null -> null`,
    refuses: `0 -> none_required | "" -> none_required`,
  },
  'some choices': {
    schema: z.literal(['a', 1, null]),
    takes: `"a" -> "a" | 1 -> 1 | null -> null`,
    refuses: `"b" -> literal_error | "1" -> literal_error | "A" -> literal_error | ["a"] -> literal_error`,
  },
};

for (const [of, { schema, takes, refuses }] of Object.entries(conversions)) {
  test(`for ${of} a value is converted or refused as pydantic does`, () => {
    const read = readerOf(schema);

    for (const [from, to] of rowsOf(takes)) {
      assert.deepEqual(read(JSON.parse(from)), { value: JSON.parse(to), entries: [] }, from);
    }
    for (const [from, type] of rowsOf(refuses)) {
      const { entries } = read(JSON.parse(from));
      assert.deepEqual([entries.length, entries[0]?.type, entries[0]?.input], [1, type, JSON.parse(from)], from);
    }
  });
}

const limits: readonly [z.ZodType, unknown, Partial<ValidationEntry>][] = [
  [
    z.string().min(2),
    'a',
    { type: 'string_too_short', msg: 'String should have at least 2 characters', ctx: { min_length: 2 } },
  ],
  [
    z.string().max(1),
    'ab',
    { type: 'string_too_long', msg: 'String should have at most 1 character', ctx: { max_length: 1 } },
  ],
  [
    z.number().min(1),
    '0',
    { type: 'greater_than_equal', msg: 'Input should be greater than or equal to 1', ctx: { ge: 1 } },
  ],
  [z.number().max(3), 4, { type: 'less_than_equal', msg: 'Input should be less than or equal to 3', ctx: { le: 3 } }],
  [z.number().gt(0.5), 0.5, { type: 'greater_than', msg: 'Input should be greater than 0.5', ctx: { gt: 0.5 } }],
  [z.number().lt(3), '3', { type: 'less_than', msg: 'Input should be less than 3', ctx: { lt: 3 } }],
  [z.literal("it's"), 'x', { type: 'literal_error', msg: 'Input should be "it\'s"', ctx: { expected: '"it\'s"' } }],
  [
    z.literal(['a', 1, null, true]),
    'x',
    { type: 'literal_error', msg: "Input should be 'a', 1, None or True", ctx: { expected: "'a', 1, None or True" } },
  ],
];

for (const [schema, value, entry] of limits) {
  test(`${JSON.stringify(value)} is refused with "${entry.msg}"`, () => {
    assert.deepEqual(readerOf(schema)(value).entries, [{ loc: [], input: value, ...entry }]);
  });
}

test('a limit itself is within the limits', () => {
  const limited = z.object({
    text: z.string().min(2).max(2),
    number: z.number().min(1).max(1),
    open: z.number().gt(0).lt(2),
  });

  assert.deepEqual(readerOf(limited)({ text: 'ab', number: 1, open: 1 }).entries, []);
});

test('characters are counted, not UTF-16 units', () => {
  const read = readerOf(z.string().min(2).max(3));
  const typeOf = (text: string) => read(text).entries[0]?.type;

  assert.equal(typeOf('😀'), 'string_too_short');
  assert.equal(typeOf('😀😀'), undefined);
  assert.equal(typeOf('😀😀😀'), undefined);
  assert.equal(typeOf('😀😀😀😀'), 'string_too_long');
});
