import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStoredData, StoredExecutions, silentLog } from '../../runtime/index.ts';
import { openStore, reportStore } from '../../server/open-store.ts';
import { serverDefaults } from '../../server/options.ts';
import { postgres, withoutPostgres } from '../support/postgres.ts';

const secretly = 'postgres://ada:s3cr3t@127.0.0.1:1,localhost:2/fermata';
const without = { message: /^(?!.*s3cr3t).*$/s };

test('a database that cannot be reached, or an address that is none, is refused by name and without its password', async () => {
  const refused = (data: string) => openStore({ ...serverDefaults, data });

  await assert.rejects(refused(secretly), { code: 'options_invalid', message: /127\.0\.0\.1:1,localhost:2\/fermata/ });
  await assert.rejects(refused(secretly), without);
  for (const data of ['postgres://ada:s3cr3t@localhost', 'Postgresql://', 'postgres:x']) {
    await assert.rejects(refused(data), { code: 'options_invalid', message: /postgres:\/\/user:password@host/ });
    await assert.rejects(refused(data), without);
  }
});

test('a limit for the bytes of a file is refused for a database', async () => {
  const given = { ...serverDefaults, data: secretly, maxDataBytes: 1e9 };

  await assert.rejects(openStore(given), { code: 'options_invalid', message: /maxDataBytes/ });
});

test('what is told of a database has no password, at the start, and where it cannot be opened', async () => {
  const told: unknown[] = [];

  reportStore({ ...serverDefaults, data: secretly }, { ...silentLog, info: (...all) => void told.push(all) });

  assert.deepEqual(told[0], [{ database: '127.0.0.1:1,localhost:2/fermata' }, 'executions are stored in a database']);
  assert.throws(() => new StoredExecutions(secretly), without);
  await assert.rejects(openStoredData(secretly), without);
});

test('an address of a database opens a store in it', { skip: withoutPostgres }, async (t) => {
  const data = await (await postgres()).database();

  const { store } = await openStore({ ...serverDefaults, data });

  t.after(() => store?.close());
  assert.ok(store?.archive);
});
