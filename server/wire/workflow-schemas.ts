/** The schemas of workflows, under names of their own in the OpenAPI document. */
import { type JsonSchema, jsonSchemaOf, type Workflow } from '../../runtime/index.ts';
import { isWrapped, typesGivenBy } from './bodies.ts';

type Side = 'input' | 'output' | 'job';

/** OpenAPI allows few signs in the name of a component; the others are told by their numbers, so that no two names become one. */
export const schemaName = ({ name }: Pick<Workflow, 'name'>, side: Side): string =>
  `${name.replace(/[^\w-]/gu, (sign) => `.${sign.codePointAt(0)!.toString(16)}.`)}.${side}`;

/** What requests take, and results are. */
export const workflowSchemas = (workflows: readonly Workflow[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    workflows.flatMap((workflow) => [
      [schemaName(workflow, 'input'), jsonSchemaOf(workflow.input)],
      [schemaName(workflow, 'output'), outputOf(workflow)],
    ]),
  );

/** As it is sent: everything but an object is wrapped. */
const outputOf = (workflow: Workflow): JsonSchema => {
  const types = typesGivenBy(workflow);
  const { $schema: _, $defs, ...schema } = jsonSchemaOf(workflow.output, 'output');
  if (types.every((type) => type === 'object')) return { ...schema, ...($defs !== undefined && { $defs }) };
  if (!types.some(isWrapped)) return { type: 'object' };
  const wrapped = { type: 'object', properties: { value: schema }, required: ['value'] };
  return $defs === undefined ? wrapped : { ...wrapped, $defs };
};
