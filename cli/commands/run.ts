/** `fermata run`: runs a workflow once in the terminal, without a server. */
import type { Command } from 'commander';
import { pino } from 'pino';
import { FAILED, type Log } from '../../runtime/index.ts';
import { readConfig } from '../config/read.ts';
import type { Host } from '../host.ts';
import { exit } from '../output.ts';
import { readInput } from '../terminal/input.ts';
import { openRuntime } from '../terminal/open-runtime.ts';
import { perform } from '../terminal/perform.ts';
import { addSettings, type TypedSettings, typedSettings } from './settings.ts';
import { loadModule } from './workflow-module.ts';

export interface RunAsked extends TypedSettings {
  readonly run: 'run';
  /** The file with the workflow. */
  readonly module: string;
  /** JSON, or `-` for standard input. */
  readonly input: string | undefined;
  readonly answers: readonly string[];
  readonly user: string | undefined;
}

const settings = {
  '--data': 'Stores the execution in this directory. Default: in memory, until the command ends.',
  '--port': 'Port for the callback of a consent. Default: that of the configuration, else 8000.',
  '--log-level': 'The lowest level that is logged. Default: error.',
};
type Options = { readonly input?: string; readonly answer?: readonly string[]; readonly user?: string };

export const declareRun = (program: Command, asked: (what: RunAsked) => void): void => {
  const command = program
    .command('run')
    .summary('run a workflow once, in this terminal')
    .description(
      'Runs the workflow that is the default export of a module, without a server, and asks its prompts in the ' +
        'terminal. Its output goes to standard output, everything else to standard error.',
    )
    .argument('<module>', 'TypeScript or JavaScript file')
    .option('--input <json>', 'its input; - reads it from standard input')
    .option('--answer <text>', 'answers the next prompt: a text, or options by id (may be repeated)', more)
    .option('--user <id>', 'user id of the run (default: the user of the operating system)')
    .addHelpText('after', moreHelp)
    .action((module: string, { input, answer: answers = [], user }: Options) =>
      asked({ run: 'run', module, input, answers, user, ...typedSettings(command) }),
    );
  addSettings(command, settings);
};

const more = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

const moreHelp = `
Outside of a terminal, --answer answers prompts, and a prompt without an answer ends the run. If the run
needs a consent, the command shows its link and receives the callback at the port and path of the
configuration. The execution is stored only with --data, whatever the configuration says.

Exit codes: 0 completed, 1 failed, 2 a mistake that you can correct, 130 cancelled.

Examples:
  fermata run examples/02-approval.ts --input '{"amount": 1200}'
  echo '{"amount": 1200}' | fermata run examples/02-approval.ts --input - --answer yes`;

/** The log is for operators of a server. Here it shows only errors, unless a level is set. */
const QUIET = { '--log-level': 'error' };
const isQuiet = ({ logLevel }: { readonly logLevel: string }): boolean => logLevel === QUIET['--log-level'];

/** The command itself reports that the workflow has failed. */
const withoutFailures = (log: Log): Log => ({
  debug: (fields, message) => log.debug(fields, message),
  info: (fields, message) => log.info(fields, message),
  warn: (fields, message) => log.warn(fields, message),
  error: (fields, message) => message === FAILED || log.error(fields, message),
});

export const run = async (asked: RunAsked, { env, streams }: Host): Promise<void> => {
  const memory = String(asked.flags['--data'] === undefined); // the data directory in the configuration belongs to a server
  const config = readConfig({ file: asked.file, env, flags: { ...QUIET, '--memory': memory, ...asked.flags } });
  const { workflow } = await loadModule(asked.module);
  const input = await readInput(workflow, asked.input, streams.stdin);
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const { runtime, close } = await openRuntime(workflow, config, isQuiet(config) ? withoutFailures(log) : log);
  let exitCode: number;
  try {
    exitCode = await perform({ workflow, input, answers: asked.answers, user: asked.user, runtime, streams });
  } finally {
    await close();
  }
  exit(exitCode);
};
