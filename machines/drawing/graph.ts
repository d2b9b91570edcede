/** A machine as a plain graph: its nested states, and the transitions between them. */
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';

type State = AnyStateMachine['root'];

export type Graph = {
  /** Id of the machine. */
  readonly id: string;
  /** In the order of the source, each state after its parent. The root is the graph itself. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
};

export type GraphNode = {
  /** Keys from the outermost state to this one: `active.running.queued`. */
  readonly id: string;
  /** Null for the outermost states. */
  readonly parent: string | null;
  readonly key: string;
  readonly type: State['type'];
  readonly tags: readonly string[];
  /** Whether it is the initial state of its parent. */
  readonly isInitial: boolean;
  readonly isFinal: boolean;
};

export type GraphEdge = {
  /** Identifies the edge, and is the same for every graph of the machine: `ready.in_use --> ready.idle: use.ended`. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** The event, the guard in brackets, or both: `after idle [expires]`. */
  readonly label: string;
};

/** Events that only change the context are not edges. Neither are events that the root handles. */
export const graphOf = ({ root }: AnyStateMachine): Graph => {
  const states = inside(root);
  const edges = states.flatMap(edgesOf);
  return {
    id: root.key,
    nodes: states.map(nodeOf),
    edges: [...new Map(edges.map((edge) => [edge.id, edge])).values()], // a reader needs only one of two equal edges
  };
};

const inside = (state: State): State[] => Object.values(state.states).flatMap((child) => [child, ...inside(child)]);

const idOf = ({ path }: State): string => path.join('.');

const nodeOf = (state: State): GraphNode => {
  const { key, type, tags, parent } = state;
  return {
    id: idOf(state),
    parent: parent === undefined || parent.path.length === 0 ? null : idOf(parent),
    key,
    type,
    tags: [...tags],
    isInitial: parent?.type === 'compound' && parent.initial.target.includes(state),
    isFinal: type === 'final',
  };
};

const edgesOf = (state: State): GraphEdge[] =>
  [...[...state.transitions.values()].flat(), ...(state.always ?? [])].flatMap((taken) =>
    (taken.target ?? []).map((to) => {
      const [source, target, label] = [idOf(state), idOf(to), labelOf(state, taken)];
      return { id: `${source} --> ${target}: ${label}`, source, target, label };
    }),
  );

const labelOf = (state: State, { eventType, guard }: AnyTransitionDefinition): string => {
  const condition = guard === undefined ? [] : [`[${guardName(guard)}]`];
  return [...(eventType ? [wordsOf(state, eventType)] : []), ...condition].join(' ');
};

/** An inline guard has no name. */
const guardName = (guard: NonNullable<AnyTransitionDefinition['guard']>): string => {
  if (typeof guard === 'string') return guard;
  return typeof guard === 'object' && 'type' in guard ? String(guard.type) : 'guard';
};

/** XState's own events, in words. */
const wordsOf = (state: State, type: string): string => {
  const [, kind, id] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type) ?? [];
  const invoked = state.invoke.find((definition) => definition.id === id);
  if (invoked !== undefined) return `${invoked.src} ${kind === 'done' ? 'done' : 'failed'}`;
  return /^xstate\.after\.(\w+)\./.exec(type)?.[1]?.replace(/^/, 'after ') ?? type;
};
