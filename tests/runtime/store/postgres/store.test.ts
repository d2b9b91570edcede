/** The store in PostgreSQL: the contracts. */
import { type TestContext, test } from 'node:test';
import type { PostgresStore } from '../../../../runtime/store/postgres/store.ts';
import { archiveContract } from '../../../contracts/archive.ts';
import { storeContract } from '../../../contracts/store.ts';
import { vaultContract } from '../../../contracts/vault.ts';
import { openPostgres, postgres, withoutPostgres } from '../../../support/postgres.ts';

if (withoutPostgres) test('PostgreSQL store', { skip: withoutPostgres }, () => {});
else {
  const opened = async (t: TestContext, secret?: string) => {
    const url = await (await postgres()).database();
    let store!: PostgresStore;
    const reopen = async (next = secret) => {
      await store?.close();
      store = await openPostgres(url, { parkedTimeoutMs: 1_000, secret: next });
      return store;
    };
    await reopen();
    t.after(() => store.close());
    return { url, store, reopen };
  };

  storeContract(
    'PostgreSQL store',
    async (_t, limits) => openPostgres(await (await postgres()).database(), limits),
    10,
  );

  archiveContract('PostgreSQL store', async (t) => {
    const { store, reopen } = await opened(t);
    return { store, reopen: () => reopen() };
  });

  vaultContract('PostgreSQL store', async (t, secret) => {
    const { url, store, reopen } = await opened(t, secret);
    return {
      vault: store.vault,
      reopen: async (next) => (await reopen(next)).vault,
      stored: async () => JSON.stringify(await (await postgres()).sql('SELECT * FROM fermata.vault', url)),
    };
  });
}
