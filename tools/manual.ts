/** `npm run manual` writes the tables of settings into `docs/configuration.md`. Each row comes from the definition of its setting. */
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { issuer, provider } from '../cli/config/credentials.ts';
import { names, settings } from '../cli/config/schema.ts';
import { flagName, type Setting, settingsOf, variableOf } from '../cli/config/setting.ts';
import { endpoint } from '../cli/config/settings-of-nat.ts';

const code = (text: string): string => `\`${text}\``;
const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;

const initialOf = ({ initial }: Setting): string =>
  initial === 'required' || initial === 'not set' ? initial : code(initial || '""');

const rowOf = (setting: Setting): string => {
  const ways = [variableOf(setting), flagName(setting)].filter((way) => way !== undefined);
  const { name, holds, description = '' } = setting;
  return row(code(name), ways.map(code).join(', '), holds, initialOf(setting), description);
};

const rowsIn = (section: string): string[] => settings.filter(({ path }) => path[0] === section).map(rowOf);

/** Entries of a list or map have no variable and no option. */
const entryRowsOf = (entry: Parameters<typeof settingsOf>[0]): string[] =>
  settingsOf(entry)
    .filter(({ natOnly }) => natOnly === undefined)
    .map((setting) => row(code(setting.name), setting.holds, initialOf(setting), setting.description ?? ''));

/** Names of NAT with one explanation share a row. */
const natRows = (): string[] => {
  const namesBy = new Map<string, string[]>();
  const add = (known: readonly Setting[], owner = ''): void => {
    for (const { name, natOnly } of known) {
      if (natOnly !== undefined) namesBy.set(natOnly, [...(namesBy.get(natOnly) ?? []), code(name) + owner]);
    }
  };
  add(names);
  add(settingsOf(endpoint), ' of an endpoint');
  add(settingsOf(provider), ' of a provider');
  return [...namesBy].map(([here, shared]) => row(shared.join(', '), here));
};

/** The rows of each chapter that has a table of settings, by its heading. */
export const chapters: Readonly<Record<string, readonly string[]>> = {
  'Settings of NAT': rowsIn('general'),
  'Settings of Fermata': rowsIn('fermata'),
  Endpoints: entryRowsOf(endpoint),
  'Providers of consents': entryRowsOf(provider),
  'Issuers of JWTs': entryRowsOf(issuer),
  'What NAT has and we do not': natRows(),
};

/** The manual with these rows in the place of those that it has. Throws if a chapter is missing or has no table. */
export const withRows = (manual: string): string =>
  Object.entries(chapters).reduce((text, [heading, rows]) => {
    const start = text.indexOf(`\n## ${heading}\n`);
    const end = text.indexOf('\n## ', start + 1);
    const chapter = text.slice(start, end < 0 ? undefined : end);
    const table = /(?<=\n\|[-|: ]+\|\n)(?:\|.*\|\n)+/;
    if (start < 0 || !table.test(chapter)) throw new Error(`The chapter "${heading}" has no table.`);
    return text.replace(chapter, () => chapter.replace(table, () => `${rows.join('\n')}\n`));
  }, manual);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../docs/configuration.md', import.meta.url);
  await writeFile(file, withRows(await readFile(file, 'utf8')));
}
