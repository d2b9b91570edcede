/** The fields that a form can show, read from JSON Schema. Other inputs are entered as JSON. */
export type Schema = Readonly<Record<string, unknown>>;

export type Field = {
  readonly kind: 'text' | 'number' | 'flag' | 'choice' | 'group' | 'json';
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly schema: Schema;
  /** The fields of a group. */
  readonly members: readonly { readonly name: string; readonly isRequired: boolean; readonly field: Field }[];
  /** The options of a choice. */
  readonly choices: readonly unknown[];
};

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Without a schema any input is valid, so it is entered as JSON. */
export const fieldOf = (schema: unknown, depth = 0): Field => {
  const given = isObject(schema) ? schema : {};
  const { title, description } = given;
  const about = { title: textOf(title), description: textOf(description), schema: given, members: [], choices: [] };
  const choices = choicesOf(given);
  if (choices !== undefined) return { ...about, kind: 'choice', choices };
  switch (given.type) {
    case 'string':
      return { ...about, kind: 'text' };
    case 'number':
    case 'integer':
      return { ...about, kind: 'number' };
    case 'boolean':
      return { ...about, kind: 'flag' };
    case 'object':
      return isObject(given.properties) && depth < 4
        ? { ...about, kind: 'group', members: membersOf(given, depth) }
        : { ...about, kind: 'json' };
    default:
      return { ...about, kind: 'json' };
  }
};

const choicesOf = ({ enum: values, const: only, anyOf, oneOf }: Schema): readonly unknown[] | undefined => {
  if (Array.isArray(values)) return values;
  if (only !== undefined) return [only];
  const union = anyOf ?? oneOf;
  if (!Array.isArray(union) || !union.every((one) => isObject(one) && 'const' in one)) return undefined;
  return union.map((one: Schema) => one.const);
};

const membersOf = ({ properties, required }: Schema, depth: number): Field['members'] =>
  Object.entries(properties as Schema).map(([name, schema]) => ({
    name,
    isRequired: Array.isArray(required) && required.includes(name),
    field: fieldOf(schema, depth + 1),
  }));

/** The initial value of a field. Undefined is left out. */
export const startOf = (field: Field, isRequired = true): unknown => {
  const { default: given } = field.schema;
  if (given !== undefined) return given;
  if (field.kind === 'group' && isRequired) {
    const members = field.members.map((one) => [one.name, startOf(one.field, one.isRequired)] as const);
    return Object.fromEntries(members.filter(([, value]) => value !== undefined));
  }
  if (field.kind === 'flag' && isRequired) return false;
  if (field.kind === 'choice' && isRequired && field.choices.length === 1) return field.choices[0];
  return undefined;
};

/** A copy with one member set, or without it if the value is undefined. */
export const withMember = (value: unknown, name: string, member: unknown): Schema => {
  const { [name]: _, ...others } = isObject(value) ? value : {};
  return member === undefined ? others : { ...others, [name]: member };
};

/** `dueDate` and `due_date` are read as `Due date`. */
export const labelOf = (name: string): string => {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
};
