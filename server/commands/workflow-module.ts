/** The module that a command is about: a file of its user, whose default export is a workflow. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, isWorkflow, type Workflow } from '../../runtime/index.ts';

export interface WorkflowModule {
  readonly workflow: Workflow;
  /** With those beside it, which `endpoints` can name. */
  readonly workflows: readonly Workflow[];
}

/** Throws `options_invalid` if the file is not there, does not load, or exports something else. */
export const loadModule = async (file: string): Promise<WorkflowModule> => {
  const path = resolve(file);
  if (!existsSync(path)) throw unusable(`${file}: there is no such file`);
  const module = (await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw unusable(`${file} cannot be loaded: ${explained(cause)}`, cause);
  })) as Record<string, unknown>;
  const { default: workflow } = module;
  if (isWorkflow(workflow)) return { workflow, workflows: Object.values(module).filter(isWorkflow) };
  throw unusable(`${file}: the default export must be a workflow, made by workflow({ name, run })`);
};

const unusable = (detail: string, cause?: unknown): Failure => new Failure('options_invalid', { detail, cause });

/** With the places in files of the author, and without those in the loader. */
const explained = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  const places = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*:\d+\)?$/.test(line) && !/node:|node_modules/.test(line));
  return [thrown.message, ...places.slice(0, 3)].join('\n');
};
