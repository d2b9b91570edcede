/** Connections that break, and servers that restart. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRuntime, type Runtime, text, workflow } from '../../../../runtime/index.ts';
import { Database } from '../../../../runtime/store/postgres/database.ts';
import type { PostgresStore } from '../../../../runtime/store/postgres/store.ts';
import { Refused } from '../../../../runtime/store/store.ts';
import { alice } from '../../../support/given.ts';
import { answered, granted, Journaling, prompted } from '../../../support/journaling.ts';
import { openPostgres, postgres, withoutPostgres } from '../../../support/postgres.ts';
import { PostgresProxy } from '../../../support/postgres-proxy.ts';
import { PostgresServer } from '../../../support/postgres-server.ts';
import { start } from '../../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);
const unavailable = { code: 'store_unavailable', retryable: true };
const yes = { kind: 'text', text: 'yes' } as const;

const opened = async (t: TestContext, url: string, connectMs = 15_000): Promise<PostgresStore> => {
  const store = await openPostgres(url, { connectMs });
  t.after(() => store.close());
  return store;
};

const behindProxy = async (t: TestContext) => {
  const direct = await (await postgres()).database();
  const proxy = await PostgresProxy.open(t);
  return { direct, proxy, store: await opened(t, proxy.url(direct)) };
};

/** What a database tries again each second; there is no clock that could be given to it. */
const untilItWorks = async <T>(act: () => Promise<T> | T): Promise<T> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'store_unavailable');
      await pass(50);
    }
  }
  assert.fail('it never worked again');
};

/** A step, a prompt, and what it got. `done`: how often the step was done. */
const asker = (done: string[]) =>
  workflow({
    name: 'asker',
    run: async (_input: unknown, ctx) => {
      const first = await ctx.step('look', () => done.push(ctx.executionId) && 1);
      return [first, (await ctx.prompt(text({ text: 'Go on?' }))).text];
    },
  });

const running = async (t: TestContext, store: PostgresStore, done: string[] = []) => {
  const runtime = await createRuntime({ workflows: [asker(done)], store });
  t.after(() => runtime.stop());
  return { runtime, ...(await asking(runtime)) };
};

const asking = async (runtime: Runtime) => {
  const { execution } = await start(runtime, { workflow: 'asker' });
  await runtime.waitUntil(execution, ({ context }) => context.pauses.length > 0);
  return { id: execution.id, prompt: execution.context.pauses[0]!.id };
};

const settled = async (runtime: Runtime, id: string) => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const execution = await untilItWorks(() => runtime.get(id, alice));
    if (execution?.isSettled) return execution;
    if (execution !== undefined) await runtime.waitUntil(execution, ({ isSettled }) => isSettled, { timeoutMs: 100 });
  }
  assert.fail('it did not go on');
};

const verifyWhole = async (runtime: Runtime, id: string): Promise<string[]> => {
  const { entries } = (await runtime.facts(id, 0, alice))!;
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  return entries.map(({ type }) => type);
};

for (const moment of ['before', 'after'] as const) {
  it(`a connection that breaks ${moment} the server has committed costs nothing: the outcome is found out`, async (t) => {
    const { store, proxy } = await behindProxy(t);
    const execution = new Journaling(store, { id: 'e1' });
    await execution.begin();

    const lost = proxy.lose(moment);
    await Promise.all([lost, execution.append(granted), execution.append(prompted('p'))]);
    await execution.append(answered('p'));

    store.release('e1');
    assert.deepEqual((await store.find('e1'))?.entries, execution.entries);
  });

  it(`so does one that breaks ${moment} a start was committed`, async (t) => {
    const { store, proxy } = await behindProxy(t);
    const execution = new Journaling(store, { id: 'e1', names: [{ name: 'key', fingerprint: 'f' }] });

    await Promise.all([proxy.lose(moment), execution.begin()]);

    assert.equal((await store.named('key'))?.executionId, 'e1');
    assert.equal((await store.page(undefined, { limit: 5 })).rows.length, 1);
  });

  it(`an answer whose outcome cannot be found out, lost ${moment} its commit, is refused, and counts once`, async (t) => {
    const { store, proxy } = await behindProxy(t);
    const done: string[] = [];
    const { runtime, id, prompt } = await running(t, store, done);

    const lost = proxy.lose(moment, { closes: true });
    await assert.rejects(runtime.answer(id, prompt, yes, alice, 'key'), unavailable);
    await lost;
    await assert.rejects(start(runtime, { workflow: 'asker' }), unavailable);
    proxy.isClosed = false;
    if (moment === 'before') await untilItWorks(() => runtime.answer(id, prompt, yes, alice, 'key'));

    const execution = await settled(runtime, id); // also without another answer, if it was committed
    assert.deepEqual([execution.context.result, done], [[1, 'yes'], [id]]);
    assert.equal(await runtime.answer(id, prompt, yes, alice, 'key'), 'accepted');
    const facts = await verifyWhole(runtime, id);
    assert.equal(facts.filter((type) => type === 'interaction.answered').length, 1);
  });
}

