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

/** `meanings`: the options that the command needs, by name, and what they mean to it if that differs. Default: all. */
export const addSettings = (command: Command, meanings?: Readonly<Record<string, string>>): void => {
  command.option('--config <file>', `YAML file with all settings, those of NAT too (default: none; ${fileVariable})`);
  for (const setting of settings) {
    const { flag, description, holds, initial } = setting;
    const name = flagName(setting) ?? '';
    if (flag === undefined || (meanings !== undefined && !(name in meanings))) continue;
    const meaning = meanings?.[name];
    const sources = [...(initial === 'not set' ? [] : [`default ${initial}`]), variableOf(setting)];
    const details = meaning === undefined ? [holds, ...sources] : [holds];
    command.addOption(new Option(flag, `${meaning ?? description} (${details.join('; ')})`));
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
