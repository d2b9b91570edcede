/** The store in PostgreSQL: the contracts. */
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
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

  const urls = new WeakMap<object, string>();
  /** As a process does that has taken it over. */
  const overtake = async (store: object, id: string): Promise<void> => {
    const facts = '[{"type":"slot.granted","seq":2,"at":7}]';
    const moved = `UPDATE fermata.executions SET seq = 2, node = 'another' WHERE id = '${id}' RETURNING n`;
    const sql = `WITH moved AS (${moved}) INSERT INTO fermata.journal SELECT n, 2, '${facts}', ${crc32(facts)} FROM moved`;
    await (await postgres()).sql(sql, urls.get(store));
  };

  storeContract(
    'PostgreSQL store',
    async (_t, limits) => {
      const url = await (await postgres()).database();
      const store = await openPostgres(url, limits);
      urls.set(store, url);
      return store;
    },
    { runs: 10, overtake },
  );

  archiveContract('PostgreSQL store', async (t) => {
    const { store, reopen } = await opened(t);
    return { store, reopen: () => reopen() };
  });

  vaultContract('PostgreSQL store', async (t, secret) => {
    const { url, store, reopen } = await opened(t, secret);
    return {
      vault: store.vault,
      reopen: async () => (await reopen()).vault,
      stored: async () => JSON.stringify(await (await postgres()).sql('SELECT * FROM fermata.vault', url)),
    };
  });
}
