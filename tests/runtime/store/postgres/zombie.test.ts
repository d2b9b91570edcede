/**
 * A process that is taken for dead at any statement, and wakes up when another one has finished what it executed: before its write is
 * sent, or after it was committed; at each write at one of these moments. At both: `MOMENTS=both`.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { text, workflow } from '../../../../runtime/index.ts';
import { alice } from '../../../support/given.ts';
import { withoutPostgres } from '../../../support/postgres.ts';
import { PostgresNodes } from '../../../support/postgres-nodes.ts';
import { start } from '../../../support/start.ts';

const MOMENTS = ['before', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

const yes = { kind: 'text', text: 'yes' } as const;

const twoNodes = async (t: TestContext) => {
  const nodes = await PostgresNodes.open(t);
  const asker = workflow({
    name: 'asker',
    run: async (_input: unknown, ctx) => {
      const first = await ctx.step('first', () => 1);
      const { text: said } = await ctx.prompt(text({ text: 'Go on?' }));
      const second = await ctx.step('second', () => 2);
      return [first, said, second];
    },
  });
  const zombie = await nodes.add({ workflows: [asker] });
  const other = await nodes.add({ workflows: [asker] });

  /** Answers at both, until it has ended at the other process. */
  const finish = async (id: string): Promise<void> => {
    for (let round = 0; round < 8; round += 1) {
      const view = await other.runtime.get(id, alice);
      if (view?.isSettled) return;
      const [pause] = view?.context.pauses ?? [];
      if (pause !== undefined) await other.runtime.answer(id, pause.id, yes, alice);
      await nodes.pass(1_500);
    }
  };

  /** `number`: of the write at which the process is taken for dead. Returns the number of its writes. */
  const play = async (number: number, moment: Moment): Promise<number> => {
    const { store, runtime, told } = zombie;
    const append = Object.getPrototypeOf(store).append.bind(store) as typeof store.append;
    let count = 0;
    let asleep: Promise<unknown> | undefined;
    store.append = (record, entry) => {
      count += 1;
      if (count < number || number === 0) return append(record, entry);
      const kept = moment === 'after' && count === number ? append(record, entry) : undefined;
      asleep ??= (async () => {
        await kept;
        await nodes.expire(zombie);
        await nodes.pass(1_500);
        await finish(record.id);
      })();
      return asleep.then(() => kept ?? append(record, entry)); // everything that follows waits too, in its order
    };
    const { id } = (await start(runtime, { workflow: 'asker' })).execution;
    await nodes.quiet();
    const [pause] = (await runtime.get(id, alice))!.context.pauses;
    if (pause !== undefined) await runtime.answer(id, pause.id, yes, alice);
    await nodes.quiet();
    await finish(id);
    store.append = append;
    await nodes.sql(`UPDATE fermata.nodes SET expires_at = 'infinity' WHERE id = '${store.cluster.id}'`);
    told('late');
    told('extended');
    await nodes.quiet();
    await verify(id);
    return count;
  };

  const verify = async (id: string): Promise<void> => {
    for (const { runtime } of [other, zombie]) {
      const view = (await runtime.get(id, alice))!;
      assert.deepEqual([view.status, view.context.result], ['completed', [1, 'yes', 2]]);
      const { entries } = (await runtime.facts(id, 0, alice))!;
      assert.deepEqual(
        entries.map(({ seq }) => seq),
        entries.map((_, index) => index + 1),
      );
      const completed = entries.flatMap((entry) => (entry.type === 'step.completed' ? [entry.call] : []));
      assert.equal(new Set(completed).size, 2, 'each step has one outcome');
      assert.equal(completed.length, 2);
      const ends = entries.filter(({ type }) => /^execution\.(completed|failed)$/.test(type));
      assert.equal(ends.length, 1);
      assert.equal(entries.filter(({ type }) => type === 'interaction.answered').length, 1);
    }
  };
  return play;
};

test('a process that is taken for dead at any of its writes changes nothing when it wakes up', {
  skip: withoutPostgres,
}, async (t) => {
  const play = await twoNodes(t);
  const count = await play(0, 'before');
  assert.ok(count >= 8, `${count} writes`);

  for (let number = 1; number <= count; number += 1) {
    const moments = process.env.MOMENTS === 'both' ? MOMENTS : [MOMENTS[number % 2]!];
    for (const moment of moments)
      await t.test(`${moment} number ${number}`, async () => void (await play(number, moment)));
  }
});
