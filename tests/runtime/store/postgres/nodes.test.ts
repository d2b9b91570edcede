/** Several processes on one database: which of them executes what. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { text, workflow } from '../../../../runtime/index.ts';
import type { PostgresStore } from '../../../../runtime/store/postgres/store.ts';
import { Refused } from '../../../../runtime/store/store.ts';
import { alice } from '../../../support/given.ts';
import { granted, Journaling, prompted } from '../../../support/journaling.ts';
import { openPostgres, postgres, withoutPostgres } from '../../../support/postgres.ts';
import { type NodeOfTest, PostgresNodes } from '../../../support/postgres-nodes.ts';
import { start } from '../../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);
const yes = { kind: 'text', text: 'yes' } as const;

const opened = async (t: TestContext, count: number) => {
  const server = await postgres();
  const url = await server.database();
  const stores: PostgresStore[] = [];
  for (let number = 0; number < count; number += 1) stores.push(await openPostgres(url));
  t.after(() => Promise.all(stores.map((store) => store.close())));
  const sql = (text: string) => server.sql(text, url);
  const expire = ({ cluster }: PostgresStore) =>
    sql(`UPDATE fermata.nodes SET expires_at = '-infinity' WHERE id = '${cluster.id}'`);
  return { url, stores, sql, expire };
};

/** Executions that are queued at that process. */
const begun = async (store: PostgresStore, ...ids: string[]) => {
  const all = ids.map((id) => new Journaling(store, { id }));
  await Promise.all(all.map((one) => one.begin()));
  return all;
};

it('several processes have one database, each with a row; what one of them leaves, another one takes at once', async (t) => {
  const { stores, sql } = await opened(t, 2);
  const [first, second] = stores as [PostgresStore, PostgresStore];
  const nodes = async () => (await sql('SELECT id FROM fermata.nodes ORDER BY started_at')).map(({ id }) => id);
  assert.deepEqual(await nodes(), [first.cluster.id, second.cluster.id]);
  await begun(first, 'e1', 'e2');
  assert.deepEqual(await second.cluster.take(10), []);

  await first.close();

  assert.deepEqual(await nodes(), [second.cluster.id]);
  assert.deepEqual(await second.cluster.take(10), ['e1', 'e2']);
});

it('what a dead process executed is taken by those that live, each execution by one of them, and only once', async (t) => {
  const { stores, expire } = await opened(t, 3);
  const [dead, ...others] = stores as [PostgresStore, PostgresStore, PostgresStore];
  const ids = Array.from({ length: 45 }, (_, index) => `e${index}`);
  await begun(dead, ...ids);
  await expire(dead);

  const taken: string[] = [];
  for (let round = 0; round < 3; round += 1)
    for (const some of await Promise.all(others.map(({ cluster }) => cluster.take(10)))) taken.push(...some);

  assert.deepEqual(taken.toSorted(), ids.toSorted());
  assert.deepEqual(await dead.cluster.take(10), [], 'a node without a lease takes nothing');
});

it('a process that others have taken for dead writes nothing more of what they took, before and after they write', async (t) => {
  const { stores, expire } = await opened(t, 2);
  const [zombie, other] = stores as [PostgresStore, PostgresStore];
  const [before, after] = (await begun(zombie, 'e1', 'e2')) as [Journaling, Journaling];
  await expire(zombie);
  assert.deepEqual(await other.cluster.take(10), ['e1', 'e2']);

  await assert.rejects(async () => before.append(granted), Refused);
  const found = await other.find('e2');
  const taker = new Journaling(other, { id: 'e2' });
  taker.entries.push(...found!.entries);
  await taker.append({ type: 'execution.recovered' });
  await assert.rejects(async () => after.append(granted), Refused);

  assert.deepEqual(
    (await zombie.read('e2'))?.entries.map(({ type }) => type),
    ['execution.started', 'execution.recovered'],
  );
});

it('what waits belongs to none: it is not taken, and any process goes on with it', async (t) => {
  const { stores, expire } = await opened(t, 2);
  const [first, second] = stores as [PostgresStore, PostgresStore];
  const [execution] = (await begun(first, 'e1')) as [Journaling];
  await Promise.all([execution.append(granted), execution.append(prompted('p'))]);
  await expire(first);

  assert.deepEqual(await second.cluster.take(10), []);
});

it('what is due is given to one process, and to another one only after a while; what a living process executes, to that one', async (t) => {
  const { stores, expire } = await opened(t, 3);
  const [first, second, third] = stores as [PostgresStore, PostgresStore, PostgresStore];
  const ids = Array.from({ length: 30 }, (_, index) => `e${index}`);
  for (const execution of await begun(first, ...ids))
    await Promise.all([execution.append(granted), execution.append(prompted('p', 1_000))]);
  const [works] = (await begun(third, 'works')) as [Journaling];
  await works.append(granted);
  await works.append({ ...prompted('p', 1_000), working: true } as typeof granted);

  const given = await Promise.all([first, second].map((store) => store.due(2_000, 100, 7_000)));

  assert.deepEqual(given.flatMap((all) => all.map(({ id }) => id)).toSorted(), ids.toSorted());
  assert.deepEqual(await third.due(2_000, 100, 7_000), [{ id: 'works', isSettled: false }]);
  assert.deepEqual([await first.due(2_000, 100, 7_000), await first.nextDueAt()], [[], 7_000]);
  assert.equal((await second.due(7_000, 100, 9_000)).length, 30, 'nothing has happened to them');
  await expire(third);
  assert.equal((await second.due(9_000, 100)).length, 30, 'its executions are taken before');
});

