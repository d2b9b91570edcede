import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from 'xstate';
import { builderMachine } from '../../../machines/builder.ts';
import { graphOf } from '../../../machines/drawing/graph.ts';
import { mermaidOf } from '../../../machines/drawing/mermaid.ts';
import { statelyOf } from '../../../machines/drawing/stately.ts';
import { executionMachine } from '../../../machines/execution.ts';
import { managerMachine } from '../../../machines/manager.ts';

const door = createMachine({
  id: 'door',
  initial: 'closed',
  states: {
    closed: {
      tags: ['safe'],
      on: { push: 'open', 'lock.turned': [{ guard: () => true, target: 'open.wide' }, { actions: () => {} }] },
    },
    open: {
      initial: 'ajar',
      states: { ajar: { always: { guard: 'isWindy', target: 'wide' } }, wide: {} },
      after: { 1000: 'closed', slam: 'gone' },
    },
    gone: { type: 'final' },
  },
});

test('a graph has every state, with where it stands and what is said of it', () => {
  const { id, nodes } = graphOf(door);

  assert.equal(id, 'door');
  assert.deepEqual(
    nodes.map(({ id, parent, type, isInitial, isFinal }) => [id, parent, type, isInitial, isFinal]),
    [
      ['closed', null, 'atomic', true, false],
      ['open', null, 'compound', false, false],
      ['open.ajar', 'open', 'atomic', true, false],
      ['open.wide', 'open', 'atomic', false, false],
      ['gone', null, 'final', false, true],
    ],
  );
  assert.deepEqual(nodes[0]?.tags, ['safe']);
});

test('a graph has what leads from state to state, in words, and nothing that only acts', () => {
  assert.deepEqual(
    graphOf(door).edges.map(({ id }) => id),
    [
      'closed --> open: push',
      'closed --> open.wide: lock.turned [guard]',
      'open --> closed: after 1000',
      'open --> gone: after slam',
      'open.ajar --> open.wide: [isWindy]',
    ],
  );
});

test('a graph is plain data', () => {
  const graph = graphOf(executionMachine);

  assert.deepEqual(JSON.parse(JSON.stringify(graph)), graph);
});

test('states of one name in two places have two names in Mermaid', () => {
  const inside = { initial: 'idle', states: { idle: {} } };
  const machine = createMachine({ id: 'twice', initial: 'one', states: { one: inside, two: inside } });

  assert.equal(
    mermaidOf(graphOf(machine)),
    [
      'stateDiagram-v2',
      '  state one {',
      '    state "idle" as one_idle',
      '    [*] --> one_idle',
      '  }',
      '  state two {',
      '    state "idle" as two_idle',
      '    [*] --> two_idle',
      '  }',
      '  [*] --> one',
    ].join('\n'),
  );
});

for (const machine of [executionMachine, builderMachine, managerMachine]) {
  test(`the ${machine.id} as JSON is a machine of XState with the same graph`, () => {
    const json = statelyOf(machine);

    assert.deepEqual(graphOf(createMachine(json)), graphOf(machine));
  });
}

test('in JSON, code is its name where it decides or acts, and nothing where it makes data', () => {
  const isOdd = () => true;
  const machine = createMachine({
    id: 'code',
    context: () => ({ secret: 1 }),
    entry: [function greet() {}],
    on: { push: { guard: isOdd, actions: ['wave', { type: 'bow', params: () => ({ low: true }) }] } },
  });

  assert.deepEqual(statelyOf(machine), {
    id: 'code',
    entry: ['greet'],
    on: { push: { guard: 'isOdd', actions: ['wave', { type: 'bow' }] } },
  });
});
