/**
 * A server whose workflows are full of mistakes keeps on serving, in memory and from a file, over several lives. For longer:
 * `npm run bench -- mistakes`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../support/mistaken/fuzz.ts';

/** How late `/health` may be on a machine that does other work too. What hangs a server is later by far. */
const LATE_MS = 3_000;

for (const [index, kept] of (['memory', 'file'] as const).entries()) {
  test(`mistakes of authors end no server, and keep none from its work: executions in ${kept}`, async (t) => {
    const seed = 1 + index;

    const { probes, problems, started, lives, stops, waits } = await fuzz({
      seed,
      ms: 7_000,
      kept: [kept],
      lifeMs: 4_000,
      clients: 4,
    });

    const times = probes.map(({ server }) => server);
    t.diagnostic(JSON.stringify({ seed, started, lives, stops, waits: [...waits], longest: Math.max(...times) }));
    assert.deepEqual(problems, []);
    assert.ok(started > 20 && lives > 1 && probes.length > 20);
    assert.deepEqual(
      times.filter((ms) => ms < 0 || ms > LATE_MS),
      [],
    );
  });
}
