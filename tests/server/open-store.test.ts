import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../server/open-store.ts';
import { serverDefaults } from '../../server/options.ts';

test('an address of a database is refused by name, and no directory is made of it', async () => {
  for (const data of ['postgres://localhost/fermata', 'postgresql://localhost/fermata', 'Postgres://localhost/x']) {
    await assert.rejects(openStore({ ...serverDefaults, data }), { code: 'options_invalid', message: /PostgreSQL/ });
  }
});
