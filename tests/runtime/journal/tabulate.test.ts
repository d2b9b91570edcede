/** The table of a machine, walked beside the machine itself; and the machines for which there is no table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  createActor,
  not,
  raise,
  setup,
} from 'xstate';
import { executionMachine, statusOf } from '../../../machines/execution.ts';
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { tabulate } from '../../../runtime/journal/tabulate.ts';
import { everyFact, executionPaths, input } from '../../support/execution-model.ts';

const table = tabulate(executionMachine);

const seen = (snapshot: AnyMachineSnapshot) => {
  const { value, context, tags, status, output, error } = snapshot;
  return { value, context: { ...context }, tags: [...tags].sort(), status, output, error };
};

/** What keeps an execution going is drawn more often: otherwise it would be over after a few facts. */
const isEnding = ({ type }: { type: string }) => /^(execution\.(completed|failed)|retention|record)/.test(type);
const fact = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...everyFact.filter((known) => !isEnding(known))) },
  { weight: 1, arbitrary: fc.constantFrom(...everyFact.filter(isEnding)) },
);

test('whatever facts come, the table stands where the machine stands', () => {
  const visited = new Set<string>();
  const compare = (facts: readonly ExecutionEvent[]): void => {
    const machine = createActor(executionMachine, { input }).start();
    const tabulated = createActor(table, { input }).start();

    for (const next of facts) {
      const before = tabulated.getSnapshot();
      machine.send(next);
      tabulated.send(next);

      const snapshot = tabulated.getSnapshot();
      assert.deepEqual(seen(snapshot), seen(machine.getSnapshot()));
      assert.equal(statusOf(snapshot), statusOf(machine.getSnapshot()));
      if (snapshot.context.seq === before.context.seq && snapshot.value === before.value) {
        assert.equal(snapshot, before, 'a fact that is refused changes nothing, the snapshot included');
      }
      visited.add(JSON.stringify(snapshot.value));
    }
  };

  for (const { events } of executionPaths()) compare(events);
  fc.assert(fc.property(fc.array(fact, { maxLength: 40, size: 'max' }), compare), { numRuns: 400 });

  assert.equal(visited.size, 10, `every state was visited: ${[...visited].join(' ')}`);
});

test('a snapshot that was stored goes on in the table as in the machine, from wherever it was taken', () => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 25, size: 'max' }), fc.array(fact, { maxLength: 10 }), (before, after) => {
      const first = createActor(table, { input }).start();
      for (const next of before) first.send(next);
      const stored = JSON.stringify(first.getPersistedSnapshot());

      const machine = createActor(executionMachine, { input, snapshot: JSON.parse(stored) }).start();
      const tabulated = createActor(table, { input, snapshot: JSON.parse(stored) }).start();

      assert.deepEqual(seen(tabulated.getSnapshot()), seen(first.getSnapshot()));
      for (const next of after) {
        machine.send(next);
        tabulated.send(next);
        assert.deepEqual(seen(tabulated.getSnapshot()), seen(machine.getSnapshot()));
      }
    }),
    { numRuns: 100 },
  );
});

const kit = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'go' } | { type: 'stay' } },
  guards: { isFew: ({ context }) => context.count < 3, isMany: not('isFew') },
  actions: {
    count: assign(({ context }) => ({ count: context.count + 1 })),
    countEach: assign({ count: ({ context }) => context.count + 1 }),
    shout: () => {},
    again: raise({ type: 'stay' }),
  },
});
/** Loosely typed: some of them are wrong on purpose. */
const machineOf = (config: object) =>
  kit.createMachine({ id: 'm', context: { count: 0 }, ...config } as never) as unknown as AnyStateMachine;

const walk = (logic: AnyActorLogic, events: readonly string[]) => {
  const actor = createActor(logic).start();
  return [undefined, ...events].map((type) => {
    if (type !== undefined) actor.send({ type });
    return seen(actor.getSnapshot());
  });
};

