/** `npm run lab`: serves one profile for tests from outside, until a signal stops it. */
import { Command, CommanderError, Option } from 'commander';
import { readConfig } from '../../cli/config/read.ts';
import { settings } from '../../cli/config/schema.ts';
import { Failure } from '../../runtime/index.ts';
import { startLab } from './lab.ts';
import { profiles } from './profiles.ts';

const profileOption = new Option('--profile <name>', 'what is served')
  .choices(Object.keys(profiles))
  .makeOptionMandatory();

/** Beside the profile all options of `fermata serve`. Throws a CommanderError once it has printed help, or what is wrong. */
const readOptions = (typed: readonly string[]) => {
  const command = new Command('npm run --silent lab --')
    .description('Serves workflows that obey commands, as a profile of the recorded traffic asks for.')
    .addOption(profileOption)
    .exitOverride();
  for (const { flag, description } of settings) if (flag !== undefined) command.option(flag, description);
  command.parse(typed, { from: 'user' });
  const given = command.opts<Record<string, string | undefined>>();
  const { profile = '' } = given;
  const others = command.options.filter((option) => option !== profileOption);
  const flags = others.map((option) => [option.long ?? '', given[option.attributeName()]] as const);
  return { profile, flags: Object.fromEntries(flags) };
};

const serve = async (typed: readonly string[]): Promise<void> => {
  const { profile, flags } = readOptions(typed);
  const config = readConfig({ env: { FERMATA_HOST: '127.0.0.1', FERMATA_MEMORY: 'true' }, flags });
  const lab = await startLab(profile, { config });
  process.stdout.write(`lab ${profile} listens on ${lab.base}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void lab.close());
};

/** 0 for help, 2 for a command line that cannot be understood, 1 for a server that cannot be started. */
const report = (thrown: unknown): number => {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (!(thrown instanceof Error)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  return thrown instanceof Failure && thrown.code === 'options_invalid' ? 2 : 1;
};

await serve(process.argv.slice(2)).catch((thrown: unknown) => {
  process.exitCode = report(thrown);
});
