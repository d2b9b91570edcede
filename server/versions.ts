/** Versions of workflows. New executions use the newest version; open executions keep theirs. */
import type { Workflow } from '../runtime/index.ts';

/** In the order of the runtime: of each name the newest comes last. `workflow` is the newest of its name. */
export const listed = (workflow: Workflow, others: readonly Workflow[]): Workflow[] => {
  const older = others.filter((other) => other.name === workflow.name && other !== workflow);
  return [...new Set([...older, workflow, ...others])];
};

/** The newest version of each name. */
export const newestOf = (workflows: readonly Workflow[]): Workflow[] => [
  ...new Map(workflows.map((workflow) => [workflow.name, workflow])).values(),
];

/** The other versions of the same names, as texts. */
export const olderVersions = ({ name, version }: Workflow, all: readonly Workflow[]): string[] =>
  all.flatMap((other) => (other.name === name && other.version !== version ? [other.version] : []));
