/** The lease of a process: how long it may take itself for the owner of what it executes, and what happens when it ends. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { createRuntime, text, workflow } from '../../../../runtime/index.ts';
import { beatInThread } from '../../../../runtime/store/postgres/beats.ts';
import { Lease } from '../../../../runtime/store/postgres/lease.ts';
import { alice } from '../../../support/given.ts';
import { openPostgres, postgres, withoutPostgres } from '../../../support/postgres.ts';
import { PostgresNodes } from '../../../support/postgres-nodes.ts';
import { PostgresProxy } from '../../../support/postgres-proxy.ts';
import { start } from '../../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);
const yes = { kind: 'text', text: 'yes' } as const;

/** Clocks that a test sets. */
const clocks = () => {
  const time = { now: 1_000, epoch: 1_000_000, monotonic: () => time.now, wall: () => time.epoch };
  const later = (ms: number): void => {
    time.now += ms;
    time.epoch += ms;
  };
  return { time, later };
};

test('a lease is valid for four fifths of its length, from the sending of the extension that was answered', () => {
  const { time, later } = clocks();
  const lease = new Lease(5_000, time);
  assert.ok(!lease.isValid, 'nothing was answered');

  const extended = lease.sending();
  later(3_000);
  assert.ok(!lease.isValid);
  extended(0);

  assert.ok(lease.isValid);
  later(999);
  assert.ok(lease.isValid);
  later(1);
  assert.ok(!lease.isValid);
});

for (const clock of ['now', 'epoch'] as const) {
  test(`it ends when one of its two clocks says so: ${clock === 'now' ? 'the monotonic clock' : 'the wall clock'}`, () => {
    const { time } = clocks();
    const lease = new Lease(5_000, time);
    lease.sending()(0);

    time[clock] += 4_000;

    assert.ok(!lease.isValid);
  });
}

test('the clock of the database is known to half of a round trip', () => {
  const { time, later } = clocks();
  const lease = new Lease(5_000, time);

  const extended = lease.sending();
  later(100);
  extended(1_000_000 + 50 + 7_000);

  assert.equal(lease.offsetMs, 7_000);
});

it('the clock of a runtime is that of the database, wherever its own is', async (t) => {
  const time = { monotonic: () => performance.now(), wall: () => Date.now() - 60_000 };
  const store = await openPostgres(await (await postgres()).database(), { time });
  const warnings: unknown[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (...given: unknown[]) => warnings.push(given[1]),
    error: () => {},
  };
  const runtime = await createRuntime({ workflows: [asker], store, log });
  t.after(() => runtime.stop());

  const ahead = runtime.now() - Date.now();

  assert.ok(Math.abs(ahead - 60_000) < 5_000, `${ahead}`);
  assert.deepEqual(warnings, ['the clock of this server differs from that of the database']);
});

/** A step that waits for the test, and a prompt. `begun`: the nodes where the step began; `ended`: where its signal has aborted. */
const worker = (node: string, begun: string[], aborted: string[], go: Promise<void>) =>
  workflow({
    name: 'worker',
    run: async (_input: unknown, ctx) => {
      await ctx.step('work', async (step) => {
        begun.push(node);
        step.signal.addEventListener('abort', () => aborted.push(node));
        await go;
      });
      return node;
    },
  });
const asker = workflow({
  name: 'asker',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text,
});

const unavailable = { code: 'store_unavailable', retryAfterMs: 1_000 };

const twoNodes = async (t: TestContext) => {
  const nodes = await PostgresNodes.open(t);
  const { time, later } = clocks();
  const [begun, aborted]: string[][] = [[], []];
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const first = await nodes.add({ workflows: [worker('a', begun!, aborted!, gone), asker] }, { time, leaseMs: 5_000 });
  const second = await nodes.add({ workflows: [worker('b', begun!, aborted!, Promise.resolve()), asker] });
  /** The database cannot be reached by the first node for longer than its lease. */
  const lose = async () => {
    later(4_000);
    first.told('late');
    await nodes.expire(first);
    await nodes.quiet();
  };
  /** An extension was answered. */
  const extend = async () => {
    await nodes.sql(`UPDATE fermata.nodes SET expires_at = 'infinity' WHERE id = '${first.store.cluster.id}'`);
    later(-4_000);
    first.told('extended');
    await nodes.quiet();
  };
  return { nodes, first, second, begun: begun!, aborted: aborted!, go, later, lose, extend };
};

