/** `fermata run`: runs a workflow once in the terminal, without a server. */
import type { Command } from 'commander';
import { pino } from 'pino';
import { FAILED, type Log } from '../../runtime/index.ts';
import { keys, readConfig } from '../config/read.ts';
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

const settings = [keys.data, keys.port, keys.logLevel];
type Options = { readonly input?: string; readonly answer: readonly string[]; readonly user?: string };

export const declareRun = (program: Command, asked: (what: RunAsked) => void): void => {
  const command = program
    .command('run')
    .summary('run a workflow once, here')
    .description(
      'Runs the workflow that is the default export of a module, without a server, and asks its prompts in the ' +
        'terminal. What it puts out goes to standard output, all else to standard error.',
    )
    .argument('<module>', 'TypeScript or JavaScript file')
    .option('--input <json>', 'its input; - reads it from standard input')
    .option('--answer <text>', 'answers the next prompt: a text, or options by id (may be repeated)', more, [])
    .option('--user <id>', 'on whose behalf (default: the user of the system)')
    .addHelpText('after', moreHelp)
    .action((module: string, { input, answer: answers, user }: Options) =>
      asked({ run: 'run', module, input, answers, user, ...typedSettings(command, settings) }),
    );
  addSettings(command, settings);
};

const more = (text: string, before: readonly string[]): readonly string[] => [...before, text];

const moreHelp = `
Where there is no terminal, prompts are answered with --answer, or the run ends. If it needs a
consent, its link is shown, and the callback is taken at the port and the path of the configuration.
What happens is kept in memory, whatever the configuration says, unless there is --data.

Exit codes: 0 it completed, 1 it failed, 2 something that you can mend, 130 it was cancelled.

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
