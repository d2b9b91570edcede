/** The JSON Schema of a Standard Schema, for documentation such as OpenAPI. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Uses the schema's own JSON Schema extension, or zod's converter for an older zod. Returns `{}`, which accepts
 * anything, without a schema or a converter. `input` describes accepted values, `output` parsed values.
 */
export const jsonSchemaOf = (schema: StandardSchemaV1 | undefined, side: 'input' | 'output' = 'input'): JsonSchema => {
  if (schema === undefined) return {};
  const { jsonSchema }: Partial<StandardJSONSchemaV1.Props> = schema['~standard'];
  try {
    if (jsonSchema) return jsonSchema[side]({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } });
    return schema instanceof z.ZodType ? z.toJSONSchema(schema, { io: side, unrepresentable: 'any' }) : {};
  } catch {
    return {}; // the extension may throw for a schema that it cannot express
  }
};
