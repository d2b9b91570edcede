/** The order in which everything begins and ends. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createActor, fromPromise } from 'xstate';
import { managerMachine, type SupervisorLogic } from '../../machines/manager.ts';
import { supervisor } from '../../runtime/actors/supervisor.ts';
import { Coverage } from '../support/machine-model.ts';

const coverage = new Coverage(managerMachine);
after(() => assert.deepEqual(coverage.missing, []));

type Port = 'prepare' | 'settleExecutions' | 'disposeBuilders';

/** A manager whose ports end when they are told to, and a log of what began and ended, in order. */
const given = () => {
  const log: string[] = [];
  const calls = new Map<Port, { resolve(): void; reject(error: Error): void; signal: AbortSignal }>();
  const port = (name: Port) =>
    fromPromise<void, undefined>(({ signal }) => {
      log.push(name);
      return new Promise<void>((resolve, reject) => calls.set(name, { resolve, reject, signal }));
    });
  const watched = (name: string): SupervisorLogic => {
    const logic = supervisor({ ended: () => {}, crashed: () => {} });
    const transition: SupervisorLogic['transition'] = (snapshot, event, scope) => {
      if (event.type === 'xstate.stop') log.push(`${name} stopped`);
      return logic.transition(snapshot, event, scope);
    };
    return { ...logic, transition };
  };
  const machine = managerMachine.provide({
    actors: {
      executions: watched('executions'),
      builders: watched('builders'),
      prepare: port('prepare'),
      settleExecutions: port('settleExecutions'),
      disposeBuilders: port('disposeBuilders'),
    },
  });
  const actor = createActor(machine, { inspect: coverage.inspect }).start();
  const finish = async (name: Port, error?: Error): Promise<void> => {
    const call = calls.get(name);
    assert.ok(call, `${name} was not called`);
    if (error === undefined) call.resolve();
    else call.reject(error);
    await new Promise(setImmediate);
  };
  const isAccepting = () => actor.getSnapshot().hasTag('accepting');
  return { actor, log, calls, finish, isAccepting, stop: () => actor.send({ type: 'manager.stop' }) };
};

test('a manager takes work from when it is prepared until it is told to stop', async () => {
  const { isAccepting, finish, stop } = given();
  const starting = isAccepting();

  await finish('prepare');
  const serving = isAccepting();
  stop();

  assert.deepEqual([starting, serving, isAccepting()], [false, true, false]);
});

test('a manager that stops disposes builders only when no execution uses them, and lets go of both last', async () => {
  const { actor, log, finish, stop } = given();
  await finish('prepare');

  stop();
  const whileExecutionsSettle = [...log];
  await finish('settleExecutions');
  const whileBuildersClose = [...log];
  await finish('disposeBuilders');

  assert.deepEqual(whileExecutionsSettle, ['prepare', 'settleExecutions']);
  assert.deepEqual(whileBuildersClose, ['prepare', 'settleExecutions', 'disposeBuilders']);
  assert.deepEqual(log.slice(3), ['executions stopped', 'builders stopped']);
  assert.equal(actor.getSnapshot().status, 'done');
});

test('a manager that cannot be prepared keeps the reason, and closes what was opened before it is stopped', async () => {
  const { actor, log, isAccepting, finish } = given();

  await finish('prepare', new Error('no store'));
  await finish('settleExecutions');
  await finish('disposeBuilders');

  assert.match(String(actor.getSnapshot().context.error), /no store/);
  assert.ok(actor.getSnapshot().matches('stopped'));
  assert.equal(isAccepting(), false);
  assert.deepEqual(log.slice(0, 3), ['prepare', 'settleExecutions', 'disposeBuilders']);
});

test('a manager that is stopped while it starts gives the preparation up, and never serves', async () => {
  const { actor, calls, isAccepting, finish, stop } = given();

  stop();
  await finish('prepare');

  assert.equal(calls.get('prepare')?.signal.aborted, true);
  assert.equal(isAccepting(), false);
  assert.ok(actor.getSnapshot().matches({ draining: 'executions' }));
});

test('a manager that stops goes on with the next thing when one of them fails', async () => {
  const { actor, finish, stop } = given();
  await finish('prepare');

  stop();
  await finish('settleExecutions', new Error('would not end'));
  const afterExecutions = actor.getSnapshot().value;
  await finish('disposeBuilders', new Error('would not close'));

  assert.deepEqual(afterExecutions, { draining: 'builders' });
  assert.ok(actor.getSnapshot().matches('stopped'));
});

test('a manager that is told to stop again does nothing twice', async () => {
  const { log, finish, stop } = given();
  await finish('prepare');

  stop();
  stop();
  await finish('settleExecutions');
  stop();

  assert.deepEqual(log, ['prepare', 'settleExecutions', 'disposeBuilders']);
});
