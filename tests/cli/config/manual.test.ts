/** The manual says what the tables say, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readConfig } from '../../../cli/config/read.ts';
import { settings } from '../../../cli/config/schema.ts';
import { variableOf } from '../../../cli/config/setting.ts';
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

test('the example of the manual is a configuration', () => {
  const [, example] = /```yaml\n(.*?)```/s.exec(manual) ?? [];

  const config = readConfig({ text: example ?? '', env: { BANK_SECRET: 'of the bank' } });

  assert.equal(config.host, '0.0.0.0');
  assert.equal(config.providers.bank?.clientSecret, 'of the bank');
  assert.equal(config.runtime.retentionMs, 3_600_000);
  assert.deepEqual(config.identity.jwt?.audience, ['expenses']);
});

test('no two settings have one variable', () => {
  const variables = settings.map(variableOf);

  assert.equal(new Set(variables).size, variables.length);
});
