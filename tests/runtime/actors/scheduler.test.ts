import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AnyActor,
  type AnyStateMachine,
  cancel,
  createActor,
  createMachine,
  fromTransition,
  raise,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate';
import { installScheduler } from '../../../runtime/actors/scheduler.ts';
import { TimingWheel } from '../../../runtime/time/timing-wheel.ts';
import { heapUsed } from '../../support/heap.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

const DAY = 86_400_000;

interface World {
  readonly clock: SimulatedClock;
  create(machine: AnyStateMachine): AnyActor;
  pending(): number;
}

const givenWheel = () => {
  const clock = new SimulatedClock();
  const onError = (error: unknown): void => {
    throw error;
  };
  const wheel = new TimingWheel({ clock, onError });
  const create: World['create'] = (machine) => {
    const actor = createActor(machine);
    installScheduler(actor, wheel);
    return actor;
  };
  return { clock, create, pending: () => wheel.size };
};

const givenStock = (): World => {
  const clock = new SimulatedClock();
  return { clock, create: (machine) => createActor(machine, { clock }), pending: () => clock.pending };
};

/** Keeps the types of what it is sent. */
const recorder = (received: string[]) =>
  fromTransition((_, { type }) => {
    if (type !== 'xstate.stop') received.push(type);
    return undefined;
  }, undefined);

// One contract: a machine cannot tell who keeps its time.

for (const [name, given] of [
  ['the timing wheel', givenWheel],
  ["XState's own scheduler", givenStock],
] as const) {
  test(`on ${name}, a machine is in each state for as long as its "after" says`, () => {
    const { clock, create, pending } = given();
    const tea = create(
      createMachine({
        initial: 'boiling',
        states: {
          boiling: { after: { 90000: 'steeping' } },
          steeping: { after: { 0: { target: 'never', guard: () => false }, 180500: 'ageing' } },
          ageing: { after: { [20 * DAY]: 'served' } },
          never: {},
          served: { type: 'final' },
        },
      }),
    ).start();
    const stateAfter = (ms: number) => {
      clock.advance(ms);
      return tea.getSnapshot().value;
    };

    const states = [89_999, 1, 180_499, 1, 20 * DAY - 1, 1].map(stateAfter);

    assert.deepEqual(states, ['boiling', 'steeping', 'steeping', 'ageing', 'ageing', 'served']);
    assert.equal(pending(), 0);
  });

  test(`on ${name}, a state that is left or entered again forgets the time it has waited`, () => {
    const { clock, create, pending } = given();
    const light = create(
      createMachine({
        initial: 'off',
        states: {
          off: { on: { press: 'on' } },
          on: { after: { 1000: 'off' }, on: { press: { target: 'on', reenter: true }, smash: 'broken' } },
          broken: {},
        },
      }),
    ).start();

    light.send({ type: 'press' });
    clock.advance(900);
    light.send({ type: 'press' });
    clock.advance(900);
    assert.equal(light.getSnapshot().value, 'on');
    light.send({ type: 'smash' });

    assert.equal(pending(), 0);
    clock.advance(2_000);
    assert.equal(light.getSnapshot().value, 'broken');
  });

  test(`on ${name}, delayed events come in the order of their times, and cancelled ones do not come`, () => {
    const { clock, create, pending } = given();
    const received: string[] = [];
    create(
      createMachine({
        invoke: { src: recorder(received), id: 'recorder' },
        entry: [
          sendTo('recorder', { type: 'late' }, { delay: 30 }),
          sendTo('recorder', { type: 'cancelled' }, { delay: 20, id: 'x' }),
          sendTo('recorder', { type: 'first of two' }, { delay: 10 }),
          sendTo('recorder', { type: 'second of two' }, { delay: 10, id: 'y' }),
          raise({ type: 'tick' }, { delay: 15 }),
        ],
        on: { tick: { actions: [cancel('x'), cancel('y'), cancel('unknown')] } },
      }),
    ).start();

    clock.advance(30);

    assert.deepEqual(received, ['first of two', 'second of two', 'late']);
    assert.equal(pending(), 0);
  });

  test(`on ${name}, an actor that cancels or stops leaves the events of other actors alone`, () => {
    const { clock, create, pending } = given();
    const received: string[] = [];
    const child = (name: string) =>
      createMachine({
        invoke: { src: recorder(received), id: 'recorder' },
        entry: [
          sendTo('recorder', { type: `${name}, by id` }, { delay: 10, id: 'same' }),
          sendTo('recorder', { type: name }, { delay: 20 }),
        ],
        on: { revoke: { actions: cancel('same') } },
      });
    const parent = create(
      createMachine({
        entry: [
          spawnChild(child('one'), { id: 'one' }),
          spawnChild(child('two'), { id: 'two' }),
          sendTo('one', { type: 'too late for one' }, { delay: 15 }),
        ],
        on: { revoke: { actions: sendTo('two', { type: 'revoke' }) }, dismiss: { actions: stopChild('one') } },
      }),
    ).start();
    assert.equal(pending(), 5);

    parent.send({ type: 'revoke' });
    assert.equal(pending(), 4);
    clock.advance(10);
    parent.send({ type: 'dismiss' });
    assert.equal(pending(), 2);
    clock.advance(10);

    assert.deepEqual(received, ['one, by id', 'two']);
    assert.equal(pending(), 0);
  });

  test(`on ${name}, a system that has stopped waits for nothing`, () => {
    const { clock, create, pending } = given();
    const child = createMachine({ after: { 1000: {} } });
    const parent = create(createMachine({ invoke: [{ src: child }, { src: child }], after: { 2000: {} } })).start();
    assert.equal(pending(), 3);

    parent.stop();

    assert.equal(pending(), 0);
    assert.equal(clock.pending, 0);
  });

  test(`on ${name}, an inspector sees who sent a delayed event`, () => {
    const { clock, create } = given();
    const actor = create(
      createMachine({
        invoke: { src: recorder([]), id: 'recorder' },
        entry: sendTo('recorder', { type: 'hello' }, { delay: 10 }),
      }),
    ).start();
    const seen: unknown[] = [];
    actor.system.inspect((inspected) => {
      if (inspected.type === '@xstate.event') seen.push([inspected.event.type, inspected.sourceRef?.sessionId]);
    });

    clock.advance(10);

    assert.deepEqual(seen, [['hello', actor.sessionId]]);
  });
}

