/** The way an execution took through its statechart: its journal, folded by the machine itself. */
import { type AnyTransitionDefinition, createActor, type StateValue } from 'xstate';
import { type ExecutionContext, executionMachine } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';

export type Path = {
  readonly context: ExecutionContext;
  /** States without states in them, as `active.running.queued`. */
  readonly active: readonly string[];
  /** The arrows it took, each once. */
  readonly taken: readonly Arrow[];
  /** For each number of a fact that led to another state: where to. */
  readonly reached: ReadonlyMap<number, string>;
};

export type Arrow = { readonly source: string; readonly target: string; readonly event: string };

/** Undefined before the first fact has come. */
export const pathOf = ([started, ...entries]: readonly JournalEntry[], executionId: string): Path | undefined => {
  if (started?.type !== 'execution.started') return undefined;
  const taken = new Map<string, Arrow>();
  const { workflow, owner, form, at: startedAt } = started;
  const actor = createActor(executionMachine, {
    input: { executionId, workflow, owner, form, startedAt },
    inspect: (seen) => {
      if (seen.type !== '@xstate.microstep') return;
      for (const arrow of seen._transitions.flatMap(arrowsOf)) taken.set(Object.values(arrow).join(' '), arrow);
    },
  });
  actor.start();
  const reached = new Map<number, string>();
  for (const entry of entries) {
    const before = leafOf(actor.getSnapshot().value);
    if (entry.type !== 'execution.started') actor.send(entry);
    const after = leafOf(actor.getSnapshot().value);
    if (after !== before) reached.set(entry.seq, after);
  }
  const { context, value } = actor.getSnapshot();
  actor.stop();
  return { context, active: [leafOf(value)], taken: [...taken.values()], reached };
};

/** A fact that leads nowhere has no target. */
const arrowsOf = ({ source, target = [], eventType }: AnyTransitionDefinition): Arrow[] =>
  target.map((to) => ({ source: source.path.join('.'), target: to.path.join('.'), event: eventType }));

/** The machine has no parallel states: one leaf is active. */
const leafOf = (value: StateValue): string => {
  if (typeof value === 'string') return value;
  const [[key, inner] = []] = Object.entries(value);
  return inner === undefined ? (key ?? '') : `${key}.${leafOf(inner)}`;
};
