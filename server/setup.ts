/**
 * The arguments of `createServer`, and their check. TypeScript finds these mistakes; without it, a misspelt setting
 * would silently keep its default.
 */
import { Failure, isWorkflow, type RuntimeSetup, type Workflow } from '../runtime/index.ts';
import { adapterNames } from './http/adapter.ts';
import { type ServerOptions, serverDefaults } from './options.ts';
import type { Protocol } from './protocol.ts';

export interface ServerSetup extends Pick<RuntimeSetup, 'store' | 'log' | 'clock' | 'random'> {
  /** Served at the paths of `config.workflow`. The newest of its name. */
  readonly workflow: Workflow;
  /**
   * Further workflows, which `config.endpoints` can name, and older versions, which open executions continue to use.
   * The last version in the list is the newest.
   */
  readonly workflows?: readonly Workflow[];
  /** Settings that differ from the defaults. */
  readonly config?: Partial<ServerOptions>;
  /** The protocols of the server. Default: NAT's protocol, our API, the routes for operators, files, and OpenAPI. */
  readonly protocols?: readonly Protocol[];
}

export interface HandlerSetup extends ServerSetup {
  /**
   * Returns the address of the client, if the surrounding server knows it, for example from a header that only it can
   * set. `trustProxy` applies to it. Default: unknown.
   */
  readonly clientOf?: (request: Request) => string | undefined;
}

const options: Readonly<Record<keyof HandlerSetup, true>> = {
  workflow: true,
  workflows: true,
  config: true,
  protocols: true,
  store: true,
  log: true,
  clock: true,
  random: true,
  clientOf: true,
};

/** The resolved settings. Throws `options_invalid`, naming the option. */
export const settingsOf = (setup: HandlerSetup): ServerOptions => {
  if (!isObject(setup)) throw bad(`Expected an object such as { workflow }, got ${shown(setup)}.`);
  for (const name of Object.keys(setup)) if (!Object.hasOwn(options, name)) throw unknownOption(name);
  const { workflow, workflows = [], config, log } = setup;
  checkWorkflow('workflow', workflow);
  if (!Array.isArray(workflows)) throw bad(`workflows: expected a list, got ${shown(workflows)}.`);
  for (const [index, other] of workflows.entries()) checkWorkflow(`workflows[${index}]`, other);
  if (log !== undefined && !isLog(log)) {
    throw bad(`log: expected an object with debug, info, warn and error, got ${shown(log)}.`);
  }
  const given = Object.entries(config ?? {}).filter(([, value]) => value !== undefined);
  return checked({ ...serverDefaults, ...Object.fromEntries(given) });
};

/** Members that `readConfig` of the command line adds to the settings of a server. */
const OF_FILES = ['logLevel', 'warnings'];

const checked = (config: ServerOptions): ServerOptions => {
  for (const name of Object.keys(config)) {
    if (!Object.hasOwn(serverDefaults, name) && !OF_FILES.includes(name))
      throw bad(`config: there is no setting ${name}.`);
  }
  const { port, adapter, rootPath } = config;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw bad(`config.port: expected a whole number from 0 to 65535, got ${shown(port)}.`);
  }
  if (typeof adapter === 'string' && !adapterNames.includes(adapter)) {
    throw bad(`config.adapter: expected ${adapterNames.join(' or ')}, got ${shown(adapter)}.`);
  }
  if (typeof rootPath !== 'string' || !/^(\/|$)/.test(rootPath)) {
    throw bad(`config.rootPath: expected a path such as "/api", or "", got ${shown(rootPath)}.`);
  }
  return { ...config, rootPath: rootPath.replace(/\/+$/, '') };
};

const checkWorkflow = (name: string, value: Workflow): void => {
  if (isWorkflow(value)) return;
  const isModule = isObject(value) && isWorkflow((value as { default?: unknown }).default);
  const came = isModule ? 'a module: its default export is one' : shown(value);
  throw bad(`${name}: expected what workflow({ name, run }) gives, got ${came}.`);
};

const unknownOption = (name: string): Failure =>
  Object.hasOwn(serverDefaults, name)
    ? bad(`${name} is a setting: write config: { ${name} }.`)
    : bad(`There is no option ${name}. There are ${Object.keys(options).join(', ')}.`);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isLog = (value: unknown): boolean =>
  isObject(value) &&
  ['debug', 'info', 'warn', 'error'].every(
    (level) => typeof (value as Readonly<Record<string, unknown>>)[level] === 'function',
  );

const shown = (value: unknown): string => {
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : typeof value === 'string' ? JSON.stringify(value) : String(value);
};

const bad = (detail: string): Failure => new Failure('options_invalid', { detail });
