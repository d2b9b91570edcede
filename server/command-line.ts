/** The command line of `fermata`: what it offers, how it helps, and what somebody has typed, as plain values. */
import { Command, CommanderError, Option } from 'commander';
import { keys } from './config.ts';
import { flagName, type Key, shownInitial, variableOf } from './config-key.ts';
import { fileVariable } from './config-names.ts';
import type { Flags } from './config-reader.ts';
import { packageVersion } from './package-version.ts';

export type Invocation =
  /** `module` is the file with the workflow; `file` and `flags` are for `readConfig`. */
  | { readonly run: 'serve'; readonly module: string; readonly file: string | undefined; readonly flags: Flags }
  /** Help or version, for standard output; or with exit code 2 what is wrong, for standard error. */
  | { readonly run: 'print'; readonly text: string; readonly exitCode: 0 | 2 };

/** `typed` is what follows `fermata`. The values of options are looked at by `readConfig`, with all other settings. */
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
  const serve = serveCommand(program);

  try {
    program.parse(typed, { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return { run: 'print', text, exitCode: 0 };
    const isHelp = thrown.code === 'commander.help'; // nothing was typed
    return { run: 'print', text: isHelp ? text : `${text}\nHelp: fermata serve --help\n`, exitCode: 2 };
  }
  const { config: file, ...given } = serve.opts<Record<string, string | undefined>>();
  const flags = serve.options.map((option) => [option.long ?? '', given[option.attributeName()]] as const);
  const typedFlags = flags.filter(([, value]) => value !== undefined);
  return { run: 'serve', module: serve.processedArgs[0] as string, file, flags: Object.fromEntries(typedFlags) };
};

const serveCommand = (program: Command): Command => {
  const command = program
    .command('serve')
    .summary('serve a workflow')
    .description(
      'Loads a module whose default export is a workflow, and serves it until it is told to stop (SIGTERM, SIGINT): ' +
        'then it takes no new work, lets what runs finish, and ends.',
    )
    .argument('<module>', 'TypeScript or JavaScript file')
    .option('--config <file>', `YAML file with all settings, those of NAT too (default: none; ${fileVariable})`)
    .addHelpText('after', moreHelp)
    .action(() => {});
  for (const key of Object.values(keys)) {
    if (flagName(key) !== undefined) command.addOption(optionOf(key));
  }
  return command;
};

const optionOf = (key: Key<unknown>): Option => {
  const details = [key.kind.expected, `default ${shownInitial(key)}`, variableOf(key)];
  return new Option(key.flag ?? '', `${key.meaning} (${details.join('; ')})`);
};

const moreHelp = `
Every setting of the file has a variable too. It is named as the setting, without general, front_end
and fermata: general.front_end.cors.allow_origins is FERMATA_CORS_ALLOW_ORIGINS. A variable holds a
list with commas. An option counts before a variable, and a variable before the file. Secrets have
no option, since others can read command lines: there are FERMATA_OPERATOR_KEY, FERMATA_JWT_SECRET,
and \${NAME} in the file. docs/configuration.md lists all of them.

Examples:
  fermata serve examples/02-approval.ts
  FERMATA_LOG_LEVEL=debug fermata serve approval.ts --config fermata.yaml --host 0.0.0.0 --port 80`;
