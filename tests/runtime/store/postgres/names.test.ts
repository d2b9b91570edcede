/** Names that callers choose, at several processes at the same time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type StartRequest, workflow } from '../../../../runtime/index.ts';
import { alice } from '../../../support/given.ts';
import { withoutPostgres } from '../../../support/postgres.ts';
import { type NodeOfTest, PostgresNodes } from '../../../support/postgres-nodes.ts';
import { start } from '../../../support/start.ts';

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

const threeNodes = async (t: TestContext) => {
  const nodes = await PostgresNodes.open(t);
  const begun: string[] = [];
  const all: NodeOfTest[] = [];
  for (const node of ['a', 'b', 'c']) {
    const echo = workflow({
      name: 'echo',
      run: async (input: unknown) => {
        begun.push(node);
        return input;
      },
    });
    all.push(await nodes.add({ workflows: [echo] }));
  }
  /** The same request at all of them at the same time. */
  const race = (more: Partial<StartRequest>) =>
    Promise.all(all.map(({ runtime }) => start(runtime, { workflow: 'echo', input: 1, ...more })));
  return { nodes, all, begun, race };
};

it('a key, a job id or both, sent to three processes at the same time, start one execution', async (t) => {
  const { nodes, begun, race } = await threeNodes(t);
  const named = [{ idempotencyKey: 'key-1' }, { jobId: 'job-1' }, { idempotencyKey: 'key-2', jobId: 'job-2' }];

  for (let round = 0; round < 9; round += 1) {
    begun.length = 0;
    const by = { userId: `user ${round}` };
    const started = await race({ ...named[round % 3], by });

    assert.equal(new Set(started.map(({ execution }) => execution.id)).size, 1);
    assert.equal(started.filter(({ isNew }) => isNew).length, 1);
    await nodes.quiet();
    assert.equal(begun.length, 1, 'only the run of that one has begun');
  }
  assert.deepEqual(await nodes.sql('SELECT count(*)::int FROM fermata.executions'), [{ count: 9 }]);
});

it('a start without a name, in one batch with one that loses its name, is written', async (t) => {
  const { all, race } = await threeNodes(t);
  const keyed = race({ idempotencyKey: 'key-1' });
  const others = all.map(({ runtime }) => start(runtime, { workflow: 'echo' }));

  const started = await Promise.all(others);

  assert.equal(new Set(started.map(({ execution }) => execution.id)).size, 3);
  assert.equal((await keyed).filter(({ isNew }) => isNew).length, 1);
});

it('a key that comes with another request to another process is refused', async (t) => {
  const { all } = await threeNodes(t);
  const at = ({ runtime }: NodeOfTest, input: number) =>
    start(runtime, { workflow: 'echo', input, idempotencyKey: 'key-1' });

  const started = await Promise.allSettled(all.map((node, index) => at(node, index)));

  const refused = started.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  assert.deepEqual(refused, ['idempotency_key_reused', 'idempotency_key_reused']);
});

it('the last turn of a conversation has its name, whichever process it was sent to', async (t) => {
  const { all } = await threeNodes(t);
  const [first, second, third] = all as [NodeOfTest, NodeOfTest, NodeOfTest];
  const turn = ({ runtime }: NodeOfTest) => start(runtime, { workflow: 'echo', conversation: 'talk' });
  await turn(first);

  const { execution } = await turn(second);

  assert.equal((await third.runtime.conversation('echo', 'talk', alice))?.id, execution.id);
});
