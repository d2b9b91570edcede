/** Loads the modules of a command: files of the user whose default exports are workflows. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
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
  if (!isModule(path)) throw unusable(`${file}: expected a TypeScript or JavaScript file, such as approval.ts`);
  if (isTypeScript(path)) await allowTypeScript();
  const module = await imported(file, path);
  const { default: workflow } = module;
  if (isWorkflow(workflow)) {
    const others = Object.values(module).filter((other) => isWorkflow(other) && other !== workflow) as Workflow[];
    return { workflow, workflows: [...others, workflow] };
  }
  throw unusable(`${file}: the default export must be a workflow, made by workflow({ name, run })`);
};

const isModule = (path: string): boolean =>
  !statSync(path).isDirectory() && /(^|[/\\])[^./\\]+$|\.[cm]?[jt]sx?$/.test(path);

const imported = async (file: string, path: string): Promise<Record<string, unknown>> => {
  // Node.js ends without a word when a module waits for something that keeps no process alive.
  const endsEarly = (code: number): void => {
    process.stderr.write(`${file} cannot be loaded: ${ENDS_EARLY}\n`);
    process.exitCode = code || 2;
  };
  process.once('exit', endsEarly);
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    throw unusable(`${file} cannot be loaded: ${explained(cause, path)}`, cause);
  } finally {
    process.off('exit', endsEarly);
  }
};

const ENDS_EARLY =
  'the process ended before the module was loaded. Either the module calls process.exit, or a top-level await never settles.';

const unusable = (detail: string, cause?: unknown): Failure => new Failure('options_invalid', { detail, cause });

/** With stack frames in the author's files, and without those of the loader. */
const explained = (thrown: unknown, path: string): string => {
  if (!(thrown instanceof Error)) return inspect(thrown);
  const places = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*:\d+\)?$/.test(line) && !/node:|node_modules/.test(line));
  if (!(thrown instanceof SyntaxError) || places.length > 0) return [thrown.message, ...places.slice(0, 3)].join('\n');
  return `${thrown.message}${IS_COMMONJS.test(thrown.message) ? AS_ES_MODULE : placeOf(path)}`;
};

const IS_COMMONJS = /import statement outside a module|Unexpected token 'export'/;
const AS_ES_MODULE = '. The package.json makes it a CommonJS module: name it *.mjs, or set "type": "module" there.';

/** Node.js says where a syntax error is only when it checks the file. Empty if the error is in another file. */
const placeOf = (path: string): string => {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 10_000 });
  const [place = ''] = stderr?.split(/\n\s*\n/) ?? [];
  return place.startsWith(path) ? `\n${place}` : '';
};
