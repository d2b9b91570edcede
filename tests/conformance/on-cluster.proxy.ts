/** The recorded traffic once more, on three servers that share a database, behind a round-robin. */
import { test } from 'node:test';
import { withoutPostgres } from '../support/postgres.ts';

if (withoutPostgres) test('clients of NAT see the same of three servers', { skip: withoutPostgres }, () => {});
else {
  process.env.FERMATA_TEST_SERVERS = '3';
  await import('./conformance.test.ts');
}
