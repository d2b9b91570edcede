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
    .helpCommand('help [command]', 'print the help of a command')
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
    const command = commandIn(program, typed);
    const help = `Help: ${fullName(command)} --help`;
    return { run: 'print', text: isHelp ? text : `${text}${hint(text, program, command)}\n${help}\n`, exitCode: 2 };
  }
  return invocation ?? { run: 'print', text: program.helpInformation(), exitCode: 2 };
};

/** The command that the first words name. */
const commandIn = (program: Command, [word, ...more]: readonly string[]): Command => {
  const inner = program.commands.find((known) => known.name() === word);
  return inner === undefined ? program : commandIn(inner, more);
};

const fullName = (command: Command): string =>
  command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();

/** What Commander does not guess. */
const hint = (error: string, program: Command, command: Command): string => {
  const [, module] = /unknown command '(.*\.[cm]?[jt]s)'/.exec(error) ?? [];
  if (module !== undefined) return `(To serve a module: fermata serve ${module})\n`;
  const [, name, value] = /unknown option '(--[\w-]+)(=?)/.exec(error) ?? [];
  const isKnown = (one: Command | undefined): boolean => one?.options.some(({ long }) => long === name) === true;
  if (value && isKnown(command)) return `(${name} takes no value)\n`;
  const isOfServe = command === program && isKnown(commandIn(program, ['serve']));
  return isOfServe ? `(Options stand after a command: fermata serve a.ts ${name})\n` : '';
};
