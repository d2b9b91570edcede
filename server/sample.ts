/** A value that a JSON Schema describes, as small as it may be: for showing how a workflow is called. */
import type { JsonSchema } from '../runtime/index.ts';

/**
 * Members that are not required are left out; of alternatives it is the first; examples of the author come before all.
 * It is a good guess and no more: patterns, and what a schema checks beyond its JSON Schema, are not looked at.
 */
export const sampleOf = (schema: JsonSchema): unknown => sampleIn(schema, schema, 0);

/** Deeper than that a schema only refers to itself. */
const MAX_DEPTH = 32;

const sampleIn = (root: JsonSchema, given: unknown, depth: number): unknown => {
  if (!isSchema(given)) return {};
  if (depth > MAX_DEPTH) return null;
  const schema = flattened(root, given, MAX_DEPTH);
  for (const [known] of [['const' in schema ? [schema.const] : [], schema.examples, schema.enum]].flat()
    .filter(isList)) {
    if (known !== undefined) return known;
  }
  return schema;
};
