/** Supervision: an actor that ends or crashes affects no other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnyActorRef, createActor, fromCallback, fromPromise } from 'xstate';
import type { SupervisorSnapshot } from '../../../machines/manager.ts';
import { startChild, stopChild, supervisor } from '../../../runtime/actors/supervisor.ts';
import type { Execution } from '../../../runtime/executions/execution.ts';
import { text } from '../../../runtime/index.ts';
import { type ControlledRun, controlledWorkflow } from '../../support/controlled-workflow.ts';
import { alice, given, type RuntimeWorld, turns, untilIdle } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const nursery = () => {
  const log: string[] = [];
  const root = createActor(
    supervisor({
      ended: (id) => void log.push(`${id} ended`),
      crashed: (id, error) => void log.push(`${id} crashed: ${(error as Error).message}`),
    }),
  ).start();
  const children = () => [...(root.getSnapshot() as SupervisorSnapshot).children.keys()];
  return { root: root as AnyActorRef, log, children };
};

/** Lives until it is stopped. */
const patient = (log: string[]) =>
  fromCallback(({ self, receive }) => {
    receive(() => {
      throw new Error('heard something');
    });
    return () => void log.push(`${self.id} stopped`);
  });

test('a child that ends is let go, one that crashes is reported, and the others stay', async () => {
  const { root, log, children } = nursery();
  for (const id of ['a', 'b', 'c']) startChild(root, id, patient(log), { input: undefined });
  startChild(
    root,
    'done',
    fromPromise(async () => 1),
    { input: undefined },
  );
  startChild(
    root,
    'broken',
    fromPromise(() => Promise.reject(new Error('no'))),
    { input: undefined },
  );
  await turns();

  (root.getSnapshot() as SupervisorSnapshot).children.get('b')!.send({ type: 'anything' });

  assert.deepEqual(children(), ['a', 'c']);
  assert.deepEqual(log, ['done ended', 'broken crashed: no', 'b crashed: heard something']);
  assert.equal(root.getSnapshot().status, 'active');
});

test('a child that is stopped is not reported, and stopping an unknown child has no effect', () => {
  const { root, log, children } = nursery();
  startChild(root, 'a', patient(log), { input: undefined });
  startChild(root, 'b', patient(log), { input: undefined });

  stopChild(root, 'a');
  stopChild(root, 'a');
  stopChild(root, 'unknown');

  assert.deepEqual([children(), log], [['b'], ['a stopped']]);
});

test('all children end with their supervisor', () => {
  const { root, log, children } = nursery();
  for (const id of ['a', 'b']) startChild(root, id, patient(log), { input: undefined });

  root.stop();

  assert.deepEqual([children(), log], [[], ['a stopped', 'b stopped']]);
});

test('an id that was used may be used again', () => {
  const { root, log, children } = nursery();
  startChild(root, 'a', patient(log), { input: undefined });
  stopChild(root, 'a');

  const again = startChild(root, 'a', patient(log), { input: undefined });

  assert.equal(again.getSnapshot().status, 'active');
  assert.deepEqual(children(), ['a']);
});

/** A fact that throws when it is read. */
const poison = () =>
  ({
    get type(): never {
      throw new RangeError('broken fact');
    },
  }) as never;

/** Executions of one builder with two slots: two execute, one is parked, one waits for a slot. */
const busy = async (world: RuntimeWorld, runs: Map<string, ControlledRun>) => {
  const parked = await world.start({ by: alice });
  const asked = runs.get(parked.id)!.ctx.prompt(text({ text: 'Which?' }));
  const outcome = asked.then(
    () => 'answered',
    (error: Error) => error.name,
  );
  const [first, second] = [await world.start({ by: alice }), await world.start({ by: alice })];
  const queued = await world.start({ by: alice });
  assert.deepEqual(
    [parked, first, second, queued].map(({ phase }) => phase),
    ['waiting', 'executing', 'executing', 'queued'],
  );
  return { parked, first, second, queued, outcome };
};

const crash = async (t: Parameters<typeof given.runtime>[0], which: 'parked' | 'first' | 'queued') => {
  const { workflow, runs } = controlledWorkflow();
  const world = await given.runtime(t, { workflows: [workflow], options: { maxConcurrency: 2 } });
  const executions = await busy(world, runs);
  const signal = runs.get(executions[which].id)?.ctx.signal;
  const told: string[] = [];
  const unwatch = executions[which].watch(({ type }) => told.push(type));

  const isKept = executions[which].offer(poison());

  unwatch();
  assert.equal(isKept, false);
  assert.deepEqual(told, ['execution.failed']);
  const logged = world.errors.splice(0) as { executionId: string; err: Error }[];
  assert.deepEqual(
    logged.map(({ executionId, err }) => [executionId, err.message]),
    [[executions[which].id, 'broken fact']],
  );
  const finish = async (others: readonly Execution[]) => {
    await untilIdle(world.runtime);
    for (const { id } of others) runs.get(id)!.complete('done');
    await turns();
    for (const { status } of others) assert.equal(status, 'completed');
  };
  return { ...world, ...executions, runs, signal, finish };
};

test('an execution whose actor crashes has failed as a defect, visibly, and no other has', async (t) => {
  const { runtime, first, second, queued, parked, signal, finish } = await crash(t, 'first');

  const view = immediate(runtime.get(first.id, alice))!;
  const journal = await runtime.facts(first.id, 0, alice);
  assert.deepEqual([view.status, view.context.error?.code], ['failed', 'defect']);
  assert.equal(journal?.entries.at(-1)?.type, 'execution.failed');
  assert.equal(signal!.aborted, true);
  assert.deepEqual(
    [second, queued, parked].map(({ phase }) => phase),
    ['executing', 'executing', 'waiting'],
    'its slot has gone to the next one',
  );
  await finish([second, queued]);
});

test('a crash while it is parked wakes what waits in it, and affects no other slot', async (t) => {
  const { runtime, parked, first, second, queued, outcome, finish } = await crash(t, 'parked');

  assert.equal(await outcome, 'AbortError');
  assert.deepEqual(
    [parked, first, second, queued].map(({ phase }) => phase),
    ['settled', 'executing', 'executing', 'queued'],
  );
  assert.deepEqual(await runtime.inbox(alice, 10), []);
  await assert.rejects(runtime.cancel(parked.id, alice), { code: 'execution_settled' });
  await finish([first, second]);
  await finish([queued]);
});

test('a crash while it waits for a slot lets the next one pass', async (t) => {
  const { start, runs, first, second, queued, finish } = await crash(t, 'queued');

  const next = await start({ by: alice });

  assert.equal(runs.has(queued.id), false);
  await finish([first, second]);
  assert.equal(next.phase, 'executing');
  runs.get(next.id)!.complete('done');
});

test('what a crash sets free may start another execution at once', async (t) => {
  const { workflow, runs } = controlledWorkflow();
  const { errors, start } = await given.runtime(t, { workflows: [workflow], options: { maxConcurrency: 1 } });
  const broken = await start();
  let next: Promise<Execution> | undefined;
  const unwatch = broken.watch(() => {
    unwatch();
    next = start();
  });

  broken.offer(poison());

  const execution = await next;
  assert.equal(execution?.phase, 'executing');
  runs.get(execution.id)!.complete('done');
  assert.equal(errors.splice(0).length, 1);
});
