/** The store that forgets everything with the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../../../runtime/index.ts';
import { MemoryVault } from '../../../runtime/store/memory-vault.ts';
import { record, storeContract } from '../../contracts/store.ts';
import { vaultContract } from '../../contracts/vault.ts';
import { DelayedStore } from '../../support/delayed-store.ts';

storeContract('memory store', (_t, limits) => new MemoryStore(limits));

vaultContract(
  'memory vault',
  async () => {
    const vault = new MemoryVault();
    return { vault, reopen: async () => vault, stored: async () => '' };
  },
  { survives: false },
);

/** The other tests use it to be late; so it has to be a store. */
storeContract('late store', (_t, limits) => new DelayedStore(limits));

test('a memory store keeps nothing beyond its end', () => {
  const store = new MemoryStore({ maxJournalFacts: 10, maxJournalBytes: 1_000 });
  store.append(record('e1'), { type: 'slot.granted', seq: 1, at: 1 });

  store.close();

  assert.equal(store.read('e1'), undefined);
});

test('a journal that is full is trimmed rarely: room for a tenth is made at once', () => {
  const store = new MemoryStore({ maxJournalFacts: 100, maxJournalBytes: 1_000_000 });
  const lengths: number[] = [];

  for (let seq = 1; seq <= 200; seq += 1) {
    store.append(record('e1'), { type: 'output.emitted', call: seq, value: seq, seq, at: seq });
    lengths.push(store.read('e1')!.entries.length);
  }

  assert.equal(Math.max(...lengths), 100);
  assert.equal(Math.min(...lengths.slice(100)), 90);
});