it('a read whose connection has broken is sent again', async (t) => {
  const { store, proxy } = await behindProxy(t);
  const execution = new Journaling(store, { id: 'e1' });
  await execution.begin();
  store.release('e1');
  await store.named('before');

  proxy.cut();

  assert.deepEqual((await store.find('e1'))?.entries, execution.entries);
});

it('while no host is reached reads and writes are refused, and go on afterwards', async (t) => {
  const { store, proxy } = await behindProxy(t);
  const { runtime, id, prompt } = await running(t, store);
  store.release('unknown');

  proxy.isClosed = true;
  proxy.cut();

  await assert.rejects(async () => runtime.get('another', alice), unavailable);
  await assert.rejects(runtime.answer(id, prompt, yes, alice), unavailable);
  await assert.rejects(async () => runtime.get(id, alice), unavailable, 'another process may have answered it');
  proxy.isClosed = false;
  await untilItWorks(() => runtime.answer(id, prompt, yes, alice));
  assert.deepEqual((await settled(runtime, id)).context.result, [1, 'yes']);
});

it('a server that is killed and started again has what it acknowledged, and executions go on', async (t) => {
  const server = await postgres();
  const store = await opened(t, await server.database());
  const { runtime, id, prompt } = await running(t, store);

  await server.kill();
  await assert.rejects(runtime.answer(id, prompt, yes, alice), unavailable);
  await server.start();

  await untilItWorks(() => runtime.answer(id, prompt, yes, alice));
  assert.deepEqual((await settled(runtime, id)).context.result, [1, 'yes']);
  await verifyWhole(runtime, id);
});

it('an execution that another process has changed is refused, read again, and gone on with', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const store = await opened(t, url);
  const execution = new Journaling(store, { id: 'e1' });
  await Promise.all([execution.begin(), execution.append(granted), execution.append(prompted('p'))]);
  await server.sql("UPDATE fermata.executions SET node = 'another' WHERE id = 'e1'", url);

  await assert.rejects(async () => execution.append(answered('p')), Refused);

  assert.deepEqual(plain((await store.read('e1'))?.entries), plain(execution.entries.slice(0, 3)));
  await server.sql('UPDATE fermata.executions SET node = NULL', url);
  execution.entries.pop();
  const again = new Journaling(store, { id: 'e1' });
  again.applied = execution.before;
  await again.append(answered('p'));
  assert.equal((await store.read('e1'))?.entries.length, 4);
});

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const END_OF_WRITER =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fermata writer'";

it('a process that has lost its session goes on with another one', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const store = await opened(t, url);
  const execution = new Journaling(store, { id: 'e1' });
  await execution.begin();

  await server.sql(END_OF_WRITER, url);
  await execution.append(granted);

  assert.equal((await store.find('e1'))?.entries.length, 2);
});

it('what another process has changed meanwhile is read again as soon as the database is back', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const mine = await opened(t, url);
  const { runtime, id, prompt } = await running(t, mine);
  const other = await asking(runtime);
  const theirs = await openPostgres(url);
  const second = await createRuntime({ workflows: [asker([])], store: theirs });
  assert.equal(await second.answer(id, prompt, yes, alice), 'accepted');
  await settled(second, id);
  await second.stop();
  await server.sql(END_OF_WRITER, url);

  await untilItWorks(() => runtime.answer(other.id, other.prompt, yes, alice));

  assert.deepEqual((await settled(runtime, id)).context.result, [1, 'yes']);
  assert.deepEqual((await settled(runtime, other.id)).context.result, [1, 'yes']);
});

