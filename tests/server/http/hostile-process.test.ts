/** The short form of `npm run bench -- hostile`: a server as a process of its own, attacked for some seconds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attack } from '../../../bench/support/hostile/attack.ts';

/** Also what goes before the first measurement. */
const SECONDS = 6;

for (const store of ['memory', 'data'] as const) {
  test(`hostile clients end nothing, and nothing hangs: ${store}`, async (t) => {
    const seed = Math.floor(Math.random() * 1_000_000) * 1_000;
    t.diagnostic(`npm run bench -- hostile --seconds ${SECONDS} --store ${store} --seed ${seed}`);

    const { faults, left, visits, cycles, slowestHealthMs } = await attack({ store, seconds: SECONDS, seed, lanes: 8 });

    t.diagnostic(`${visits} visits, ${cycles} cycles of others, slowest /health ${Math.round(slowestHealthMs)} ms`);
    assert.deepEqual(faults, []);
    assert.deepEqual(left, []);
    assert.ok(visits > 100, `${visits} visits`);
    assert.ok(cycles > 0, 'other clients are served');
  });
}
