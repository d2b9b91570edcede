/**
 * Readers of single values in pydantic's lax mode: values that pydantic converts are converted ("7" is 7, "yes" is
 * true), others are refused in its words. Clients of NAT show these texts, and some match on the types.
 */
import type { ValidationEntry } from '../../http/mistakes.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Returns the value, converted if necessary; or adds at least one entry and returns anything. */
export type Read = (value: unknown, entries: ValidationEntry[]) => unknown;

const texts = {
  bool_parsing: 'Input should be a valid boolean, unable to interpret input',
  bool_type: 'Input should be a valid boolean',
  dict_type: 'Input should be a valid dictionary',
  extra_forbidden: 'Extra inputs are not permitted',
  finite_number: 'Input should be a finite number',
  float_parsing: 'Input should be a valid number, unable to parse string as a number',
  float_type: 'Input should be a valid number',
  int_from_float: 'Input should be a valid integer, got a number with a fractional part',
  int_parsing: 'Input should be a valid integer, unable to parse string as an integer',
  int_parsing_size: 'Unable to parse input string as an integer, exceeded maximum size',
  int_type: 'Input should be a valid integer',
  list_type: 'Input should be a valid list',
  missing: 'Field required',
  model_attributes_type: 'Input should be a valid dictionary or object to extract fields from',
  none_required: 'Input should be None',
  string_type: 'Input should be a valid string',
} as const satisfies Record<string, string>;

/** A mistake with a constant text. */
export type Mistake = keyof typeof texts;

/** The entry of such a mistake; the caller fills in `loc`. */
export const entryOf = (type: Mistake, input: unknown, loc: ValidationEntry['loc'] = []): ValidationEntry => ({
  type,
  loc,
  msg: texts[type],
  input,
});

export const refuse = (entries: ValidationEntry[], type: Mistake, input: unknown): unknown => {
  entries.push(entryOf(type, input));
  return input;
};

/** For unknown types: the schema's own validation follows. */
export const anything: Read = (value) => value;

export const readNull: Read = (value, entries) => (value === null ? value : refuse(entries, 'none_required', value));

export const textReader = ({ minLength, maxLength }: JsonSchema): Read => {
  const least = numberOr(minLength, 0);
  const most = numberOr(maxLength, Infinity);
  return (value, entries) => {
    if (typeof value !== 'string') return refuse(entries, 'string_type', value);
    if (value.length > most && countCharacters(value) > most) {
      const msg = `String should have at most ${plural(most, 'character')}`;
      entries.push({ type: 'string_too_long', loc: [], msg, input: value, ctx: { max_length: most } });
    } else if (value.length < 2 * least && countCharacters(value) < least) {
      const msg = `String should have at least ${plural(least, 'character')}`;
      entries.push({ type: 'string_too_short', loc: [], msg, input: value, ctx: { min_length: least } });
    }
    return value;
  };
};

/** JSON Schema and pydantic count code points, JavaScript counts UTF-16 units: up to two a character. */
export const countCharacters = (text: string): number =>
  text.length - (text.match(/[\u{10000}-\u{10ffff}]/gu)?.length ?? 0);

export const integerReader = (schema: JsonSchema): Read => numericReader(schema, integerOf);

export const numberReader = (schema: JsonSchema): Read => numericReader(schema, numberOf);

const numericReader = (schema: JsonSchema, convert: (value: unknown) => number | Mistake): Read => {
  const bounds = boundsOf(schema);
  return (value, entries) => {
    const number = convert(value);
    if (typeof number === 'string') return refuse(entries, number, value);
    const broken = bounds.find(({ limit, holds }) => !holds(number, limit));
    if (broken) {
      const { type, words, name, limit } = broken;
      entries.push({ type, loc: [], msg: `Input should be ${words} ${limit}`, input: value, ctx: { [name]: limit } });
    }
    return number;
  };
};