/** A step, a prompt, and a step. `at`: which node did what. */
const asker = (node: string, done: string[]) =>
  workflow({
    name: 'asker',
    run: async (_input: unknown, ctx) => {
      await ctx.step('first', () => void done.push(`first at ${node}`));
      const { text: answer } = await ctx.prompt(text({ text: 'Go on?' }));
      await ctx.step('second', () => void done.push(`second at ${node}`));
      return answer;
    },
  });

it('an execution is started at one process, answered at another, and goes on there', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const done: string[] = [];
  const first = await nodes.add({ workflows: [asker('a', done)] });
  const second = await nodes.add({ workflows: [asker('b', done)] });
  const { execution } = await start(first.runtime, { workflow: 'asker' });
  await first.runtime.waitUntil(execution, ({ context }) => context.pauses.length > 0);

  const [pause] = (await second.runtime.get(execution.id, alice))!.context.pauses;
  assert.equal(await second.runtime.answer(execution.id, pause!.id, yes, alice), 'accepted');
  const here = (await second.runtime.get(execution.id, alice))!;
  await second.runtime.waitUntil(here, ({ isSettled }) => isSettled);

  assert.equal(here.context.result, 'yes');
  assert.deepEqual(done, ['first at a', 'second at b']);
});

it('when a process dies in a step, another one repeats it, and the first one changes nothing when it wakes up', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const begunAt: string[] = [];
  const stuck = new Map<string, () => void>();
  const worker = (node: string) =>
    workflow({
      name: 'worker',
      run: (_input: unknown, ctx) =>
        ctx.step('work', async () => {
          begunAt.push(node);
          if (node === 'a') await new Promise<void>((go) => stuck.set(node, go));
          return node;
        }),
    });
  const first = await nodes.add({ workflows: [worker('a')] });
  const second = await nodes.add({ workflows: [worker('b')] });
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();
  assert.deepEqual(begunAt, ['a']);

  await nodes.pass(5_000);
  assert.deepEqual(begunAt, ['a'], 'its process lives');
  await nodes.expire(first);
  await nodes.pass(1_500);
  stuck.get('a')!();
  await nodes.quiet();

  assert.deepEqual(begunAt, ['a', 'b']);
  assert.deepEqual(first.store.cluster.counts, { lostWrites: 1, leaseLosses: 0, taken: 0 });
  assert.deepEqual(second.store.cluster.counts, { lostWrites: 0, leaseLosses: 0, taken: 1 });
  for (const { runtime } of [first, second]) {
    const view = (await runtime.get(execution.id, alice))!;
    assert.deepEqual([view.status, view.context.result], ['completed', 'b']);
    const facts = (await runtime.facts(execution.id, 0, alice))!.entries.map(({ type, seq }) => `${seq} ${type}`);
    assert.deepEqual(facts, [
      '1 execution.started',
      '2 slot.granted',
      '3 step.started',
      '4 execution.recovered',
      '5 slot.granted',
      '6 step.started',
      '7 step.completed',
      '8 execution.completed',
    ]);
  }
});

/** A step that waits at the node `a`, until the test lets it go on. */
const stuckAtA = () => {
  const begunAt: string[] = [];
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const at = (node: string) =>
    workflow({
      name: 'worker',
      run: (_input: unknown, ctx) =>
        ctx.step('work', async () => {
          begunAt.push(node);
          if (node === 'a') await gone;
          return node;
        }),
    });
  return { at, begunAt, go };
};

it('a process that stops lets go what does not finish in time, and another one goes on with it before any lease ends', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const { at, begunAt } = stuckAtA();
  const first = await nodes.add({ workflows: [at('a')], options: { stopTimeoutMs: 5_000 } });
  const second = await nodes.add({ workflows: [at('b')] });
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();

  const stopped = first.runtime.stop();
  await nodes.pass(4_000);
  assert.deepEqual(begunAt, ['a'], 'it may still finish');
  await nodes.pass(1_000);
  await stopped;
  await nodes.until(() => begunAt.length > 1);
  await nodes.quiet();

  assert.deepEqual(begunAt, ['a', 'b']);
  assert.equal((await second.runtime.get(execution.id, alice))!.context.result, 'b');
});

