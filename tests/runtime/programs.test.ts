/**
 * Random programs, each played without interruption, hibernated at each wait, and with its process killed, stopped or without
 * a store at random facts: the same answers lead to the same calls, values and result, or to `blocked`, never to another result.
 *
 * `npm run bench -- programs` plays twenty thousand. A seed that failed is played again with the variable PROGRAMS_SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wrongIn } from '../support/programs/check.ts';
import { cases, FAMILIES, type Family } from '../support/programs/generate.ts';

const RUNS = 500;
const SEED = Number(process.env.PROGRAMS_SEED ?? Date.now() % 2 ** 31);

test(`${RUNS} random programs give the same answer in every life`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const property = fc.asyncProperty(cases(new Set(FAMILIES)), async (given) => {
    assert.deepEqual(await wrongIn(given), []);
  });

  await fc.assert(property, { numRuns: RUNS, seed: SEED });
});

/** What was wrong once, by the families of programs that showed it. */
const found: readonly (readonly [what: string, seed: number, families: readonly Family[]])[] = [
  ['a consent that is sought beside other calls', 1, ['parallel', 'consents', 'withdrawn', 'kills', 'failures']],
  ['a consent whose end could not be stored', 8, ['consents', 'failures']],
];

for (const [what, seed, families] of found) {
  test(`programs with ${what} give the same answer in every life`, async () => {
    const property = fc.asyncProperty(cases(new Set(families)), async (given) => {
      assert.deepEqual(await wrongIn(given), []);
    });

    await fc.assert(property, { numRuns: 60, seed });
  });
}
