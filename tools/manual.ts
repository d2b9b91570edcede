/** `npm run manual` writes the tables of settings into `docs/configuration.md`. Each row comes from the definition of its setting. */
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { issuerKeys } from '../cli/config/identity-keys.ts';
import { flagName, type Key, shownInitial, type Table, variableOf } from '../cli/config/key.ts';
import { endpointKeys, natKeys } from '../cli/config/nat-keys.ts';
import { ownKeys, providerKeys } from '../cli/config/own-keys.ts';

const code = (text: string): string => `\`${text}\``;
const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;

const initialOf = (key: Key<unknown>): string => {
  const shown = shownInitial(key);
  return shown === 'required' || shown === 'not set' ? shown : code(shown);
};

const rowOf = (key: Key<unknown>): string => {
  const ways = [variableOf(key), flagName(key)].filter((way) => way !== undefined);
  return row(code(key.path), ways.map(code).join(', '), key.kind.expected, initialOf(key), key.meaning);
};

/** Entries of a list or map have no variable and no option. */
const entryRowOf = (key: Key<unknown>): string => row(code(key.path), key.kind.expected, initialOf(key), key.meaning);

const rowsOf = (table: Table, write: (key: Key<unknown>) => string): string[] => Object.values(table).map(write);

/** The rows of each chapter that has a table of settings, by its heading. */
export const chapters: Readonly<Record<string, readonly string[]>> = {
  'Settings of NAT': rowsOf(natKeys, rowOf),
  'Settings of Fermata': rowsOf(ownKeys, rowOf),
  Endpoints: rowsOf(endpointKeys, entryRowOf),
  'Providers of consents': rowsOf(providerKeys, entryRowOf),
  'Issuers of JWTs': rowsOf(issuerKeys, entryRowOf),
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
