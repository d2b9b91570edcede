/** The store that outlives the process: the contract, and what it finds again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DurableStore } from '../../../runtime/index.ts';
import { storeContract } from '../../contracts/store.ts';

const directory = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

storeContract(
  'durable store',
  (t, limits) => DurableStore.open({ directory: directory(t), parkedTimeoutMs: 1_000, maxDataBytes: 1e9, ...limits }),
  25,
);
