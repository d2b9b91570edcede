/**
 * Test models out of machines. A model has all states and transitions of its machine, but nothing happens in it by
 * itself: what timers and ports would send is sent by whoever walks through it, under the names that XState gives it.
 */
import { getShortestPaths } from '@xstate/graph';
import {
  type AnyStateMachine,
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
  const paths = getShortestPaths(model, { input, events: events as never, serializeState: key as never });
  return paths.map(({ state, steps }) => ({
    state: state as SnapshotFrom<Machine>,
    events: steps.slice(1).map(({ event }) => event as EventFromLogic<Machine>), // the first one is `xstate.init`
  }));
};

/** Which states and transitions of a machine tests have been through. `inspect` is for `createActor`. */
export class Coverage {
  readonly #machine: AnyStateMachine;
  readonly #visited = new Set<unknown>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  inspect = (seen: InspectionEvent): void => {
    if (seen.type !== '@xstate.microstep' && seen.type !== '@xstate.snapshot') return;
    if (!('_nodes' in seen.snapshot)) return;
    for (const node of seen.snapshot._nodes as StateNode[]) this.#visited.add(node);
    if (seen.type === '@xstate.microstep') for (const taken of seen._transitions) this.#visited.add(taken);
  };

  /** Declared, and not seen: state nodes by their id, transitions by the id of their source, event, and position. */
  get missing(): string[] {
    return declared(this.#machine.root)
      .filter(({ item }) => !this.#visited.has(item))
      .map(({ name }) => name);
  }

  get summary(): string {
    const all = declared(this.#machine.root);
    const count = (isState: boolean): string => {
      const some = all.filter((one) => one.isState === isState);
      return `${some.filter(({ item }) => this.#visited.has(item)).length} of ${some.length}`;
    };
    return `states ${count(true)}, transitions ${count(false)}`;
  }
}

type Declared = { readonly name: string; readonly item: unknown; readonly isState: boolean };

const declared = (node: StateNode): Declared[] => [
  { name: node.id, item: node, isState: true },
  ...[...node.transitions.values(), node.always ?? []].flatMap((taken) =>
    taken.map((item, index) => ({ name: `${node.id} ${item.eventType || 'always'} ${index}`, item, isState: false })),
  ),
  ...Object.values(node.states).flatMap(declared),
];
