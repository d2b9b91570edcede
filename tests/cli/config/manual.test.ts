/** The manual says what the tables say, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Key, variableOf } from '../../../cli/config/key.ts';
import { foreign, foreignInEndpoint, foreignInProvider } from '../../../cli/config/nat-names.ts';
import { keys, readConfig } from '../../../cli/config/read.ts';
import { chapters, withRows } from '../../../tools/manual.ts';

const manual = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

const rowsOf = (heading: string): string[] => {
  const chapter = manual.split('\n## ').find((part) => part.startsWith(`${heading}\n`));
  assert.ok(chapter !== undefined, `the manual has no chapter ${heading}`);
  return chapter.split('\n').filter((line) => line.startsWith('| `'));
};

for (const [heading, rows] of Object.entries(chapters)) {
  test(`the chapter "${heading}" of the manual lists every setting as it is, and no other`, () => {
    assert.deepEqual(rowsOf(heading), rows, 'npm run manual writes it');
  });
}

test('the manual is written from the settings: lost rows come back, and all else stays', () => {
  const damaged = manual.replaceAll(/^\| `fermata\.\w+`.*\n/gm, (row) => (row.includes('fermata.data`') ? row : ''));

  assert.notEqual(damaged, manual);
  assert.equal(withRows(damaged), manual);
});

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
