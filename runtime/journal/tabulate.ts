/**
 * Runs a machine by a table of its states, for machines with many actors.
 *
 * For each event, XState computes again which states are left and entered, in about 10 us. A machine that only folds
 * (no parallel states, no history, no invokes, no delays, no entry or exit actions, every action an `assign`) allows a
 * table: for each leaf, the candidates of an event and their targets. The actor is an XState actor, and its snapshots
 * equal those of the machine. Other machines are refused. `tests/runtime/journal/tabulate.test.ts` compares the machine
 * and its table.
 */
import type {
  ActorLogic,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  InputFrom,
  SnapshotFrom,
  StateValue,
} from 'xstate';

type Leaf = {
  /** All members of a snapshot except its context. */
  readonly template: AnyMachineSnapshot;
  readonly Snapshot: new (context: unknown) => AnyMachineSnapshot;
  readonly on: ReadonlyMap<string, readonly Candidate[]>;
  readonly always: readonly Candidate[];
};
type Judged = { context: unknown; event: unknown };
type Candidate = {
  readonly guard: ((judged: Judged) => boolean) | undefined;
  readonly assignments: readonly ((judged: Judged) => object)[];
  /** Undefined: the state stays. */
  target: Leaf | undefined;
};
type Node = AnyStateMachine['root'];
type Definition = Node['always'] extends (infer D)[] | undefined ? D : never;

export const tabulate = <Machine extends AnyStateMachine>(
  machine: Machine,
): ActorLogic<SnapshotFrom<Machine>, EventFromLogic<Machine>, InputFrom<Machine>> => {
  const leaves = new Map<Node, Leaf>();
  const unresolved: (() => void)[] = [];

  const refuse = (node: Node, what: string): never => {
    throw new Error(`${node.key || machine.id} cannot be tabulated: it has ${what}`);
  };

  const guardOf = (node: Node, guard: Definition['guard']): Candidate['guard'] => {
    if (guard === undefined) return undefined;
    if (typeof guard !== 'string') return refuse(node, 'a guard without a name of its own');
    const known = machine.implementations.guards[guard];
    if (known === undefined || 'check' in known) return refuse(node, `the guard ${guard}, which is no plain function`);
    return known as Candidate['guard'];
  };

  const assignmentOf = (node: Node, action: unknown): Candidate['assignments'][number] => {
    if (typeof action !== 'string') return refuse(node, 'an action without a name of its own');
    const { assignment } = (machine.implementations.actions[action] ?? {}) as { assignment?: unknown };
    if (typeof assignment !== 'function') return refuse(node, `the action ${action}, which is no assign of a function`);
    return assignment as Candidate['assignments'][number];
  };

  const candidate = (node: Node, { guard, actions, target }: Definition): Candidate => {
    const [goal, ...more] = target ?? [];
    if (more.length > 0) refuse(node, 'a transition to several states');
    const known: Candidate = {
      guard: guardOf(node, guard),
      assignments: actions.map((action: unknown) => assignmentOf(node, action)),
      target: undefined,
    };
    if (goal !== undefined) unresolved.push(() => (known.target = leaves.get(leafOf(goal))));
    return known;
  };

  for (const node of nodesBelow(machine.root)) {
    const excess = excessOf(node);
    if (excess !== undefined) refuse(node, excess);
    if (Object.keys(node.states).length > 0) continue;
    const path = [node, ...ancestorsOf(node)];
    const on = new Map<string, Candidate[]>();
    for (const from of path) {
      for (const [type, definitions] of from.transitions) {
        if (type.includes('*')) refuse(from, 'a wildcard');
        on.set(type, [...(on.get(type) ?? []), ...definitions.map((definition) => candidate(from, definition))]);
      }
    }
    const always = path.flatMap((from) =>
      (from.always ?? []).map((definition: Definition) => candidate(from, definition)),
    );
    const template = machine.resolveState({ value: stateValueOf(node), context: {} } as never) as AnyMachineSnapshot;
    leaves.set(node, { template, Snapshot: snapshotOf(machine, template), on, always });
  }
  for (const resolve of unresolved) resolve();

  const leafOfSnapshot = new Map<unknown, Leaf>([...leaves.values()].map((leaf) => [leaf.template._nodes, leaf]));
  const initial = leaves.get(leafOf(machine.root))!;
  const at = ({ Snapshot }: Leaf, context: unknown) => new Snapshot(context) as SnapshotFrom<Machine>;

  return {
    transition: (snapshot, event) => {
      const from =
        leafOfSnapshot.get((snapshot as AnyMachineSnapshot)._nodes) ??
        leaves.get(leafNode(snapshot as AnyMachineSnapshot))!;
      const judged: Judged = { context: (snapshot as AnyMachineSnapshot).context, event };
      const taken = from.on.get(event.type)?.find(agrees, judged);
      if (taken === undefined) return snapshot;
      return at(settle(take(taken, from, judged), judged), judged.context);
    },
    getInitialSnapshot: (_scope, input) => {
      const { context = {} } = machine.config;
      const event = { type: 'xstate.init', input };
      const judged: Judged = { context: typeof context === 'function' ? context({ input } as never) : context, event };
      return at(settle(initial, judged), judged.context);
    },
    getPersistedSnapshot: (snapshot, options) => machine.getPersistedSnapshot(whole(snapshot) as never, options),
    restoreSnapshot: (snapshot, scope) =>
      leafOfSnapshot.has((snapshot as AnyMachineSnapshot)._nodes)
        ? (snapshot as SnapshotFrom<Machine>) // it was made in this process, not read from a store
        : (machine.restoreSnapshot(snapshot as never, scope as never) as SnapshotFrom<Machine>),
  };
};