it('of several hosts the first that takes writes is used', async (t) => {
  const url = await (await postgres()).database();
  const proxy = await PostgresProxy.open(t);
  proxy.isClosed = true;
  const { port } = await proxy.listen(t);
  const good = await PostgresProxy.open(t);
  const { port: other } = await good.listen(t);
  const name = /@\/(\w+)/.exec(url)![1];

  const store = await opened(t, `postgres://postgres@127.0.0.1:${port},127.0.0.1:${other}/${name}`);

  await new Journaling(store, { id: 'e1' }).begin();
});

it('when the primary is lost and its standby is promoted, what was acknowledged is there, and executions go on', async (t) => {
  const primary = new PostgresServer();
  t.after(() => primary.end());
  await primary.start();
  const name = /@\/(\w+)/.exec(await primary.database())![1];
  const standby = await primary.standby();
  t.after(() => standby.end());
  const ports: number[] = [];
  for (const server of [standby, primary]) ports.push((await (await PostgresProxy.open(t, server)).listen(t)).port);
  const store = await opened(t, `postgres://postgres@127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/${name}`);
  const done: string[] = [];
  const { runtime, ...first } = await running(t, store, done);
  const second = await asking(runtime);
  await runtime.answer(first.id, first.prompt, yes, alice);

  await primary.kill();
  await standby.sql('SELECT pg_promote()');

  await untilItWorks(() => runtime.answer(second.id, second.prompt, yes, alice));
  for (const { id } of [first, second]) {
    assert.deepEqual((await settled(runtime, id)).context.result, [1, 'yes']);
    await verifyWhole(runtime, id);
  }
  assert.deepEqual(done, [first.id, second.id], 'no step was done again');
});

it('processes that create the tables at the same time do so once, and tables of a newer release are refused', async () => {
  const server = await postgres();
  const url = await server.database();

  const stores = await Promise.all([0, 1, 2].map(() => openPostgres(url)));
  await Promise.all(stores.map((store) => store.close()));

  await server.sql('UPDATE fermata.meta SET form = 99, least_form = 1', url);
  await (await openPostgres(url)).close(); // a neighbouring release reads what this one writes
  await server.sql('UPDATE fermata.meta SET least_form = 98', url);
  await assert.rejects(openPostgres(url), { code: 'options_invalid', message: /newer version of Fermata \(form 98/ });
});

it('a session waits for the disk of the server, whatever its default is', async (t) => {
  const server = await postgres();
  const url = await server.database();
  await server.sql(`ALTER DATABASE ${/@\/(\w+)/.exec(url)![1]} SET synchronous_commit TO off`);
  const session = await (await Database.at(url)).connect('test');
  t.after(() => session.close());

  assert.deepEqual(await session.query({ text: 'SHOW synchronous_commit' }), [{ synchronous_commit: 'on' }]);
});

it('no statement is compiled, however much the planner expects it to cost: that takes a second at times', async (t) => {
  const server = await postgres();
  const url = await server.database();
  await server.sql(`ALTER DATABASE ${/@\/(\w+)/.exec(url)![1]} SET jit_above_cost TO 0`);
  const session = await (await Database.at(url)).connect('test');
  t.after(() => session.close());

  const [row] = await session.query({ text: 'EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM pg_class' });

  assert.equal((row!['QUERY PLAN'] as [{ JIT?: object }])[0].JIT, undefined);
});

test('without the package pg, the error names it and how it is installed', () => {
  const open =
    "import('./runtime/index.ts').then(({ openData }) => openData({ data: 'postgres://a:s3cr3t@b/c', maxDataBytes: 4 * 1024 ** 3 })).catch((error) => console.log(error.code, error.message))";
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  const hidden = fileURLToPath(new URL('../../../support/without-pg.mjs', import.meta.url));

  const { stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--import', hidden, '--input-type=module', '-e', open],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );

  assert.match(stdout, /options_invalid .*npm install pg/);
});

it('while no host is reached, what is asked about the nodes is refused as unavailable', async (t) => {
  const { store, proxy } = await behindProxy(t);
  proxy.isClosed = true;
  proxy.cut();

  for (const ask of [() => store.cluster.nodes(), () => store.cluster.take(1), () => store.due(1, 1)])
    await assert.rejects(async () => ask(), unavailable);
});
