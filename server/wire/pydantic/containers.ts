/**
 * Readers of objects and lists, in the lax mode of `compile.ts`.
 *
 * L1  The input is never changed: it is copied when a value inside it is converted.
 * L2  Only own members count: `{}` has no member `constructor`.
 * L3  A million mistakes are reported as the first hundred.
 */

import { enoughEntries, type ValidationEntry } from '../../http/mistakes.ts';
import { anything, type JsonSchema, numberOr, plural, type Read, refuse } from './scalars.ts';

export type Compile = (schema: unknown) => Read;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a value under `key`. Entries get their location on the way up, so a valid value costs nothing. */
export const under = (key: string | number, read: Read, value: unknown, entries: ValidationEntry[]): unknown => {
  const start = entries.length;
  const result = read(value, entries);
  for (let index = start; index < entries.length; index += 1) entries[index]!.loc.unshift(key);
  return result;
};

const refuseMissing: Read = (whole, entries) => refuse(entries, 'missing', whole);
const refuseExtra: Read = (value, entries) => refuse(entries, 'extra_forbidden', value);

/** An object with declared members. Other members are preserved, read by `additionalProperties`, or refused. */
export const modelReader = (schema: JsonSchema, properties: JsonSchema, compile: Compile): Read => {
  const needed = Array.isArray(schema.required) ? schema.required : [];
  const members = Object.entries(properties).map(([name, member]) => ({
    name,
    read: compile(member),
    required: needed.includes(name),
  }));
  const declared = new Set(Object.keys(properties));
  const readExtra = schema.additionalProperties === false ? refuseExtra : compile(schema.additionalProperties);
  return (value, entries) => {
    if (!isRecord(value)) return refuse(entries, 'model_attributes_type', value);
    let copy = value;
    for (const { name, read, required } of members) {
      if (Object.hasOwn(value, name))
        copy = readMember(value, copy, name, read, entries); // L2
      else if (required) under(name, refuseMissing, value, entries);
    }
    return readExtra === anything ? copy : readOthers(value, copy, declared, readExtra, entries);
  };
};

/** An object whose members share one schema. */
export const dictionaryReader = (schema: JsonSchema, compile: Compile): Read => {
  const readEach = schema.additionalProperties === false ? refuseExtra : compile(schema.additionalProperties);
  const declared = new Set<string>();
  return (value, entries) => {
    if (!isRecord(value)) return refuse(entries, 'dict_type', value);
    return readEach === anything ? value : readOthers(value, value, declared, readEach, entries);
  };
};

type Members = Record<string, unknown>;

const readMember = (value: Members, copy: Members, name: string, read: Read, entries: ValidationEntry[]): Members => {
  const result = under(name, read, value[name], entries);
  if (result === value[name]) return copy;
  const changed = copy === value ? { ...value } : copy; // L1
  changed[name] = result; // already an own member of the copy, so even `__proto__` is only a name here
  return changed;
};

const readOthers = (
  value: Members,
  begun: Members,
  declared: ReadonlySet<string>,
  read: Read,
  entries: ValidationEntry[],
): Members => {
  let copy = begun;
  const start = entries.length;
  for (const name of Object.keys(value)) {
    if (entries.length - start >= enoughEntries) break; // L3
    if (!declared.has(name)) copy = readMember(value, copy, name, read, entries);
  }
  return copy;
};

export const listReader = ({ items, prefixItems, minItems, maxItems }: JsonSchema, compile: Compile): Read => {
  const first = Array.isArray(prefixItems) ? prefixItems.map(compile) : [];
  const rest = compile(items);
  const least = numberOr(minItems, 0);
  const most = numberOr(maxItems, Infinity);
  return (value, entries) => {
    if (!Array.isArray(value)) return refuse(entries, 'list_type', value);
    if (value.length > most) return refuseLength(entries, 'too_long', most, value);
    const start = entries.length;
    let copy: unknown[] = value;
    for (const [index, item] of value.entries()) {
      if (entries.length - start >= enoughEntries) break; // L3
      const result = under(index, first[index] ?? rest, item, entries);
      if (result === item) continue;
      if (copy === value) copy = [...value]; // L1
      copy[index] = result;
    }
    // pydantic counts valid items, so it does not report a short list with an invalid item
    if (value.length < least && entries.length === start) refuseLength(entries, 'too_short', least, value);
    return copy;
  };
};

const refuseLength = (
  entries: ValidationEntry[],
  type: 'too_long' | 'too_short',
  limit: number,
  input: readonly unknown[],
): unknown => {
  const [words, name] = type === 'too_long' ? ['at most', 'max_length'] : ['at least', 'min_length'];
  entries.push({
    type,
    loc: [],
    msg: `List should have ${words} ${plural(limit, 'item')} after validation, not ${input.length}`,
    input,
    ctx: { field_type: 'List', [name!]: limit, actual_length: input.length },
  });
  return input;
};