function agrees(this: Judged, { guard }: Candidate): boolean {
  return guard?.(this) ?? true;
}

const take = ({ assignments, target }: Candidate, from: Leaf, judged: Judged): Leaf => {
  for (const assignment of assignments) judged.context = merged(judged.context as object, assignment(judged));
  return target ?? from;
};

/** Follows the eventless transitions. */
const settle = (from: Leaf, judged: Judged): Leaf => {
  let leaf = from;
  for (let next = leaf.always.find(agrees, judged); next !== undefined; next = leaf.always.find(agrees, judged)) {
    leaf = take(next, leaf, judged);
  }
  return leaf;
};

/** A snapshot has all its members as own properties. */
const whole = (snapshot: object): object => {
  const own: Record<string, unknown> = {};
  for (const key in snapshot) own[key] = snapshot[key as keyof object];
  return own;
};

/**
 * Snapshots of one leaf differ only in their context. All other members are on the prototype, so a snapshot has 24
 * bytes.
 */
const snapshotOf = (machine: AnyStateMachine, template: AnyMachineSnapshot): Leaf['Snapshot'] => {
  function Snapshot(this: { context: unknown }, context: unknown) {
    this.context = context;
  }
  const toJSON = function (this: object) {
    return machine.getPersistedSnapshot(whole(this) as never);
  };
  Snapshot.prototype = Object.assign(template, { toJSON });
  return Snapshot as unknown as Leaf['Snapshot'];
};

/** Like `{ ...whole, ...patch }`, but V8 gives each such result its own hidden class, which costs 500 bytes. */
const merged = <Whole extends object>(whole: Whole, patch: object): Whole => {
  const copy = { ...whole };
  for (const key in patch) copy[key as keyof Whole] = patch[key as keyof object];
  return copy;
};

/** Unsupported features of a state, in words. A delay also has entry and exit actions, so it is checked first. */
const excessOf = (node: Node): string | undefined => {
  const { type, after, invoke, entry, exit, initial, output, config } = node;
  if (type === 'parallel' || type === 'history') return `the type ${type}`;
  if (after.length > 0) return 'a delay';
  if (invoke.length > 0) return 'an invoke';
  if (entry.length > 0) return 'an action on entry';
  if (exit.length > 0) return 'an action on exit';
  if (initial !== undefined && initial.actions.length > 0) return 'actions before its first state';
  if (config.onDone !== undefined) return 'a transition when its own states are done';
  if (output !== undefined) return 'an output';
  return undefined;
};

const nodesBelow = (node: Node): Node[] => [
  node,
  ...Object.values(node.states).flatMap((child) => nodesBelow(child as Node)),
];

const ancestorsOf = ({ parent }: Node): Node[] => (parent === undefined ? [] : [parent, ...ancestorsOf(parent)]);

const leafOf = (node: Node): Node => {
  const [first] = node.initial?.target ?? [];
  return first === undefined ? node : leafOf(first);
};

const leafNode = ({ _nodes }: AnyMachineSnapshot): Node =>
  _nodes.find((node) => Object.keys(node.states).length === 0)!;

const stateValueOf = (node: Node): StateValue => {
  const value = (at: Node, below: StateValue): StateValue =>
    at.parent === undefined ? below : value(at.parent, Object.keys(below).length === 0 ? at.key : { [at.key]: below });
  return value(node, {});
};