// And one exception: XState's own scheduler forgets the first of two events that share an id.

test('on the timing wheel, an id that was used twice cancels both events', () => {
  const { clock, create, pending } = givenWheel();
  const received: string[] = [];
  const actor = create(
    createMachine({
      invoke: { src: recorder(received), id: 'recorder' },
      entry: [
        sendTo('recorder', { type: 'first' }, { delay: 10, id: 'same' }),
        sendTo('recorder', { type: 'second' }, { delay: 20, id: 'same' }),
      ],
      on: { revoke: { actions: cancel('same') } },
    }),
  ).start();

  actor.send({ type: 'revoke' });
  clock.advance(20);

  assert.deepEqual(received, []);
  assert.equal(pending(), 0);
});

test('an actor that stops while 100,000 events are pending takes only its own along', (t) => {
  const { create, pending } = givenWheel();
  const root = create(createMachine({})).start();
  const { scheduler } = root.system;
  const actors = Array.from({ length: 10_000 }, () => createActor(createMachine({}), { parent: root }));
  for (const actor of actors) {
    for (let day = 1; day <= 10; day += 1) scheduler.schedule(actor, root, { type: 'morning' }, day * DAY, undefined);
  }
  assert.equal(pending(), 100_000);

  const before = performance.now();
  for (const actor of actors.slice(0, 1_000)) scheduler.cancelAll(actor);
  t.diagnostic(`cancelAll of ten events: ${(performance.now() - before).toFixed(1)} us`);

  assert.equal(pending(), 90_000);
});

test('an actor that never stops keeps nothing of the delayed events that have come or were cancelled', () => {
  const { clock, create, pending } = givenWheel();
  const actor = create(createMachine({ after: { [DAY]: {} } })).start();
  const { scheduler } = actor.system;
  const before = heapUsed();

  for (let i = 0; i < 50_000; i += 1) {
    scheduler.schedule(actor, actor, { type: 'tick' }, 1, 'tick');
    scheduler.schedule(actor, actor, { type: 'tock' }, 2, 'tock');
    scheduler.cancel(actor, 'tock');
    clock.advance(1);
  }

  const grown = heapUsed() - before;
  assert.equal(pending(), 1);
  assert.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`);
});
