/** Settings of the server as options of a command: the file, and settings with a flag. */
import { type Command, Option } from 'commander';
import type { Flags } from '../config/reader.ts';
import { settings } from '../config/schema.ts';
import { fileVariable, flagName, variableOf } from '../config/setting.ts';

/** The typed settings, unchecked, for `readConfig`. */
export interface TypedSettings {
  /** Path of the YAML file. */
  readonly file: string | undefined;
  readonly flags: Flags;
}

/** `names`: those that the command needs. Default: all. */
export const addSettings = (command: Command, names?: readonly string[]): void => {
  command.option('--config <file>', `YAML file with all settings, those of NAT too (default: none; ${fileVariable})`);
  for (const setting of settings) {
    const { flag, description, holds, initial } = setting;
    if (flag === undefined || names?.includes(flagName(setting) ?? '') === false) continue;
    command.addOption(new Option(flag, `${description} (${holds}; default ${initial}; ${variableOf(setting)})`));
  }
};

export const typedSettings = (command: Command): TypedSettings => {
  const { config, ...given } = command.opts<Record<string, string | true | undefined>>();
  const known = new Set(settings.map(flagName));
  const flags = command.options.flatMap((option) => {
    const value = given[option.attributeName()];
    return option.long && known.has(option.long) && value !== undefined ? [[option.long, String(value)]] : [];
  });
  return { file: config === undefined ? undefined : String(config), flags: Object.fromEntries(flags) };
};
