/** The path of an execution through its statechart: its journal, folded by the machine. */
import { type Actor, type AnyTransitionDefinition, createActor, type StateValue } from 'xstate';
import { type ExecutionContext, executionMachine } from '../../machines/execution.ts';
import type { JournalEntry } from '../../machines/facts.ts';

export type Path = {
  readonly context: ExecutionContext;
  /** The innermost state, such as `active.running.queued`. */
  readonly active: string;
  /** Transitions taken, each once. */
  readonly taken: readonly Arrow[];
  /** The target state, by the number of the fact that led to it. */
  readonly reached: ReadonlyMap<number, string>;
};

export type Arrow = { readonly source: string; readonly target: string; readonly event: string };

/** A walk continues from its last position, so each fact is folded once. */
export class Walk {
  readonly #executionId: string;
  #actor: Actor<typeof executionMachine> | undefined;
  #active = '';
  #walked = 0;
  readonly #taken = new Map<string, Arrow>();
  readonly #reached = new Map<number, string>();

  constructor(executionId: string) {
    this.#executionId = executionId;
  }

  /** `entries` are the earlier ones and the new ones. Undefined without entries. */
  through(entries: readonly JournalEntry[]): Path | undefined {
    for (; this.#walked < entries.length; this.#walked += 1) this.#step(entries[this.#walked]!);
    if (this.#actor === undefined) return undefined;
    const { context } = this.#actor.getSnapshot();
    return { context, active: this.#active, taken: [...this.#taken.values()], reached: this.#reached };
  }

  #step(entry: JournalEntry): void {
    if (entry.type === 'execution.started') this.#actor = this.#begin(entry);
    else this.#actor?.send(entry);
    const active = this.#actor === undefined ? '' : leafOf(this.#actor.getSnapshot().value);
    if (active !== this.#active && this.#active !== '') this.#reached.set(entry.seq, active);
    this.#active = active;
  }

  #begin({ workflow, owner, form, at: startedAt }: Extract<JournalEntry, { type: 'execution.started' }>) {
    return createActor(executionMachine, {
      input: { executionId: this.#executionId, workflow, owner, form, startedAt },
      inspect: (seen) => {
        if (seen.type !== '@xstate.microstep') return;
        for (const arrow of seen._transitions.flatMap(arrowsOf)) this.#taken.set(Object.values(arrow).join(' '), arrow);
      },
    }).start();
  }
}

/** A fact without a transition has no target. */
const arrowsOf = ({ source, target = [], eventType }: AnyTransitionDefinition): Arrow[] =>
  target.map((to) => ({ source: source.path.join('.'), target: to.path.join('.'), event: eventType }));

/** The machine has no parallel states: one leaf is active. */
const leafOf = (value: StateValue): string => {
  if (typeof value === 'string') return value;
  const [[key = '', inner] = []] = Object.entries(value);
  return inner === undefined ? key : `${key}.${leafOf(inner)}`;
};