it('what finishes while its process stops is not done again', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const { at, begunAt, go } = stuckAtA();
  const first = await nodes.add({ workflows: [at('a')], options: { stopTimeoutMs: 5_000 } });
  const second = await nodes.add({ workflows: [at('b')] });
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();

  const stopped = first.runtime.stop();
  go();
  await nodes.quiet();
  await stopped;
  await nodes.pass(1_500);

  assert.deepEqual(begunAt, ['a']);
  assert.equal((await second.runtime.get(execution.id, alice))!.context.result, 'a');
});

it('a process that stops does not wait for executions that it only shows', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const { at } = stuckAtA();
  const first = await nodes.add({ workflows: [at('a')] });
  const second = await nodes.add({ workflows: [at('b')] });
  const { execution } = await start(first.runtime, { workflow: 'worker' });
  await nodes.quiet();
  assert.equal((await second.runtime.get(execution.id, alice))?.status, 'running');

  await second.runtime.stop();
});

it('what cannot be replayed ends as interrupted when its process is dead, and is left alone while it lives', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const first = await nodes.add({ workflows: [] });
  const second = await nodes.add({ workflows: [] });
  const driver = { isReplaceable: false, told: () => {}, applied: () => {}, leave: () => {} };
  const { id } = await first.runtime.adopt('alice', () => driver);
  await nodes.pass(10_000);
  assert.equal((await second.runtime.get(id, alice))?.status, 'running');

  await nodes.expire(first);
  await nodes.pass(1_500);

  const { status, context } = (await second.runtime.get(id, alice))!;
  assert.deepEqual([status, context.error?.code], ['failed', 'interrupted']);
});

/** It asks, and gives its version. */
const versioned = (version: string) =>
  workflow({
    name: 'asker',
    version,
    run: async (_input: unknown, ctx) => {
      await ctx.prompt(text({ text: 'Go on?' }));
      return version;
    },
  });

const answer = async ({ runtime }: NodeOfTest, id: string) => {
  const [pause] = (await runtime.get(id, alice))!.context.pauses;
  assert.equal(await runtime.answer(id, pause!.id, yes, alice), 'accepted');
};

it('an answer at a process with another version is gone on with by one that serves the version of the start', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const old = await nodes.add({ workflows: [versioned('1')] });
  const young = await nodes.add({ workflows: [versioned('2')] });
  const { execution } = await start(old.runtime, { workflow: 'asker' });
  await nodes.quiet();

  await answer(young, execution.id);
  await nodes.until(async () => (await young.runtime.get(execution.id, alice))!.isSettled);

  const { status, context } = (await young.runtime.get(execution.id, alice))!;
  assert.deepEqual([status, context.result], ['completed', '1']);
});

it('an answer at a process that does not serve the workflow waits for one that does', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const first = await nodes.add({ workflows: [versioned('1')] });
  const other = await nodes.add({ workflows: [workflow({ name: 'other', run: () => 1 })] });
  const { execution } = await start(first.runtime, { workflow: 'asker' });
  await nodes.quiet();
  await first.runtime.stop();

  await answer(other, execution.id);
  await nodes.pass(3_000);
  assert.equal((await other.runtime.get(execution.id, alice))?.phase, 'queued');
  await nodes.add({ workflows: [versioned('1')] });
  await nodes.until(async () => (await other.runtime.get(execution.id, alice))!.isSettled);

  assert.equal((await other.runtime.get(execution.id, alice))?.context.result, '1');
});

it('what a dead process executed is taken by one that serves its version while there is one, else it is blocked', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const stuck = (version: string) =>
    workflow({ name: 'stuck', version, run: (_input: unknown, ctx) => ctx.step('never', () => new Promise(() => {})) });
  const [first, second] = [await nodes.add({ workflows: [stuck('1')] }), await nodes.add({ workflows: [stuck('1')] })];
  const young = await nodes.add({ workflows: [stuck('2')] });
  const { execution } = await start(first.runtime, { workflow: 'stuck' });
  await nodes.quiet();
  const owner = async () => (await nodes.sql('SELECT node FROM fermata.executions'))[0]?.node;

  await nodes.expire(first);
  await nodes.pass(1_500);
  assert.equal(await owner(), second.store.cluster.id);
  await nodes.expire(second);
  await nodes.pass(1_500);

  assert.equal(await owner(), null);
  const blocked = (await young.runtime.get(execution.id, alice))?.context.blocked;
  assert.equal(blocked?.expected, 'version 1 of workflow stuck');
});

it('what one process has deleted at the end of its retention is not shown by the others', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const echo = workflow({ name: 'echo', run: (input: unknown) => input });
  const options = { retentionMs: 60_000 };
  const both = [await nodes.add({ workflows: [echo], options }), await nodes.add({ workflows: [echo], options })];
  const { execution } = await start(both[0]!.runtime, { workflow: 'echo' });
  await nodes.quiet();
  for (const { runtime } of both) assert.ok((await runtime.get(execution.id, alice))?.isSettled);

  await nodes.pass(60_000);
  await nodes.pass(1_500);

  for (const { runtime } of both) assert.equal(await runtime.get(execution.id, alice), undefined);
});
