/** Loads the modules of a command: files of the user whose default exports are workflows. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, isWorkflow, type Workflow } from '../../runtime/index.ts';
import { allowTypeScript, isTypeScript } from '../typescript.ts';

export interface WorkflowModule {
  readonly workflow: Workflow;
  /**
   * Includes further workflows, which `endpoints` can name, and older versions. Of one name the newest version comes
   * last.
   */
  readonly workflows: readonly Workflow[];
}

/** Loads the workflow of the first file, in the newest version. Rejects like `loadModule`. */
export const loadModules = async (files: readonly string[]): Promise<WorkflowModule> => {
  const modules: WorkflowModule[] = [];
  for (const file of files) modules.push(await loadModule(file));
  const workflows = modules.flatMap((module) => module.workflows);
  const { name } = modules[0]!.workflow;
  return { workflow: workflows.findLast((workflow) => workflow.name === name)!, workflows };
};

/** Throws `options_invalid` if the file is missing, does not load, or exports something else. */
export const loadModule = async (file: string): Promise<WorkflowModule> => {
  const path = resolve(file);
  if (!existsSync(path)) throw unusable(`${file}: there is no such file`);
  if (isTypeScript(path)) await allowTypeScript();
  const module = (await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw unusable(`${file} cannot be loaded: ${explained(cause)}`, cause);
  })) as Record<string, unknown>;
  const { default: workflow } = module;
  if (isWorkflow(workflow)) {
    const others = Object.values(module).filter((other) => isWorkflow(other) && other !== workflow) as Workflow[];
    return { workflow, workflows: [...others, workflow] };
  }
  throw unusable(`${file}: the default export must be a workflow, made by workflow({ name, run })`);
};

const unusable = (detail: string, cause?: unknown): Failure => new Failure('options_invalid', { detail, cause });

/** With stack frames in the author's files, and without those of the loader. */
const explained = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  const places = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*:\d+\)?$/.test(line) && !/node:|node_modules/.test(line));
  return [thrown.message, ...places.slice(0, 3)].join('\n');
};
