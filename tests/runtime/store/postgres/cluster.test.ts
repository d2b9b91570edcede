/** Several runtimes on one database. */
import { test } from 'node:test';
import { clusterContract } from '../../../contracts/cluster.ts';
import { ClusterWorld } from '../../../support/cluster-world.ts';
import { withoutPostgres } from '../../../support/postgres.ts';

if (withoutPostgres) test('in PostgreSQL', { skip: withoutPostgres }, () => {});
else clusterContract('in PostgreSQL', ClusterWorld.open);
