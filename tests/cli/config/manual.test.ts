/** The manual says what the tables say, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { issuerKeys } from '../../../cli/config/identity-keys.ts';
import { flagName, type Key, shownInitial, type Table, variableOf } from '../../../cli/config/key.ts';
import { endpointKeys, natKeys } from '../../../cli/config/nat-keys.ts';
import { foreign, foreignInEndpoint, foreignInProvider } from '../../../cli/config/nat-names.ts';
import { ownKeys, providerKeys } from '../../../cli/config/own-keys.ts';
import { keys, readConfig } from '../../../cli/config/read.ts';

const manual = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

const rowsOf = (heading: string): string[] => {
  const chapter = manual.split('\n## ').find((part) => part.startsWith(`${heading}\n`));
  assert.ok(chapter !== undefined, `the manual has no chapter ${heading}`);
  return chapter.split('\n').filter((line) => line.startsWith('| `'));
};

const code = (text: string): string => `\`${text}\``;
const initial = (key: Key<unknown>): string => {
  const shown = shownInitial(key);
  return shown === 'required' || shown === 'not set' ? shown : code(shown);
};
const row = (...cells: string[]): string => `| ${cells.join(' | ')} |`;
const rowOf = (key: Key<unknown>): string => {
  const ways = [variableOf(key), flagName(key)].filter((way) => way !== undefined);
  return row(code(key.path), ways.map(code).join(', '), key.kind.expected, initial(key), key.meaning);
};
const entryRowOf = (key: Key<unknown>): string => row(code(key.path), key.kind.expected, initial(key), key.meaning);

const tables: [heading: string, table: Table, rowOf: (key: Key<unknown>) => string][] = [
  ['Settings of NAT', natKeys, rowOf],
  ['Settings of Fermata', ownKeys, rowOf],
  ['Endpoints', endpointKeys, entryRowOf],
  ['Providers of consents', providerKeys, entryRowOf],
  ['Issuers of JWTs', issuerKeys, entryRowOf],
];

for (const [heading, table, rowFor] of tables) {
  test(`the chapter "${heading}" of the manual lists every setting as it is, and no other`, () => {
    assert.deepEqual(rowsOf(heading), Object.values(table).map(rowFor));
  });
}

test('the manual lists every name of NAT that has no effect here, and no other', () => {
  const firstCells = rowsOf('What NAT has and we do not').map((line) => line.split(' | ')[0] ?? '');
  const listed = firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

  const known = [...foreign.keys(), ...foreignInEndpoint.keys(), ...foreignInProvider.keys()];

  assert.deepEqual(listed.sort(), known.sort());
});

test('the example of the manual is a configuration', () => {
  const [, example] = /```yaml\n(.*?)```/s.exec(manual) ?? [];

  const config = readConfig({ text: example ?? '', env: { BANK_SECRET: 'of the bank' } });

  assert.equal(config.host, '0.0.0.0');
  assert.equal(config.providers.bank?.clientSecret, 'of the bank');
  assert.equal(config.runtime.retentionMs, 3_600_000);
  assert.deepEqual(config.identity.jwt?.audience, ['expenses']);
});

test('no two settings have one variable', () => {
  const variables = Object.values<Key<unknown>>(keys).map(variableOf);

  assert.equal(new Set(variables).size, variables.length);
});
