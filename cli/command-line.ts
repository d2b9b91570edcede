/** The command line of `fermata`: its commands, its help, and the typed words as plain values. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../server/package.ts';
import { declareExecutions, type ExecutionsAsked } from './commands/executions.ts';
import { declareGraph, type GraphAsked } from './commands/graph.ts';
import { declareRun, type RunAsked } from './commands/run.ts';
import { declareServe, type ServeAsked } from './commands/serve.ts';

export type Invocation =
  | ServeAsked
  | RunAsked
  | GraphAsked
  | ExecutionsAsked
  /** Help or version, for standard output; or with exit code 2 an error, for standard error. */
  | { readonly run: 'print'; readonly text: string; readonly exitCode: 0 | 2 };

/** `typed` are the words after `fermata`. `readConfig` checks the values of settings. */
export const readCommandLine = (typed: readonly string[]): Invocation => {
  let text = '';
  const print = (part: string): void => {
    text += part;
  };
  const program = new Command('fermata')
    .description('Serves workflows that wait for people, over HTTP, server-sent events and WebSocket.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', '\nStart with: fermata serve --help')
    .configureOutput({ writeOut: print, writeErr: print, getOutHelpWidth: () => 100, getErrHelpWidth: () => 100 })
    .exitOverride();
  let invocation: Invocation | undefined;
  const asked = (what: Invocation): void => {
    invocation = what;
  };
  for (const declare of [declareServe, declareRun, declareExecutions, declareGraph]) declare(program, asked);

  try {
    program.parse(typed, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return { run: 'print', text, exitCode: 0 };
    const isHelp = thrown.code === 'commander.help'; // nothing was typed
    const command = program.commands.find((known) => known.name() === typed[0]);
    const help = command === undefined ? 'fermata --help' : `fermata ${command.name()} --help`;
    return { run: 'print', text: isHelp ? text : `${text}${needless(text, command)}\nHelp: ${help}\n`, exitCode: 2 };
  }
  return invocation ?? { run: 'print', text: program.helpInformation(), exitCode: 2 };
};

/** Commander calls `--memory=false` an unknown option, because `--memory` takes no value. */
const needless = (error: string, command: Command | undefined): string => {
  const [, name] = /unknown option '(--[\w-]+)=/.exec(error) ?? [];
  return command?.options.some(({ long }) => long === name) ? `(${name} takes no value)\n` : '';
};
