/** What several processes count together: the deaths that an execution has caused, and the requests of a user. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import { alice } from '../../../support/callers.ts';
import { engineOf } from '../../../support/in-process.ts';
import { withoutPostgres } from '../../../support/postgres.ts';
import { PostgresNodes } from '../../../support/postgres-nodes.ts';
import { start } from '../../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

/** Each has a step that never ends, so that none ever gets any further. */
const endless = workflow({
  name: 'endless',
  run: async (_input: unknown, ctx) => ctx.step('never ends', () => new Promise(() => {})),
});

it('an execution that ends process after process is given up, whichever processes they are', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const add = () => nodes.add({ workflows: [endless], options: { maxRecoveries: 2 } });
  let node = await add();
  const { execution } = await start(node.runtime, { workflow: 'endless', by: alice });
  await nodes.quiet();
  const codes: unknown[] = [];

  for (let life = 0; life < 4; life += 1) {
    await nodes.expire(node);
    node = await add();
    await nodes.pass(1_500); // its turn has 5 s
    codes.push((await node.runtime.get(execution.id, alice))!.context.error?.code);
  }

  assert.deepEqual(codes, [undefined, undefined, undefined, 'interrupted']);
});

const shop = workflow({ name: 'shop', perUser: { build: async () => ({}) }, run: () => 'done' });

it('requests of a user at several processes are counted together, and the next process goes on with the sum', async (t) => {
  const nodes = await PostgresNodes.open(t);
  const add = () => nodes.add({ workflows: [shop] });
  const counters = async () => {
    const [row] = await nodes.sql("SELECT value FROM fermata.vault WHERE kind = 'builder'");
    return JSON.parse(row!.value as string);
  };
  const use = async ({ runtime }: Awaited<ReturnType<typeof add>>, success: boolean) => {
    const lease = engineOf(runtime).served.get('shop').lease('alice');
    await lease.ready();
    lease.end(success);
  };
  const [first, second] = [await add(), await add()];
  const before = nodes.clock.now();

  for (let round = 0; round < 3; round += 1) {
    await Promise.all([use(first, true), use(second, false)]);
    await nodes.pass(1_000);
  }
  const third = await add();
  await use(third, true);
  await nodes.pass(1_000);

  const { totalRequests, errorCount, createdAt } = await counters();
  assert.deepEqual([totalRequests, errorCount, createdAt], [7, 3, before]);
  assert.equal(engineOf(third.runtime).served.get('shop').get('alice')?.totalRequests, 7);
});
