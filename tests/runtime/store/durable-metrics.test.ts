/** What builders have counted outlives them, and the process (B5). */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createRuntime, workflow } from '../../../runtime/index.ts';
import { turns } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';
import { reopenableStore } from '../../support/reopenable-store.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

const shop = workflow({ name: 'shop', perUser: { build: async () => ({}) }, run: () => 'done' });

/** Runtimes that come one after the other, each with the store of the same directory. */
const world = async (t: TestContext) => {
  const kept = await reopenableStore(t, undefined);
  const clock = new SimulatedClock();
  const start = async () => {
    const runtime = await createRuntime({ workflows: [shop], store: kept.store, clock });
    t.after(() => runtime.stop());
    const builders = engineOf(runtime).served.get('shop');
    const use = async (user: string, ms: number, success = true) => {
      const lease = builders.lease(user);
      await lease.ready();
      clock.advance(ms);
      lease.end(success);
    };
    return { runtime, builders, use };
  };
  const counted = (user: string) => {
    const text = immediate(kept.store.vault.get('builder', encodeURIComponent(JSON.stringify(['shop', user]))));
    return text === undefined ? undefined : JSON.parse(text).totalRequests;
  };
  return { kept, clock, start, counted };
};

test('a builder goes on counting where the one of the process before has ended', async (t) => {
  const { kept, start } = await world(t);
  const first = await start();
  await first.use('alice', 10);
  await first.use('alice', 20, false);
  const { createdAt } = first.builders.get('alice')!;
  await first.runtime.stop();

  await kept.reopen();
  const second = await start();
  await second.use('bob', 5);
  await second.use('alice', 30);

  const { totalRequests, errorCount, totalLatencyMs, ...alice } = second.builders.get('alice')!;
  assert.deepEqual([totalRequests, errorCount, totalLatencyMs], [3, 1, 60]);
  assert.equal(alice.createdAt, createdAt);
  assert.equal(second.builders.get('bob')?.totalRequests, 1);
});

test('the builder after an idle one that was disposed continues its counters', async (t) => {
  const { start } = await world(t);
  const { builders, use } = await start();
  await use('alice', 10);
  await turns();

  assert.equal(await builders.disposeIdle(0), 1);
  await use('alice', 10);

  assert.equal(builders.get('alice')?.totalRequests, 2);
});

test('what is counted is saved once a second, however much it is', async (t) => {
  const { clock, start, counted } = await world(t);
  const { use } = await start();

  for (let n = 0; n < 10; n += 1) await use('alice', 1);
  const before = counted('alice');
  clock.advance(1_000);

  assert.equal(before, undefined);
  assert.equal(counted('alice'), 10);
});

test('what was counted for users who do not come any more is removed', async (t) => {
  const { clock, start, counted } = await world(t);
  const { runtime, use } = await start();
  for (let user = 0; user < 10; user += 1) await use(`user ${user}`, 1);
  clock.advance(1_000);
  assert.equal(counted('user 0'), 1);

  clock.advance(runtime.options.retentionMs);
  for (let round = 0; round < 8; round += 1) {
    await use('alice', 1);
    clock.advance(1_000);
    await turns();
  }

  const left = Array.from({ length: 10 }, (_, user) => counted(`user ${user}`));
  assert.deepEqual(left, Array(10).fill(undefined));
  assert.equal(counted('alice'), 8);
});
