/** A PostgreSQL server for the tests of one file, without `fsync`. */
import { after } from 'node:test';
import { defaults } from '../../runtime/index.ts';
import type { Beats } from '../../runtime/store/postgres/beats.ts';
import { PostgresStore, type PostgresStoreOptions } from '../../runtime/store/postgres/store.ts';
import { PostgresServer } from './postgres-server.ts';

export { withoutPostgres } from './postgres-server.ts';

let server: Promise<PostgresServer> | undefined;

/** The server of this file. It ends with the tests. */
export const postgres = (): Promise<PostgresServer> => {
  server ??= (async () => {
    const started = new PostgresServer();
    await started.start();
    return started;
  })();
  return server;
};

after(async () => (await server)?.end());

/** The lease is long enough for a test, which ends it when it wants to. */
const silent = (): Beats => ({ begun: Promise.resolve(), close: async () => {} });

export const openPostgres = (url: string, more: Partial<PostgresStoreOptions> = {}): Promise<PostgresStore> => {
  const { maxJournalFacts, maxJournalBytes, parkedTimeoutMs } = defaults;
  // A loaded machine may take seconds to connect.
  const given = { url, maxJournalFacts, maxJournalBytes, parkedTimeoutMs, connectMs: 15_000 };
  return PostgresStore.open({ ...given, leaseMs: 3_600_000, beat: silent, ...more });
};