const tabulable = {
  'a machine of one state': { on: { go: { actions: 'count' } } },
  'states within states, whose transitions they inherit and replace': {
    initial: 'a',
    on: { go: { target: '.b', actions: 'count' }, stay: { actions: 'count' } },
    states: {
      a: {
        initial: 'inner',
        states: { inner: { on: { stay: {} } } },
      },
      b: { on: { go: { guard: 'isFew', target: 'a', actions: ['count', 'count'] } } },
    },
  },
  'transitions without an event, one after the other, from the first state on': {
    initial: 'a',
    states: {
      a: { always: { target: 'b', actions: 'count' } },
      b: { always: { guard: 'isFew', target: 'b', actions: 'count' }, on: { go: 'c' } },
      c: { type: 'final' },
    },
  },
  'a transition to the state itself, and one to its parent': {
    initial: 'a',
    states: {
      a: {
        initial: 'x',
        on: { go: { target: 'a', reenter: true, actions: 'count' } },
        states: { x: { on: { stay: 'y' } }, y: { on: { stay: '#m' } } },
      },
    },
  },
};

for (const [what, config] of Object.entries(tabulable)) {
  test(`a table is as good as ${what}`, () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('go' as const, 'stay' as const), { maxLength: 8 }), (events) => {
        const machine = machineOf(config);

        assert.deepEqual(walk(tabulate(machine), events), walk(machine, events));
      }),
      { numRuns: 50 },
    );
  });
}

/** Each does one thing too many; the refusal says what it is, and where. */
const beyond: readonly (readonly [refusal: string, config: object])[] = [
  ['busy cannot be tabulated: it has an action on entry', { states: { busy: { entry: 'shout' } } }],
  ['busy cannot be tabulated: it has an action on exit', { states: { busy: { exit: 'shout' } } }],
  ['m cannot be tabulated: it has an action on entry', { entry: 'count' }],
  ['busy cannot be tabulated: it has a delay', { states: { busy: { after: { 10: 'busy' } } } }],
  ['busy cannot be tabulated: it has an invoke', { states: { busy: { invoke: { src: 'port' } } } }],
  ['m cannot be tabulated: it has the type parallel', { type: 'parallel', states: { a: {}, b: {} } }],
  ['past cannot be tabulated: it has the type history', { states: { a: {}, past: { type: 'history' } } }],
  ['busy cannot be tabulated: it has a wildcard', { states: { busy: { on: { '*': 'busy' } } } }],
  ['busy cannot be tabulated: it has a wildcard', { states: { busy: { on: { 'go.*': 'busy' } } } }],
  [
    'a cannot be tabulated: it has a transition when its own states are done',
    { states: { a: { initial: 'x', states: { x: { type: 'final' } }, onDone: 'b' }, b: {} } },
  ],
  [
    'm cannot be tabulated: it has actions before its first state',
    { initial: { target: 'a', actions: 'count' }, states: { a: {} } },
  ],
  ['m cannot be tabulated: it has an output', { states: { a: { type: 'final' } }, output: () => 1 }],
  ['m cannot be tabulated: it has a guard without a name of its own', { on: { go: { guard: () => true } } }],
  ['m cannot be tabulated: it has a guard without a name of its own', { on: { go: { guard: not('isFew') } } }],
  ['m cannot be tabulated: it has a guard without a name of its own', { on: { go: { guard: { type: 'isFew' } } } }],
  ['m cannot be tabulated: it has the guard isMany, which is no plain function', { on: { go: { guard: 'isMany' } } }],
  ['m cannot be tabulated: it has the guard missing, which is no plain function', { on: { go: { guard: 'missing' } } }],
  ['m cannot be tabulated: it has an action without a name of its own', { on: { go: { actions: () => {} } } }],
  ['m cannot be tabulated: it has an action without a name of its own', { on: { go: { actions: { type: 'count' } } } }],
  ...['shout', 'again', 'countEach', 'missing'].map(
    (actions) =>
      [
        `m cannot be tabulated: it has the action ${actions}, which is no assign of a function`,
        { on: { go: { actions } } },
      ] as const,
  ),
];

for (const [refusal, config] of beyond) {
  test(`${refusal}, in ${inspect(config)}`, () => {
    const machine = machineOf(
      'states' in config ? { initial: Object.keys(config.states as object)[0], ...config } : config,
    );

    assert.throws(() => tabulate(machine), { message: refusal });
  });
}
