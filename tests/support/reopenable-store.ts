/** A durable store in a directory of its own, which can be closed and opened again. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DurableStore } from '../../runtime/index.ts';

export const reopenableStore = async (t: TestContext, given: string | undefined) => {
  const directory = mkdtempSync(join(tmpdir(), 'fermata-'));
  const limits = { maxJournalFacts: 1_000, maxJournalBytes: 1e6, parkedTimeoutMs: 1_000, maxDataBytes: 1e9 };
  const open = (secret: string | undefined) => DurableStore.open({ directory, secret, ...limits });
  let store: DurableStore | undefined = await open(given);
  const close = async () => {
    await store?.close();
    store = undefined;
  };
  t.after(async () => {
    await close();
    rmSync(directory, { recursive: true });
  });
  return {
    get store(): DurableStore {
      return store!;
    },
    close,
    reopen: async (secret = given) => {
      await close();
      store = await open(secret);
      return store;
    },
    /** All bytes that are on the disk. */
    bytes: () => Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name)))),
  };
};
