/** Random workflow programs get the same in every life on PostgreSQL too. More of them: `PROGRAMS=200 SEED=2`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgres, withoutPostgres } from '../../../support/postgres.ts';
import { PostgresProxy } from '../../../support/postgres-proxy.ts';
import { FAMILIES } from '../../../support/programs/generate.ts';
import { inPostgres } from '../../../support/programs/in-postgres.ts';
import { firstWrong, reportOf, type Tally } from '../../../support/programs/property.ts';

const COUNT = Number(process.env.PROGRAMS ?? 8);
const SEED = Number(process.env.SEED ?? 1);

test(`${COUNT} random programs get the same in every life, with processes and connections that are lost`, {
  skip: withoutPostgres,
}, async (t) => {
  const url = await (await postgres()).database();
  const tally: Tally = { programs: 0, runs: 0, lives: 0, blocked: 0 };
  const openStore = inPostgres(url, await PostgresProxy.open(t));

  const wrong = await firstWrong({ families: new Set(FAMILIES), count: COUNT, seed: SEED, openStore }, tally);

  assert.equal(wrong && reportOf(wrong), undefined);
  assert.ok(tally.lives > tally.runs, 'some have had several lives');
  t.diagnostic(JSON.stringify(tally));
});
