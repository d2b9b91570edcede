/** One actor, seen from outside: its kind, its user, its machine and its state. */
import type { AnyActorRef } from 'xstate';
import { type BuilderContext, builderMachine } from '../../machines/builder.ts';
import { executionMachine } from '../../machines/execution.ts';
import { managerMachine } from '../../machines/manager.ts';
import type { Execution } from '../executions/execution.ts';

/** The two supervisors count as parts of the manager. */
export type InspectedKind = 'manager' | 'builder' | 'execution';

/** The name of a state; for nested states, by the name of each parent. */
type State = string | { readonly [outer: string]: State | undefined };

export interface InspectedSnapshot {
  readonly status: string;
  /** Undefined for a supervisor, which has no machine. */
  readonly value: State | undefined;
  readonly context: unknown;
}

/** One actor. Each call reads the present values. */
export interface Inspected {
  readonly kind: InspectedKind;
  /** The id of an execution; for other actors the id of the actor. */
  readonly sessionId: string;
  readonly parentId: string | undefined;
  /** Session id of the root of the system. */
  readonly rootId: string;
  /** Name of the workflow; for the manager and the supervisors their own name. */
  readonly name: string;
  /** Its user; null without identity, or for shared actors. */
  readonly user: string | null;
  readonly isSettled: boolean;
  /** The machine as JSON, for drawing it. */
  readonly definition: string;
  readonly snapshot: InspectedSnapshot;
}

/** Called with each event of an actor, after the event. With a slow store the actor may be further already. */
export type Inspector = (actor: Inspected, event: { readonly type: string }, at: number) => void;

/** Called with executions that other processes have changed; undefined: any may have changed. */
export type ElsewhereWatcher = (changed: readonly ChangedElsewhere[] | undefined) => void;

export interface ChangedElsewhere {
  readonly executionId: string;
  readonly owner: string | null;
}

/** The actors of a process. */
export interface ActorView {
  /** Number of present watchers. */
  readonly inspectors: number;
  /** Calls the inspector from now on. Returns a function that ends this. */
  watch(inspector: Inspector): () => void;
  /** The same for executions that other processes have changed, with a store that several processes share. */
  watchElsewhere(watcher: ElsewhereWatcher): () => void;
  /** The manager, its supervisors, the builders, and the executions from the newest to the oldest. */
  actors(): Iterable<Inspected>;
}

/** The manager, a supervisor or a builder, from its own actor. @internal */
export class SeenActor implements Inspected {
  readonly kind: InspectedKind;
  readonly isSettled = false;
  readonly #ref: AnyActorRef;
  readonly #root: AnyActorRef;

  constructor(ref: AnyActorRef, kind: 'manager' | 'builder', root: AnyActorRef) {
    this.kind = kind;
    this.#ref = ref;
    this.#root = root;
  }

  get sessionId(): string {
    return this.#ref.sessionId;
  }

  get parentId(): string | undefined {
    return this.#ref._parent?.sessionId;
  }

  get rootId(): string {
    return this.#root.sessionId;
  }

  get name(): string {
    return this.#builder?.workflow ?? this.#ref.id;
  }

  get user(): string | null {
    return this.#builder?.user ?? null;
  }

  get definition(): string {
    if (this.kind === 'builder') return definitionOf(builderMachine);
    return this.#ref === this.#root ? definitionOf(managerMachine) : JSON.stringify({ id: this.#ref.id });
  }

  get snapshot(): InspectedSnapshot {
    const { status, value, context } = this.#ref.getSnapshot() as InspectedSnapshot;
    return { status, value, context };
  }

  get #builder(): BuilderContext | undefined {
    return this.kind === 'builder' ? this.#ref.getSnapshot().context : undefined;
  }
}

/** An execution, with or without an actor at the moment. @internal */
export class SeenExecution implements Inspected {
  readonly kind = 'execution';
  readonly parentId: string | undefined;
  readonly rootId: string;
  readonly #execution: Execution;

  constructor(execution: Execution, parentId: string | undefined, rootId: string) {
    this.#execution = execution;
    this.parentId = parentId;
    this.rootId = rootId;
  }

  get sessionId(): string {
    return this.#execution.id;
  }

  get name(): string {
    return this.#execution.context.workflow;
  }

  get user(): string | null {
    return this.#execution.context.owner;
  }

  get isSettled(): boolean {
    return this.#execution.isSettled;
  }

  get definition(): string {
    return definitionOf(executionMachine);
  }

  get snapshot(): InspectedSnapshot {
    const { status, value, context } = this.#execution.snapshot;
    return { status, value, context };
  }
}

const definitions = new Map<object, string>();

/** Functions appear by name, as in the inspector's own package. */
const definitionOf = (machine: { readonly config: object }): string => {
  const known = definitions.get(machine);
  if (known !== undefined) return known;
  const named = (_: string, value: unknown): unknown => (typeof value === 'function' ? { type: value.name } : value);
  const definition = JSON.stringify(machine.config, named);
  definitions.set(machine, definition);
  return definition;
};
