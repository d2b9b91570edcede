/** What can be wrong with a directory, and what is said about it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { execute } from '../../support/database.ts';
import { openStore, temporaryDirectory } from '../../support/durable.ts';

const refused = (path: string, detail: RegExp) =>
  assert.rejects(openStore(path), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'options_invalid');
    assert.match(error.message, detail);
    return true;
  });

test('a directory that is in use is refused, and it is said by whom', async (t) => {
  const path = temporaryDirectory(t);
  const store = await openStore(path);

  await refused(path, new RegExp(`in use by process ${process.pid} .*--data`));

  await store.close();
  await (await openStore(path)).close();
});

test('a file that is no database is refused as damaged, and is left as it is', async (t) => {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'fermata.db'), 'garbage, '.repeat(1_000));

  await refused(path, /fermata\.db cannot be opened: .*damaged/);
});

test('a file of a newer version is refused by its number', async (t) => {
  const path = temporaryDirectory(t);
  await (await openStore(path)).close();
  execute(path, 'PRAGMA user_version = 99');

  await refused(path, /newer version of Fermata \(form 99/);
});

test('a directory that cannot be made is refused by name', async (t) => {
  const path = join(temporaryDirectory(t), 'a-file');
  writeFileSync(path, '');

  await refused(join(path, 'below'), /a-file\/below cannot be created/);
});
