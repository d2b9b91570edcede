/**
 * Shows the actors and their events to watchers.
 *
 * Executions are shown by their facts, not by XState's inspection of their actors: the actor of a resting execution
 * stops and starts, a settled execution has none, and only committed facts count. So an execution is one actor here,
 * from its start to its end; its id is the session id. XState's inspection shows the manager and the builders.
 *
 * N1  Without a watcher, nothing subscribes to the system, and a fact costs one check of a number.
 * N2  A watcher cannot do harm: a watcher that throws is reported and removed.
 */
import type { AnyActorRef, EventObject, InspectionEvent, Subscription } from 'xstate';
import type { JournalEntry } from '../../machines/facts.ts';
import type { SupervisorSnapshot } from '../../machines/manager.ts';
import type { Log } from '../authoring/context.ts';
import type { Execution } from '../executions/execution.ts';
import type { Executions } from '../executions/executions.ts';
import {
  type ActorView,
  type ChangedElsewhere,
  type ElsewhereWatcher,
  type Inspected,
  type Inspector,
  SeenActor,
  SeenExecution,
} from './inspected.ts';

/** @internal */
export interface InspectionDeps {
  readonly root: AnyActorRef;
  readonly executions: Executions;
  readonly now: () => number;
  readonly log: Log;
}

export class Inspection implements ActorView {
  readonly #deps: InspectionDeps;
  readonly #inspectors = new Set<Inspector>();
  readonly #elsewhere = new Set<ElsewhereWatcher>();
  /** N1 */
  #subscription: Subscription | undefined;
  #executionsId: string | undefined;

  /** @internal */
  constructor(deps: InspectionDeps) {
    this.#deps = deps;
  }

  get inspectors(): number {
    return this.#inspectors.size;
  }

  /** Calls the inspector from now on. Returns a function that ends this. */
  watch(inspector: Inspector): () => void {
    this.#inspectors.add(inspector);
    this.#subscription ??= this.#deps.root.system.inspect((seen) => this.#seen(seen));
    return () => this.#leave(inspector);
  }

  watchElsewhere(watcher: ElsewhereWatcher): () => void {
    this.#elsewhere.add(watcher);
    return () => this.#elsewhere.delete(watcher);
  }

  get isWatchedElsewhere(): boolean {
    return this.#elsewhere.size > 0;
  }

  changedElsewhere(changed: readonly ChangedElsewhere[] | undefined): void {
    for (const watcher of [...this.#elsewhere]) watcher(changed);
  }

  /**
   * The present actors: the manager, its supervisors, the builders, and the executions from the newest to the oldest.
   */
  *actors(): Generator<Inspected, void> {
    const { root, executions } = this.#deps;
    yield new SeenActor(root, 'manager', root);
    for (const supervisor of this.#supervisors()) yield new SeenActor(supervisor, 'manager', root);
    for (const builder of this.#supervisors().flatMap(childrenOf)) {
      if (isBuilder(builder, root)) yield new SeenActor(builder, 'builder', root);
    }
    const parentId = this.#parentOfExecutions();
    for (const execution of executions.all().reverse()) yield new SeenExecution(execution, parentId, root.sessionId);
  }

  /** A fact was committed. */
  told(execution: Execution, entry: JournalEntry): void {
    const actor = new SeenExecution(execution, this.#parentOfExecutions(), this.#deps.root.sessionId);
    this.#tell(actor, entry, entry.at);
  }

  #seen(seen: InspectionEvent): void {
    if (seen.type !== '@xstate.snapshot') return;
    const { root } = this.#deps;
    const actor = seen.actorRef as AnyActorRef;
    if (actor === root) this.#tell(new SeenActor(actor, 'manager', root), seen.event, this.#deps.now());
    else if (isBuilder(actor, root)) this.#tell(new SeenActor(actor, 'builder', root), seen.event, this.#deps.now());
  }

  #tell(actor: Inspected, event: EventObject, at: number): void {
    for (const inspector of [...this.#inspectors]) {
      try {
        inspector(actor, event, at);
      } catch (err) {
        this.#leave(inspector); // N2
        this.#deps.log.error({ err }, 'an inspector of the actors failed');
      }
    }
  }

  #leave(inspector: Inspector): void {
    this.#inspectors.delete(inspector);
    if (this.#inspectors.size > 0) return;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Undefined after the end of the manager. */
  #supervisors(): AnyActorRef[] {
    const { children } = this.#deps.root.getSnapshot() as { children: Record<string, AnyActorRef | undefined> };
    return [children.executions, children.builders].filter((child) => child !== undefined);
  }

  /** The supervisor exists as long as the manager. */
  #parentOfExecutions(): string | undefined {
    this.#executionsId ??= this.#supervisors()[0]?.sessionId;
    return this.#executionsId;
  }
}

const childrenOf = (supervisor: AnyActorRef): AnyActorRef[] => [
  ...(supervisor.getSnapshot() as SupervisorSnapshot).children.values(),
];

const isBuilder = ({ _parent: parent }: AnyActorRef, root: AnyActorRef): boolean =>
  parent?.id === 'builders' && parent._parent === root;
