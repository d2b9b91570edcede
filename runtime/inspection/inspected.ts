/** One actor as somebody sees it from outside: what it is, whose, its machine, and how it stands. */
import type { AnyActorRef } from 'xstate';
import { type BuilderContext, builderMachine } from '../../machines/builder.ts';
import { executionMachine } from '../../machines/execution.ts';
import { managerMachine } from '../../machines/manager.ts';
import type { Execution } from '../executions/execution.ts';

/** The two supervisors count as the manager's. */
export type InspectedKind = 'manager' | 'builder' | 'execution';

/** The name of a state; of nested ones, by the name of each outer one. */
export type State = string | { readonly [outer: string]: State | undefined };

export interface InspectedSnapshot {
  readonly status: string;
  /** None for a supervisor, which is no machine. */
  readonly value: State | undefined;
  readonly context: unknown;
}

/** One actor. What can change is read anew each time. */
export interface Inspected {
  readonly kind: InspectedKind;
  /** An execution's id, for others that of their actor. */
  readonly sessionId: string;
  readonly parentId: string | undefined;
  /** Of the root of the system. */
  readonly rootId: string;
  /** Name of the workflow; of the manager and the supervisors their own. */
  readonly name: string;
  /** Whose it is; null if it is nobody's in particular. */
  readonly user: string | null;
  readonly isSettled: boolean;
  /** The machine as JSON, for whoever draws it. */
  readonly definition: string;
  readonly snapshot: InspectedSnapshot;
}

/** Gets each event that an actor has taken, after it. With a slow store the actor may stand further on already. */
export type Inspector = (actor: Inspected, event: { readonly type: string }, at: number) => void;

/** The actors of a process. */
export interface ActorView {
  /** How many watch at the moment. */
  readonly inspectors: number;
  /** Calls the inspector from now on, until the function that is returned is called. */
  watch(inspector: Inspector): () => void;
  /** The manager, its supervisors, the builders, and the executions from the newest to the oldest. */
  actors(): Iterable<Inspected>;
}

/** The manager, a supervisor or a builder, seen by the actor itself. @internal */
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

/** An execution, whether it has an actor at the moment or not. @internal */
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

/** Functions are named, as the inspector's own package names them. */
const definitionOf = (machine: { readonly config: object }): string => {
  const known = definitions.get(machine);
  if (known !== undefined) return known;
  const named = (_: string, value: unknown): unknown => (typeof value === 'function' ? { type: value.name } : value);
  const definition = JSON.stringify(machine.config, named);
  definitions.set(machine, definition);
  return definition;
};