it('a process that loses its lease leaves its runs: signals abort, callers get 503, and what it starts is refused', async (t) => {
  const { nodes, first, begun, aborted, lose } = await twoNodes(t);
  const { runtime } = first;
  const { execution } = await start(runtime, { workflow: 'worker' });
  const { execution: asks } = await start(runtime, { workflow: 'asker' });
  await nodes.quiet();
  const prompt = asks.context.pauses[0]!.id;
  const waiting = Promise.resolve(runtime.waitUntil(execution, ({ isSettled }) => isSettled)).catch(
    (error: unknown) => error,
  );
  assert.ok(runtime.isAccepting);

  await lose();

  assert.deepEqual([begun, aborted], [['a'], ['a']]);
  assert.equal(((await waiting) as { code?: string }).code, 'store_unavailable');
  assert.ok(!runtime.isAccepting);
  await assert.rejects(start(runtime, { workflow: 'asker' }), unavailable);
  await assert.rejects(runtime.answer(asks.id, prompt, yes, alice), unavailable);
});

it('others take what it executed, and it serves again when an extension is answered', async (t) => {
  const { nodes, first, second, begun, go, lose, extend } = await twoNodes(t);
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();
  await lose();

  await nodes.pass(1_500);
  const there = (await second.runtime.get(execution.id, alice))!;
  assert.deepEqual([there.context.result, begun], ['b', ['a', 'b']]);
  await extend();
  go();
  await nodes.quiet();

  assert.equal((await first.runtime.get(execution.id, alice))!.context.result, 'b');
  const { execution: asks } = await start(first.runtime, { workflow: 'asker' });
  await nodes.quiet();
  assert.equal(await first.runtime.answer(asks.id, asks.context.pauses[0]!.id, yes, alice), 'accepted');
});

it('what no other process has taken meanwhile is recovered by the same one, once', async (t) => {
  const { nodes, first, second, begun, go, lose, extend } = await twoNodes(t);
  await second.runtime.stop();
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();
  await lose();

  await extend();
  go();
  await nodes.pass(1_500);

  assert.deepEqual(begun, ['a', 'a']);
  assert.equal((await first.runtime.get(execution.id, alice))!.context.result, 'a');
  const { entries } = (await first.runtime.facts(execution.id, 0, alice))!;
  assert.equal(entries.filter(({ type }) => type === 'execution.recovered').length, 1);
});

it('no step begins after the lease has ended, although its fact was committed and nothing has reported the end', async (t) => {
  const { nodes, first, begun, later } = await twoNodes(t);
  const { store } = first;
  const append = store.append.bind(store);
  store.append = (record, entry) => {
    const kept = append(record, entry);
    if (entry.type === 'step.started') later(4_000);
    return kept;
  };

  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();

  assert.equal((await first.runtime.facts(execution.id, 2, alice))?.entries[0]?.type, 'step.started');
  assert.deepEqual(begun, []);
  assert.ok(!first.runtime.isAccepting);
});

/** For real, with a thread. */
const LEASE_MS = 2_400;
const real = async (t: TestContext, url: string, stallTimeoutMs = 30_000) => {
  const store = await openPostgres(url, { leaseMs: LEASE_MS, beat: beatInThread, stallTimeoutMs });
  t.after(() => store.close());
  const changes: boolean[] = [];
  store.cluster.onChange((isValid) => changes.push(isValid));
  return { store, changes };
};

/** A step that computes for so long. */
const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

const until = async (holds: () => boolean): Promise<void> => {
  for (let attempt = 0; !holds(); attempt += 1) {
    assert.ok(attempt < 400, 'it never held');
    await pass(50);
  }
};

it('a step that blocks the event loop for longer than the lease does not lose it', async (t) => {
  const { store } = await real(t, await (await postgres()).database());

  block(LEASE_MS + 200);

  assert.ok(store.cluster.isValid);
});

it('if the event loop is blocked for longer than the time for it, the lease ends, and is extended again afterwards', async (t) => {
  const { store, changes } = await real(t, await (await postgres()).database(), 100);

  block(LEASE_MS + 1_000);

  assert.ok(!store.cluster.isValid);
  await until(() => changes.length === 2);
  assert.ok(store.cluster.isValid);
  assert.deepEqual(changes, [false, true]);
});

it('a lease that was over by the clock of the database is lost, although the process could extend it', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const { store, changes } = await real(t, url);

  await server.sql("UPDATE fermata.nodes SET expires_at = '-infinity'", url);

  await until(() => changes.length === 2);
  assert.deepEqual(changes, [false, true]);
  assert.ok(store.cluster.isValid);
});

it('a process that cannot reach the database loses its lease, and has it again when it can', async (t) => {
  const proxy = await PostgresProxy.open(t);
  const { store, changes } = await real(t, proxy.url(await (await postgres()).database()));

  proxy.isClosed = true;
  proxy.cut();
  await until(() => changes.length === 1);
  assert.ok(!store.cluster.isValid);
  proxy.isClosed = false;
  await until(() => changes.length === 2);

  assert.deepEqual(changes, [false, true]);
  assert.ok(store.cluster.isValid);
});
