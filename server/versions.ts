/** Several versions of a workflow may be served at once: new executions take the newest, open ones go on with their own. */
import type { Workflow } from '../runtime/index.ts';

/** In the order in which the runtime wants them: of each name the newest comes last. `workflow` is the newest of its own. */
export const listed = (workflow: Workflow, others: readonly Workflow[]): Workflow[] => {
  const older = others.filter((other) => other.name === workflow.name && other !== workflow);
  return [...new Set([...older, workflow, ...others])];
};

/** The newest of each name. */
export const newestOf = (workflows: readonly Workflow[]): Workflow[] => [
  ...new Map(workflows.map((workflow) => [workflow.name, workflow])).values(),
];

/** Those of the others that have the same name, as texts. */
export const olderVersions = ({ name, version }: Workflow, all: readonly Workflow[]): string[] =>
  all.flatMap((other) => (other.name === name && other.version !== version ? [other.version] : []));
