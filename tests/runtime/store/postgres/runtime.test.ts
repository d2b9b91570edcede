/** The contract of the runtime, over PostgreSQL. */
import { test } from 'node:test';
import { runtimeContract } from '../../../contracts/runtime.ts';
import { withoutPostgres } from '../../../support/postgres.ts';
import { PostgresWorld } from '../../../support/postgres-world.ts';

if (withoutPostgres) test('in PostgreSQL', { skip: withoutPostgres }, () => {});
else {
  runtimeContract('in PostgreSQL', (t, workflows, options = {}) => PostgresWorld.open(t, workflows, { options }));
}
