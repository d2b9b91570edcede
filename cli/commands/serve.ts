/** `fermata serve`: serves a workflow over HTTP until a signal stops it. */
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { guardedLog, refuseExit } from '../../runtime/index.ts';
import type { Server } from '../../server/index.ts';
import { reportStore } from '../../server/open-store.ts';
import { olderVersions } from '../../server/versions.ts';
import { readConfig } from '../config/read.ts';
import { greeting } from '../greeting.ts';
import type { Host } from '../host.ts';
import { exit, openLog } from '../output.ts';
import { listening } from '../refusals.ts';
import { addSettings, type TypedSettings, typedSettings } from './settings.ts';
import { loadModules } from './workflow-module.ts';

export interface ServeAsked extends TypedSettings {
  readonly run: 'serve';
  /** The file with the workflow, and files with further workflows or other versions. */
  readonly modules: readonly string[];
}

export const declareServe = (program: Command, asked: (what: ServeAsked) => void): void => {
  const command = program
    .command('serve')
    .summary('serve a workflow')
    .description(
      'Loads a module whose default export is a workflow, and serves it until a signal (SIGTERM, SIGINT). ' +
        'It then accepts no new work, lets running executions finish, and exits. Further modules have other workflows, or other ' +
        'versions of it: new executions use the last version in the list, open executions keep theirs.',
    )
    .argument('<module...>', 'TypeScript or JavaScript files')
    .addHelpText('after', moreHelp)
    .action((modules: readonly string[]) => asked({ run: 'serve', modules, ...typedSettings(command) }));
  addSettings(command);
};

const moreHelp = `
Every setting of the file has a variable too. Its name is the setting without general, front_end
and fermata: general.front_end.cors.allow_origins is FERMATA_CORS_ALLOW_ORIGINS. Separate the items of
a list with commas. An option overrides a variable, and a variable overrides the file. Secrets have no
option, because other users can read command lines: use FERMATA_OPERATOR_KEY, FERMATA_JWT_SECRET,
FERMATA_DATA_SECRET, and \${NAME} in the file. docs/configuration.md lists all of them.

Examples:
  fermata serve examples/02-approval.ts --data /var/lib/approvals
  fermata serve approval-v1.ts approval-v2.ts
  FERMATA_LOG_LEVEL=debug fermata serve approval.ts --config fermata.yaml --host 0.0.0.0 --port 80`;

export const serve = async ({ modules, file, flags }: ServeAsked, { env, streams }: Host): Promise<void> => {
  const config = readConfig({ file, env, flags });
  const log = openLog(config.logLevel);
  for (const warning of config.warnings) log.warn(warning);
  const { workflow, workflows } = await loadModules(modules);
  refuseExit(); // executions resume before the server listens
  // The runtime logs errors that a run does not catch. These are the others: of builders, and of the author's modules.
  const late = guardedLog(log); // it may be closed already
  process.on('unhandledRejection', (err) => late.error({ err }, 'unhandled rejection of a promise'));
  process.on('uncaughtException', (err) => late.error({ err }, 'uncaught error outside of a run'));
  const server = await listening({ workflow, workflows, config, log });
  stopOnSignals(server, log);
  reportStore(config, log);
  const { name, version } = workflow;
  const older = olderVersions(workflow, workflows);
  log.info(
    { url: server.url, workflow: name, version, ...(older.length > 0 && { olderVersions: older }) },
    'listening',
  );
  if (!log.isLevelEnabled('info')) return;
  const { workflow: paths, console } = config;
  streams.stderr.write(await greeting({ url: server.url, workflow, older, paths, console }));
};

/** npm forwards signals that the terminal sends to all processes, so one Ctrl-C may arrive twice. */
const ONE_KEYPRESS_MS = 300;

/** The first signal shuts down in order; a second one exits at once. */
const stopOnSignals = (server: Server, log: Logger): void => {
  let stoppingSince: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping');
    try {
      await server.close();
      log.info('stopped');
      exit(0);
    } catch (err) {
      log.error({ err }, 'the shutdown failed');
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
