/** The schemas of workflows, with unique names in the OpenAPI document. */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../../runtime/index.ts';
import { isWrapped, typesGivenBy } from './bodies.ts';

type Side = 'input' | 'output' | 'job';

/** OpenAPI restricts names of components. Other characters become their numbers, so names stay unique. */
export const schemaName = ({ name }: Pick<Workflow, 'name'>, side: Side): string =>
  `${name.replace(/[^\w-]/gu, (sign) => `.${sign.codePointAt(0)!.toString(16)}.`)}.${side}`;

/** The schemas of requests and results. */
export const workflowSchemas = (workflows: readonly Workflow[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    workflows.flatMap((workflow) => [
      [schemaName(workflow, 'input'), jsonSchemaOf(workflow.input)],
      [schemaName(workflow, 'output'), outputOf(workflow)],
    ]),
  );

/** As sent: all values except objects are wrapped. */
const outputOf = (workflow: Workflow): JsonSchema => {
  const types = typesGivenBy(workflow);
  const { $schema: _, $defs, ...schema } = jsonSchemaOf(workflow.output, 'output');
  if (types.every((type) => type === 'object')) return { ...schema, ...($defs !== undefined && { $defs }) };
  if (!types.some(isWrapped)) return { type: 'object' };
  const wrapped = { type: 'object', properties: { value: schema }, required: ['value'] };
  return $defs === undefined ? wrapped : { ...wrapped, $defs };
};
