/**
 * Test models out of machines. A model has all states and transitions of its machine, but nothing happens in it by
 * itself: what timers and ports would send is sent by the walk, under the names that XState gives it.
 */
import { getShortestPaths } from '@xstate/graph';
import {
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type EventFromLogic,
  type InputFrom,
  type InspectionEvent,
  type SnapshotFrom,
  StateMachine,
} from 'xstate';

type StateNode = AnyStateMachine['root'];
type Config = StateNode['config'];

/** The machine without `after` and `invoke`: their events are in `on`, as `xstate.after.*`, `xstate.done.actor.*`, ... */
export const modelOf = <Machine extends AnyStateMachine>(machine: Machine): Machine =>
  new StateMachine(inert(machine.root), machine.implementations) as AnyStateMachine as Machine;

const inert = (node: StateNode): Config => {
  const { after, invoke: _, on, states, ...rest } = node.config;
  const timers = Object.entries(after ?? {}).map(([delay, taken]) => [`xstate.after.${delay}.${node.id}`, taken]);
  const results = node.invoke.flatMap(({ id, onDone, onError }) => [
    [`xstate.done.actor.${id}`, onDone],
    [`xstate.error.actor.${id}`, onError],
  ]);
  const sent = [...timers, ...results].filter(([, taken]) => taken !== undefined);
  const inner = Object.entries(node.states).map(([key, child]) => [key, inert(child)]);
  return { ...rest, on: { ...on, ...Object.fromEntries(sent) }, states: Object.fromEntries(inner) };
};

/** A state that can be reached, and the shortest way there. */
export type Path<Machine extends AnyStateMachine> = {
  readonly events: readonly EventFromLogic<Machine>[];
  readonly state: SnapshotFrom<Machine>;
};

/** A machine that has lost a guard may have states without end; that should be an error, and not an endless test. */
const MAX_TRANSITIONS = 50_000;

/** One path to every state. `key` says which snapshots are the same state, `events` what is tried there. */
export const pathsOf = <Machine extends AnyStateMachine>(
  model: Machine,
  options: {
    readonly input: InputFrom<Machine>;
    readonly events: (state: SnapshotFrom<Machine>) => readonly EventFromLogic<Machine>[];
    readonly key: (state: SnapshotFrom<Machine>) => string;
  },
): Path<Machine>[] => {
  const { input, events, key } = options;
  const paths = getShortestPaths(model, {
    input,
    events: events as never,
    serializeState: key as never,
    limit: MAX_TRANSITIONS,
  });
  return paths.map(({ state, steps }) => ({
    state: state as SnapshotFrom<Machine>,
    events: steps.slice(1).map(({ event }) => event as EventFromLogic<Machine>), // the first one is `xstate.init`
  }));
};

/** Which states and transitions of a machine tests have been through. `inspect` is for `createActor`. */
export class Coverage {
  readonly #states: readonly string[];
  readonly #transitions: readonly string[];
  readonly #visited = new Set<string>();

  constructor({ root }: AnyStateMachine) {
    const nodes = nodesOf(root);
    this.#states = nodes.map(({ id }) => id);
    this.#transitions = nodes.flatMap((node) => transitionsOf(node).map(nameOf));
  }

  inspect = (seen: InspectionEvent): void => {
    if (seen.type !== '@xstate.microstep' && seen.type !== '@xstate.snapshot') return;
    if (!('_nodes' in seen.snapshot)) return;
    for (const { id } of seen.snapshot._nodes as StateNode[]) this.#visited.add(id);
    if (seen.type === '@xstate.microstep') for (const taken of seen._transitions) this.#visited.add(nameOf(taken));
  };

  /** What the machine declares and no test has seen: ids of states, and transitions as `source, event, position`. */
  get missing(): string[] {
    return [...this.#states, ...this.#transitions].filter((name) => !this.#visited.has(name));
  }

  get summary(): string {
    const count = (names: readonly string[]) =>
      `${names.filter((name) => this.#visited.has(name)).length} of ${names.length}`;
    return `states ${count(this.#states)}, transitions ${count(this.#transitions)}`;
  }
}

const nodesOf = (node: StateNode): StateNode[] => [node, ...Object.values(node.states).flatMap(nodesOf)];

const transitionsOf = (node: StateNode): AnyTransitionDefinition[] => [
  ...[...node.transitions.values()].flat(),
  ...(node.always ?? []),
];

const nameOf = (taken: AnyTransitionDefinition): string =>
  `${taken.source.id}, ${taken.eventType || 'always'}, ${transitionsOf(taken.source).indexOf(taken)}`;
