/**
 * A small value that fits a JSON Schema, to show how a workflow is called. It is a guess: it ignores patterns, and all
 * checks beyond the JSON Schema.
 */
import type { JsonSchema } from '../runtime/index.ts';

/** Limit for nesting: a deeper schema refers to itself. */
const MAX_DEPTH = 32;

/**
 * Uses an example of the author if there is one. Leaves out optional members. Uses the first of several alternatives.
 */
export const sampleOf = (root: JsonSchema): unknown => {
  const sample = (given: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) return null;
    const schema = flat(given, root);
    const [known, ...more] = knownValues(schema);
    if (known !== undefined || more.length > 0) return known;
    switch (typeOf(schema)) {
      case 'array':
        return itemsOf(schema).map((item) => sample(item, depth + 1));
      case 'boolean':
        return true;
      case 'integer':
      case 'number':
        return numberOf(schema);
      case 'null':
        return null;
      case 'string':
        return stringOf(schema);
      default: {
        const { properties = {}, required } = schema as { properties?: JsonSchema; required?: unknown };
        return Object.fromEntries(listOf(required).map((name) => [name, sample(properties[String(name)], depth + 1)]));
      }
    }
  };
  return sample(root, 0);
};

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** One schema instead of a reference, `allOf` or alternatives. */
const flat = (given: unknown, root: JsonSchema): JsonSchema => {
  let schema = isSchema(given) ? given : {};
  for (let hop = 0; hop < MAX_DEPTH; hop += 1) {
    const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
    const [alternative] = [...listOf(anyOf), ...listOf(oneOf)];
    const parts = [pointedAt(root, $ref), ...listOf(allOf), alternative].filter(isSchema);
    if (parts.length === 0) return rest;
    schema = parts.reduce(merged, rest);
  }
  return {};
};

const pointedAt = (root: JsonSchema, $ref: unknown): unknown => {
  if (typeof $ref !== 'string' || !$ref.startsWith('#')) return undefined;
  const steps = $ref.slice(1).split('/').slice(1);
  return steps.reduce<unknown>((found, step) => (isSchema(found) ? found[decodeURIComponent(step)] : undefined), root);
};

const merged = (one: JsonSchema, other: JsonSchema): JsonSchema => {
  const both = { ...one, ...other };
  if (isSchema(one.properties) && isSchema(other.properties)) {
    Object.assign(both, { properties: { ...one.properties, ...other.properties } });
  }
  return { ...both, required: [...listOf(one.required), ...listOf(other.required)] };
};

/** Values that the schema contains. */
const knownValues = (schema: JsonSchema): readonly unknown[] => [
  ...listOf(schema.examples),
  ...('const' in schema ? [schema.const] : []),
  ...('default' in schema ? [schema.default] : []),
  ...listOf(schema.enum),
];

const typeOf = ({ type }: JsonSchema): unknown => [type].flat()[0];

const itemsOf = ({ prefixItems, items, minItems }: JsonSchema): readonly unknown[] => {
  const first = listOf(prefixItems);
  const missing = Math.max(0, (typeof minItems === 'number' ? minItems : 0) - first.length);
  return [...first, ...Array.from({ length: missing }, () => items)];
};

type Bounds = Partial<
  Record<'minimum' | 'exclusiveMinimum' | 'maximum' | 'exclusiveMaximum' | 'multipleOf' | 'type', number>
>;

/** 1 if allowed, else a bound or the nearest value. */
const numberOf = (schema: JsonSchema): number => {
  const { minimum = -Infinity, exclusiveMinimum = -Infinity, multipleOf = 1 } = schema as Bounds;
  const { maximum = Infinity, exclusiveMaximum = Infinity } = schema as Bounds;
  const [least, most] = [Math.max(minimum, exclusiveMinimum), Math.min(maximum, exclusiveMaximum)];
  const isWhole = typeOf(schema) === 'integer' || 'multipleOf' in schema;
  const candidates = [
    1,
    0,
    multipleOf,
    Math.ceil(least / multipleOf) * multipleOf,
    (Math.floor(least / multipleOf) + 1) * multipleOf,
    Math.floor(most / multipleOf) * multipleOf,
    (Math.ceil(most / multipleOf) - 1) * multipleOf,
    ...(isWhole ? [] : [(least + most) / 2, least, most]),
  ];
  const fits = (value: number): boolean =>
    value >= minimum &&
    value > exclusiveMinimum &&
    value <= maximum &&
    value < exclusiveMaximum &&
    (!isWhole || Number.isInteger(value / multipleOf));
  return candidates.find((value) => Number.isFinite(value) && fits(value)) ?? 1;
};

/** RFC 2606 reserves these names for examples. */
const formats: Readonly<Record<string, string>> = {
  date: '2030-01-31',
  'date-time': '2030-01-31T12:00:00Z',
  duration: 'PT1H',
  email: 'user@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  time: '12:00:00',
  uri: 'https://example.com',
  uuid: '3f0e2a52-3c1d-4a3e-9d3b-6a1b8f1f2c11',
};

const stringOf = ({ format, minLength, maxLength }: JsonSchema): string => {
  const known = formats[String(format)];
  if (known !== undefined) return known;
  const text = 'text'.padEnd(Number(minLength ?? 0), '.');
  return text.slice(0, Number(maxLength ?? text.length));
};
