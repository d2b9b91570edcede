/**
 * Compiles a JSON Schema to a reader in pydantic's lax mode: it reports the mistakes of pydantic, in the order of the
 * schema, and converts the values that pydantic converts. Other rules of a schema (formats, patterns, rules across
 * members) are left to the schema's own validation, which gets the converted value.
 */
import { type Compile, dictionaryReader, isRecord, listReader, modelReader, under } from './containers.ts';
import {
  anything,
  choiceReader,
  inPython,
  integerReader,
  type JsonSchema,
  NAMED,
  numberReader,
  type Read,
  readBoolean,
  readNull,
  refuse,
  textReader,
} from './scalars.ts';

/** Locations in the entries start at the value: `[]` is the value itself. */
export const compileLax = (root: JsonSchema): Read => {
  const compile: Compile = (schema) => (isRecord(schema) ? compileSchema(schema, 'literal_error') : anything);

  const compileSchema = (schema: JsonSchema, mistakenChoice: 'literal_error' | 'enum'): Read => {
    if (typeof schema.$ref === 'string') return reference(schema.$ref);
    if ('const' in schema) return choiceReader([schema.const], mistakenChoice);
    if (Array.isArray(schema.enum)) return choiceReader(schema.enum, mistakenChoice, schema[NAMED]);
    const choices = choicesOf(schema);
    if (choices) return unionReader(choices, schema[NAMED], root, compile);
    switch (schema.type) {
      case 'string':
        return textReader(schema);
      case 'integer':
        return integerReader(schema);
      case 'number':
        return numberReader(schema);
      case 'boolean':
        return readBoolean;
      case 'null':
        return readNull;
      case 'array':
        return listReader(schema, compile);
      case 'object':
        return isRecord(schema.properties)
          ? modelReader(schema, schema.properties, compile)
          : dictionaryReader(schema, compile);
      default:
        return anything;
    }
  };

  /**
   * Compiled on first use, because a schema may refer to itself. Named choices are an `Enum` class to pydantic, inline
   * choices a `Literal`; pydantic writes its own JSON Schema this way.
   */
  const references = new Map<string, Read>();
  const reference = (pointer: string): Read => {
    const known = references.get(pointer);
    if (known) return known;
    let target: Read | undefined;
    const read: Read = (value, entries) => {
      target ??= compileSchema(lookUp(root, pointer), 'enum');
      return target(value, entries);
    };
    references.set(pointer, read);
    return read;
  };

  return compile(root);
};

/** `#/$defs/Name` in the schema. Other references are unknown, and accept anything. */
export const lookUp = (root: JsonSchema, pointer: string): JsonSchema => {
  if (!pointer.startsWith('#')) return {};
  let found: unknown = root;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isRecord(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return isRecord(found) ? found : {};
};

const choicesOf = (schema: JsonSchema): readonly unknown[] | undefined => {
  if (Array.isArray(schema.anyOf)) return schema.anyOf;
  if (Array.isArray(schema.oneOf)) return schema.oneOf;
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type })) : undefined;
};

const unionReader = (all: readonly unknown[], named: unknown, root: JsonSchema, compile: Compile): Read => {
  const choices = all.filter((schema) => !(isRecord(schema) && schema.type === 'null'));
  const read =
    choices.length === 1
      ? compile(choices[0])
      : (taggedUnionReader(choices, named, root, compile) ?? smartUnionReader(choices, compile));
  return choices.length === all.length ? read : (value, entries) => (value === null ? value : read(value, entries));
};

/**
 * Objects that are distinguished by a member with a different constant text in each. `named`: the tags that a refusal
 * names, as they are; default all.
 */
const taggedUnionReader = (
  choices: readonly unknown[],
  named: unknown,
  root: JsonSchema,
  compile: Compile,
): Read | undefined => {
  const constants = choices.map((schema) => constantsOf(schema, root));
  const name = Object.keys(constants[0] ?? {}).find(
    (member) => new Set(constants.flatMap((of) => of[member] ?? [])).size === choices.length,
  );
  if (name === undefined) return undefined;
  const readers = new Map(choices.map((schema, index) => [constants[index]![name], compile(schema)]));
  const discriminator = inPython(name);
  const expected = (Array.isArray(named) ? named : [...readers.keys()].map(inPython)).join(', ');
  return (value, entries) => {
    if (!isRecord(value)) return refuse(entries, 'model_attributes_type', value);
    if (!Object.hasOwn(value, name)) {
      const msg = `Unable to extract tag using discriminator ${discriminator}`;
      entries.push({ type: 'union_tag_not_found', loc: [], msg, input: value, ctx: { discriminator } });
      return value;
    }
    const tag = typeof value[name] === 'string' ? value[name] : inPython(value[name]);
    const read = tag === value[name] ? readers.get(tag) : undefined;
    if (read) return under(tag, read, value, entries);
    const msg = `Input tag '${tag}' found using ${discriminator} does not match any of the expected tags: ${expected}`;
    const ctx = { discriminator, tag, expected_tags: expected };
    entries.push({ type: 'union_tag_invalid', loc: [], msg, input: value, ctx });
    return value;
  };
};

/** The members of an object schema that are constant texts. */
const constantsOf = (schema: unknown, root: JsonSchema): Record<string, string> => {
  if (!isRecord(schema)) return {};
  const target = typeof schema.$ref === 'string' ? lookUp(root, schema.$ref) : schema;
  const members = Object.entries(isRecord(target.properties) ? target.properties : {});
  return Object.fromEntries(
    members.flatMap(([name, member]) =>
      isRecord(member) && typeof member.const === 'string' ? [[name, member.const]] : [],
    ),
  );
};

/**
 * The first alternative that accepts the value unchanged, else the first that can convert it, else the mistakes of all.
 */
const smartUnionReader = (choices: readonly unknown[], compile: Compile): Read => {
  const readers = choices.map((schema) => ({ label: labelOf(schema), read: compile(schema) }));
  return (value, entries) => {
    const start = entries.length;
    let converted: { value: unknown } | undefined;
    for (const { label, read } of readers) {
      const before = entries.length;
      const result = under(label, read, value, entries);
      if (entries.length > before) continue;
      converted ??= { value: result };
      if (result !== value) continue;
      converted = { value };
      break;
    }
    if (converted) entries.length = start;
    return converted ? converted.value : value;
  };
};

const pythonTypes: Readonly<Record<string, string>> = {
  boolean: 'bool',
  integer: 'int',
  null: 'none',
  number: 'float',
  object: 'dict',
  string: 'str',
};

/** pydantic's name of an alternative in locations: the type, or the name of the class. */
const labelOf = (schema: unknown): string => {
  if (!isRecord(schema)) return 'any';
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1)!;
  if (typeof schema.title === 'string') return schema.title;
  if (schema.type === 'array') return `list[${labelOf(schema.items)}]`;
  if (schema.type === 'object' && schema.properties === undefined) {
    return `dict[str,${labelOf(schema.additionalProperties)}]`;
  }
  return pythonTypes[String(schema.type)] ?? 'any';
};
