/**
 * Invalid bodies get NAT's reply: 422 and one entry for each mistake, in pydantic's form and words (NAT's front end
 * validates with pydantic in lax mode). A workflow declares its input as any Standard Schema. Its JSON Schema defines
 * conversions and mistakes; its own validation decides.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { jsonSchemaOf } from '../../../runtime/index.ts';
import { enoughEntries, type ValidationEntry } from '../../http/mistakes.ts';
import { compileLax } from './compile.ts';

export type Reading = { value: unknown; issues?: undefined } | { issues: ValidationEntry[] };

/**
 * Reads bodies for a schema: converts them leniently by its JSON Schema, then validates. `value` is the output of the
 * schema. It is a promise only if the schema validates asynchronously. At most about a hundred entries.
 */
export const createReader = (
  schema: StandardSchemaV1,
  jsonSchema = jsonSchemaOf(schema),
): ((body: unknown) => Reading | Promise<Reading>) => {
  const read = compileLax(jsonSchema);
  return (body) => {
    const entries: ValidationEntry[] = [];
    const converted = read(body, entries);
    if (entries.length > 0) return { issues: entries.map((entry) => ({ ...entry, loc: ['body', ...entry.loc] })) };
    const result = schema['~standard'].validate(converted);
    return result instanceof Promise ? result.then((late) => readingOf(late, body)) : readingOf(result, body);
  };
};

const readingOf = (result: StandardSchemaV1.Result<unknown>, body: unknown): Reading =>
  result.issues
    ? { issues: result.issues.slice(0, enoughEntries).map((issue) => valueError(issue, body)) }
    : { value: result.value };

/** A mistake beyond the JSON Schema corresponds to a `ValueError` of a pydantic validator. */
const valueError = ({ message, path = [] }: StandardSchemaV1.Issue, body: unknown): ValidationEntry => {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const loc = keys.map((key) => (typeof key === 'symbol' ? String(key) : key));
  return {
    type: 'value_error',
    loc: ['body', ...loc],
    msg: `Value error, ${message}`,
    input: at(body, keys),
    ctx: { error: {} },
  };
};

const at = (whole: unknown, keys: readonly PropertyKey[]): unknown => {
  let found = whole;
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return null;
    found = Reflect.get(found, key);
  }
  return found;
};
