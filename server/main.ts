/** The process: command line, configuration, log, signals. The only file that reads the environment. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Logger, pino } from 'pino';
import { Failure, isWorkflow, type Workflow } from '../runtime/index.ts';
import { readCommandLine } from './command-line.ts';
import { readConfig, type ServerConfig } from './config.ts';
import { createServer, type Server } from './index.ts';

/** Exit codes: 2 for what the caller can mend (command line, configuration, module), 1 for the rest. */
const main = async (): Promise<void> => {
  const asked = readCommandLine(process.argv.slice(2));
  if (asked.run === 'print') {
    (asked.exitCode === 0 ? process.stdout : process.stderr).write(asked.text);
    process.exitCode = asked.exitCode;
    return;
  }
  const config = readConfig({ file: asked.file, env: process.env, flags: asked.flags });
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  for (const warning of config.warnings) log.warn(warning);
  const { workflow, workflows } = await load(asked.module);
  const server = await createServer({ workflow, workflows, config, log });
  log.info({ url: server.url, workflow: workflow.name }, 'listening');
  if (process.stderr.isTTY) process.stderr.write(greeting(server, workflow, config));
  stopOnSignals(server, log);
};

/** The default export is served; every other export that is a workflow can be named by `endpoints`. */
const load = async (file: string): Promise<{ workflow: Workflow; workflows: Workflow[] }> => {
  const url = pathToFileURL(resolve(file)).href;
  const module = (await import(url).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('options_invalid', { detail: `${file} cannot be loaded: ${reason}`, cause });
  })) as Record<string, unknown>;
  const { default: workflow } = module;
  if (!isWorkflow(workflow)) {
    const detail = `${file}: the default export must be a workflow, made by workflow({ name, run })`;
    throw new Failure('options_invalid', { detail });
  }
  return { workflow, workflows: Object.values(module).filter(isWorkflow) };
};

const greeting = ({ url }: Server, { name }: Workflow, { workflow }: ServerConfig): string => `
  ${name} is served at ${url}. Start it:

    curl -i ${url}${workflow.path ?? '/'} -H 'content-type: application/json' -d '{…}'

  GET ${url}/executions/<execution_id> tells how it stands. Ctrl-C stops in order, twice at once.

`;

/** The first signal stops in order, a second one at once. */
const stopOnSignals = (server: Server, log: Logger): void => {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1);
      isStopping = true;
      log.info({ signal }, 'stopping');
      server.close().then(
        () => {
          log.info('stopped');
          process.exit(0);
        },
        (err: unknown) => {
          log.error({ err }, 'could not stop in order');
          process.exit(1);
        },
      );
    });
  }
};

main().catch((thrown: unknown) => {
  const isMendable = thrown instanceof Failure && thrown.code === 'options_invalid';
  process.stderr.write(isMendable ? `${thrown.message}\n` : `${thrown instanceof Error ? thrown.stack : thrown}\n`);
  process.exit(isMendable ? 2 : 1);
});
