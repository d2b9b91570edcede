/** Settings of the server as options of a command: the file, and settings with a flag. */
import { type Command, Option } from 'commander';
import { fileVariable } from '../config/check-names.ts';
import { flagName, type Key, shownInitial, variableOf } from '../config/key.ts';
import type { Flags } from '../config/reader.ts';

/** The typed settings, unchecked, for `readConfig`. */
export interface TypedSettings {
  /** Path of the YAML file. */
  readonly file: string | undefined;
  readonly flags: Flags;
}

export const addSettings = (command: Command, keys: readonly Key<unknown>[]): void => {
  command.option('--config <file>', `YAML file with all settings, those of NAT too (default: none; ${fileVariable})`);
  for (const key of keys) if (key.flag !== undefined) command.addOption(optionOf(key, key.flag));
};

const optionOf = (key: Key<unknown>, flag: string): Option => {
  const details = [key.kind.expected, `default ${shownInitial(key)}`, variableOf(key)];
  return new Option(flag, `${key.meaning} (${details.join('; ')})`);
};

export const typedSettings = (command: Command, keys: readonly Key<unknown>[]): TypedSettings => {
  const { config, ...given } = command.opts<Record<string, string | true | undefined>>();
  const names = keys.flatMap((key) => flagName(key) ?? []);
  const options = command.options.filter(({ long }) => names.includes(long ?? ''));
  const flags = options.flatMap((option) => {
    const value = given[option.attributeName()];
    return value === undefined ? [] : [[option.long ?? '', String(value)] as const];
  });
  return { file: config === undefined ? undefined : String(config), flags: Object.fromEntries(flags) };
};
