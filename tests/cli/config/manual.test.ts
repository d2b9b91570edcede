/** The manual says what the tables say, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { integer } from '../../../cli/config/kinds.ts';
import { readConfig } from '../../../cli/config/read.ts';
import { settings } from '../../../cli/config/schema.ts';
import { flagName, settingsOf, variableOf } from '../../../cli/config/setting.ts';
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

test('a setting is one entry: its name, variable, option, help and values come from it', () => {
  const section = z.strictObject({
    fermata: z.strictObject({
      max_guests: integer(1).default(12).meta({
        description: 'Maximum number of guests at a table.',
        flag: '--max-guests <number>',
      }),
    }),
  });

  const [setting, ...others] = settingsOf(section);

  assert.ok(setting !== undefined && others.length === 0);
  const { name, holds, initial, description } = setting;
  assert.deepEqual(
    [name, variableOf(setting), flagName(setting)],
    ['fermata.max_guests', 'FERMATA_MAX_GUESTS', '--max-guests'],
  );
  assert.deepEqual([holds, initial], ['an integer of at least 1', '12']);
  assert.equal(description, 'Maximum number of guests at a table.');
});

test('the page on extending shows the entry as it is', () => {
  const page = readFileSync(new URL('../../../docs/extending.md', import.meta.url), 'utf8');

  assert.ok(
    page.includes(`max_guests: integer(1).default(12).meta({\n  description: 'Maximum number of guests at a table.',`),
  );
});