const integerOf = (value: unknown): number | Mistake => {
  switch (typeof value) {
    case 'boolean':
      return Number(value);
    case 'number':
      if (!Number.isFinite(value)) return 'finite_number';
      if (!Number.isInteger(value)) return 'int_from_float';
      return Number.isSafeInteger(value) ? value : 'int_parsing_size';
    case 'string': {
      const text = withoutSeparators(value);
      if (!/^\s*[+-]?\d+(?:\.0+)?\s*$/.test(text)) return 'int_parsing';
      return Number.isSafeInteger(Number(text)) ? Number(text) : 'int_parsing_size';
    }
    default:
      return 'int_type';
  }
};

const numberOf = (value: unknown): number | Mistake => {
  switch (typeof value) {
    case 'boolean':
      return Number(value);
    case 'number':
      return Number.isFinite(value) ? value : 'finite_number'; // JSON.parse makes Infinity of 1e400
    case 'string': {
      const text = withoutSeparators(value);
      if (!/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text)) return 'float_parsing';
      return Number.isFinite(Number(text)) ? Number(text) : 'finite_number';
    }
    default:
      return 'float_type';
  }
};

/** Python writes 1_000 for a thousand. */
const withoutSeparators = (text: string): string => text.replace(/(?<=\d)_(?=\d)/g, '');

type Bound = { type: string; words: string; name: string; holds: (number: number, limit: number) => boolean };

const boundKeywords: Readonly<Record<string, Bound>> = {
  maximum: { type: 'less_than_equal', words: 'less than or equal to', name: 'le', holds: (n, limit) => n <= limit },
  exclusiveMaximum: { type: 'less_than', words: 'less than', name: 'lt', holds: (n, limit) => n < limit },
  minimum: {
    type: 'greater_than_equal',
    words: 'greater than or equal to',
    name: 'ge',
    holds: (n, limit) => n >= limit,
  },
  exclusiveMinimum: { type: 'greater_than', words: 'greater than', name: 'gt', holds: (n, limit) => n > limit },
};

const boundsOf = (schema: JsonSchema): (Bound & { limit: number })[] =>
  Object.entries(boundKeywords).flatMap(([keyword, bound]) => {
    const limit = schema[keyword];
    return typeof limit === 'number' ? [{ ...bound, limit }] : [];
  });

const yes = ['1', 'on', 't', 'true', 'y', 'yes'];
const no = ['0', 'off', 'f', 'false', 'n', 'no'];

export const readBoolean: Read = (value, entries) => {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      if (yes.includes(value.toLowerCase())) return true;
      return no.includes(value.toLowerCase()) ? false : refuse(entries, 'bool_parsing', value);
    case 'number':
      if (value === 0 || value === 1) return value === 1;
      return refuse(entries, Number.isSafeInteger(value) ? 'bool_parsing' : 'bool_type', value);
    default:
      return refuse(entries, 'bool_type', value);
  }
};

/** A keyword beside `enum`: the choices that a refusal names, where NAT's clients know fewer than are taken. */
export const NAMED = 'x-named';

/**
 * pydantic tells a `Literal` (literal_error) from an `Enum` class (enum); the texts are the same. `named`: what a refusal
 * names; default all.
 */
export const choiceReader = (
  values: readonly unknown[],
  type: 'literal_error' | 'enum',
  named: unknown = values,
): Read => {
  if (values.some((value) => typeof value === 'object' && value !== null)) return anything;
  const allowed = new Set(values);
  const names = (Array.isArray(named) ? named : values).map(inPython);
  const expected = names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return (value, entries) => {
    if (allowed.has(value)) return value;
    entries.push({ type, loc: [], msg: `Input should be ${expected}`, input: value, ctx: { expected } });
    return value;
  };
};

/** A value as Python would print it, for these texts come from there. */
export const inPython = (value: unknown): string => {
  if (typeof value === 'string') return value.includes("'") ? `"${value}"` : `'${value}'`;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return JSON.stringify(value);
};

export const numberOr = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
