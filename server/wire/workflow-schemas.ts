/** The schemas of workflows, with unique names in the OpenAPI document. */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../../runtime/index.ts';
import type { NamedSchema } from '../http/about.ts';
import { isWrapped, typesGivenBy } from './bodies.ts';

export const inputSchema = (workflow: Workflow): NamedSchema =>
  named(workflow, 'input', () => jsonSchemaOf(workflow.input));

export const outputSchema = (workflow: Workflow): NamedSchema => named(workflow, 'output', () => outputOf(workflow));

/**
 * OpenAPI restricts names of components. Other characters become their numbers, so names stay unique. `schema` is called
 * when the document is written.
 */
export const named = ({ name }: Workflow, side: string, schema: () => JsonSchema): NamedSchema => ({
  name: `${name.replace(/[^\w-]/gu, (sign) => `.${sign.codePointAt(0)!.toString(16)}.`)}.${side}`,
  get schema() {
    return schema();
  },
});

/** As sent: all values except objects are wrapped. */
const outputOf = (workflow: Workflow): JsonSchema => {
  const types = typesGivenBy(workflow);
  const { $schema: _, $defs, ...schema } = jsonSchemaOf(workflow.output, 'output');
  if (types.every((type) => type === 'object')) return { ...schema, ...($defs !== undefined && { $defs }) };
  if (!types.some(isWrapped)) return { type: 'object' };
  const wrapped = { type: 'object', properties: { value: schema }, required: ['value'] };
  return $defs === undefined ? wrapped : { ...wrapped, $defs };
};
