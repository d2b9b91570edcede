/** The store that outlives the process, in a file: the contracts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DurableStore } from '../../../runtime/index.ts';
import { archiveContract } from '../../contracts/archive.ts';
import { storeContract } from '../../contracts/store.ts';
import { vaultContract } from '../../contracts/vault.ts';
import { RemoteStore } from '../../support/remote-store.ts';
import { reopenableStore } from '../../support/reopenable-store.ts';

const directory = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

storeContract(
  'durable store',
  (t, limits) => DurableStore.open({ directory: directory(t), parkedTimeoutMs: 1_000, maxDataBytes: 1e9, ...limits }),
  { runs: 25 },
);

const overtaken = new Set<string>();
storeContract(
  'store that answers later',
  async (t, limits) => {
    overtaken.clear();
    const options = { directory: directory(t), parkedTimeoutMs: 1_000, maxDataBytes: 1e9, ...limits };
    const store = new RemoteStore(await DurableStore.open(options));
    store.isOvertaken = (id) => overtaken.has(id);
    return store;
  },
  { runs: 10, overtake: async (_store, id) => void overtaken.add(id) },
);

archiveContract('durable store', (t) => reopenableStore(t, undefined));

archiveContract('store that answers later', async (t) => {
  const kept = await reopenableStore(t, undefined);
  return { store: new RemoteStore(kept.store), reopen: async () => new RemoteStore(await kept.reopen()) };
});

vaultContract('durable store', async (t, secret) => {
  const { store, reopen, bytes } = await reopenableStore(t, secret);
  return {
    vault: store.vault,
    reopen: async () => (await reopen()).vault,
    stored: async () => bytes().toString('latin1'),
  };
});
