/** The workflows that are served, each in one or several versions, and their builders. */
import type { Workflow } from '../authoring/workflow.ts';
import { Failure } from '../errors.ts';
import type { Builders } from './pool.ts';

export class Served {
  /** By name of the workflow, and then by version. */
  readonly #versions = new Map<string, Map<string, Builders>>();

  /** Throws `options_invalid` for two workflows with the same name and version. */
  constructor(workflows: readonly Workflow[], buildersOf: (workflow: Workflow) => Builders) {
    for (const workflow of workflows) {
      const { name, version } = workflow;
      const versions = this.#versions.get(name) ?? new Map<string, Builders>();
      if (versions.has(version)) {
        const detail = `two workflows have the name ${name} and the version ${version}; give one of them another version`;
        throw new Failure('options_invalid', { detail });
      }
      versions.set(version, buildersOf(workflow));
      this.#versions.set(name, versions);
    }
  }

  /** The newest version of each. */
  get workflows(): readonly Workflow[] {
    return [...this.#versions.keys()].map((name) => this.get(name).workflow);
  }

  /** Of all workflows in all versions. */
  get builders(): readonly Builders[] {
    return [...this.#versions.values()].flatMap((versions) => [...versions.values()]);
  }

  /** The builders of a version, or of the newest one, which is the last in the list. */
  find(workflow: string, version?: string): Builders | undefined {
    const versions = this.#versions.get(workflow);
    return version === undefined ? versions && [...versions.values()].at(-1) : versions?.get(version);
  }

  /** The builders of the newest version. Throws `workflow_not_found`. */
  get(workflow: string): Builders {
    const builders = this.find(workflow);
    if (builders !== undefined) return builders;
    const detail = `No workflow is named ${workflow}; there are ${[...this.#versions.keys()].join(', ')}.`;
    throw new Failure('workflow_not_found', { detail });
  }

  /** Builds what all users share. */
  async prepare(): Promise<void> {
    const shared = this.builders.filter(({ workflow }) => !workflow.isPerUser);
    await Promise.all(shared.map((builders) => builders.prepare()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.builders.map((builders) => builders.stop()));
  }
}
