/** The process: command line, configuration, log, signals. The only file that reads the environment. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Logger, pino } from 'pino';
import { Failure, isWorkflow, type Workflow } from '../runtime/index.ts';
import { readCommandLine } from './command-line.ts';
import { readConfig } from './config.ts';
import { greeting } from './greeting.ts';
import { createServer, type Server, type ServerSetup } from './index.ts';

const output = pino.destination({ dest: 1, sync: false });

/** Exit codes: 2 for what the caller can mend (command line, configuration, module), 1 for the rest. */
const main = async (): Promise<void> => {
  const asked = readCommandLine(process.argv.slice(2));
  if (asked.run === 'print') {
    (asked.exitCode === 0 ? process.stdout : process.stderr).write(asked.text);
    process.exitCode = asked.exitCode;
    return;
  }
  const config = readConfig({ file: asked.file, env: process.env, flags: asked.flags });
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output);
  for (const warning of config.warnings) log.warn(warning);
  const { workflow, workflows } = await load(asked.module);
  const server = await serve({ workflow, workflows, config, log });
  // A workflow that awaits its own promises too late must not end the process for everybody else.
  process.on('unhandledRejection', (err) => log.error({ err }, 'a promise was rejected and nobody looked'));
  stopOnSignals(server, log);
  log.info({ url: server.url, workflow: workflow.name }, 'listening');
  if (!log.isLevelEnabled('info')) return;
  process.stderr.write(await greeting({ url: server.url, workflow, paths: config.workflow }));
};

/** The default export is served; every other export that is a workflow can be named by `endpoints`. */
const load = async (file: string): Promise<{ workflow: Workflow; workflows: Workflow[] }> => {
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

/** What keeps it from listening is said in one line: a build that failed is in the log already, with its stack. */
class CannotServe extends Error {}

const serve = (setup: ServerSetup): Promise<Server> =>
  createServer(setup).catch((cause: unknown) => {
    if (cause instanceof Failure && cause.code === 'options_invalid') throw cause;
    throw new CannotServe(cause instanceof Error ? cause.message : String(cause), { cause });
  });

/** How long the last lines of the log may take to be written. */
const LAST_LINES_MS = 1_000;

/** The log is written when the output takes it; an exit before that would lose the last lines. */
const exit = (code: number): void => {
  output.once('close', () => process.exit(code));
  output.end();
  setTimeout(() => process.exit(code), LAST_LINES_MS); // a broken pipe never closes
};

/** npm passes on the signal that the terminal has sent to everybody: one Ctrl-C may come twice. */
const ONE_KEYPRESS_MS = 300;

/** The first signal stops in order, another one at once. */
const stopOnSignals = (server: Server, log: Logger): void => {
  let stoppingSince: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping');
    try {
      await server.close();
      log.info('stopped');
      exit(0);
    } catch (err) {
      log.error({ err }, 'could not stop in order');
      exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        void stop(signal);
      } else if (performance.now() - stoppingSince > ONE_KEYPRESS_MS) process.exit(1);
    });
  }
};

main().catch((thrown: unknown) => {
  const isMendable = thrown instanceof Failure && thrown.code === 'options_invalid';
  const isPlain = isMendable || thrown instanceof CannotServe;
  process.stderr.write(`${thrown instanceof Error ? (isPlain ? thrown.message : thrown.stack) : thrown}\n`);
  exit(isMendable ? 2 : 1);
});
