/**
 * An actor whose events are the facts of a journal, and the only way to record a fact. An idle actor is stopped and its
 * last snapshot stays: a parked execution gets a new actor with its next fact, a settled one needs none.
 *
 * X1  Apply: a fact is sent to the actor, whose machine decides. A refused fact changes and writes nothing.
 * X2  Commit: an applied fact is appended to the journal in the same turn, so both have the same order.
 * X3  Publish: only after its commit is a fact published, to the run, the subscribers and the caller, and visible to
 *     readers. Run slots are the one exception: they are requested, granted and returned at once, because they end with
 *     the process. So a run may begin before its start is committed. Its steps, and everything that it publishes, come
 *     after the commit. A run whose caller streams begins after it, so that its reader is there before the first output. So
 *     does a run with a name, if other processes share the store: one of them may have the name.
 * X4  A fact that the store could not commit has not happened: the execution goes back to the end of its journal, and
 *     is replayed from there when the store works again.
 */
import type { ActorRefFrom } from 'xstate';
import {
  type ExecutionContext,
  type ExecutionSnapshot,
  type ExecutionStatus,
  type executionMachine,
  statusOf,
} from '../../machines/execution.ts';
import type { ExecutionErrorCode, ExecutionEvent, Fact, JournalEntry } from '../../machines/facts.ts';
import { type Phase, phaseOf } from '../../machines/standing.ts';
import type { Log } from '../authoring/context.ts';
import { Failure } from '../errors.ts';
import type { Origin } from '../journal/start-request.ts';
import type { ResolvedOptions } from '../options.ts';
import { damaged } from '../store/damage.ts';
import { type Fullness, journalOf, Refused, type Store } from '../store/store.ts';
import { usageOf } from '../store/usage.ts';
import type { Clock } from '../time/clock.ts';

/** @internal */
export type ExecutionActor = ActorRefFrom<typeof executionMachine>;

/**
 * A fact without the members that recording sets. An object literal with room for them takes 40 bytes less, since V8
 * stores members that are added later in an array.
 */
export type NewFact = DistributiveOmit<ExecutionEvent, 'at'> & Room;
export type Room = { readonly at?: number; readonly seq?: number | undefined };
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Watcher = (entry: JournalEntry) => unknown;
/** No more facts are published here: the runtime stops, and the execution continues later. */
export type Gone = () => unknown;
type Watching = { readonly watcher: Watcher; readonly gone: Gone | undefined };

/** A committed fact that is not published yet. `isHeard`: the driver already has it. */
type Unpublished = {
  readonly entry: JournalEntry;
  readonly snapshot: ExecutionSnapshot;
  readonly full: Fullness;
  readonly isHeard: boolean;
};

/** Facts that one promise of the store commits, and the promise that they are published. */
type Pending = {
  readonly committed: Promise<Fullness>;
  readonly facts: Unpublished[];
  readonly published: Promise<Published>;
};
/** The failure, if they were not committed: a rejection would need a handler, and few callers wait. */
type Published = true | Failure;

/** When the store may work again. */
export const RETRY_MS = 1_000;

/** @internal */
export interface JournaledActorDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly options: ResolvedOptions;
  readonly log: Log;
  /** An actor that continues from a snapshot. */
  respawn(executionId: string, snapshot: ExecutionSnapshot): ExecutionActor;
  /** Stops an actor. */
  release(executionId: string): void;
  /** Folds an event without an actor. */
  fold(snapshot: ExecutionSnapshot, event: ExecutionEvent): ExecutionSnapshot;
}

export abstract class JournaledActor {
  /** Undefined while it rests. */
  #actor: ExecutionActor | undefined;
  #applied: ExecutionSnapshot;
  #published: ExecutionSnapshot;
  readonly origin: Origin;
  readonly #deps: JournaledActorDeps;
  /** Undefined if there are none: most executions have none most of the time. */
  #watchers: Watching[] | undefined;
  #unpublished: Unpublished[] | undefined;
  /** The commit of the last applied fact; undefined: all are committed. */
  #pending: Pending | undefined;

  /** With an actor it begins; without one it continues from a snapshot, and rests until its next fact. @internal */
  constructor(from: ExecutionActor | ExecutionSnapshot, deps: JournaledActorDeps, origin: Origin) {
    const isActor = 'send' in from;
    this.#actor = isActor ? from : undefined;
    this.#applied = isActor ? from.getSnapshot() : from;
    this.#published = this.#applied;
    this.origin = origin;
    this.#deps = deps;
  }

  /** A fact is applied, and its commit is pending. `isEarly`: the driver gets it now (X3). */
  protected abstract onApplied(entry: JournalEntry, phase: Phase, isEarly: boolean): void;
  /** A fact is committed; subscribers get it next. `isHeard`: the driver has got it before. */
  protected abstract onPublished(entry: JournalEntry, phase: Phase, isHeard: boolean): void;
  /** All subscribers have got the fact. */
  protected abstract afterPublished(entry: JournalEntry): void;
  /** X4: facts are about to be undone. */
  protected abstract onRollBack(): void;
  /** X4: facts were undone. */
  protected abstract onRolledBack(failure: Failure): void;
  /** Whether the driver gets a start only after its commit. */
  protected abstract get beginsLater(): boolean;

  /** For the inspector. Other callers use the parts below. @internal */
  get snapshot(): ExecutionSnapshot {
    return this.#published;
  }

  get id(): string {
    return this.context.executionId;
  }

  /** The published state: the fold of its committed facts. */
  get context(): ExecutionContext {
    return this.#published.context;
  }

  /** The applied state, with facts whose commit is pending. @internal */
  get applied(): ExecutionSnapshot {
    return this.#applied;
  }

  get status(): ExecutionStatus {
    return statusOf(this.#published);
  }

  get phase(): Phase {
    return phaseOf(this.#published);
  }

  get isSettled(): boolean {
    return this.#published.tags.has('settled');
  }

  /** It has settled, published or not: no more facts can be recorded. */
  get hasEnded(): boolean {
    return this.#applied.tags.has('settled');
  }

  /** Its retention has ended, published or not. */
  get isExpiring(): boolean {
    return statusOf(this.#applied) === 'idle-expiring';
  }

  /** Resolves when all applied facts are committed; undefined if they are. Rejects if the commit failed. */
  get keeping(): Promise<true> | undefined {
    return this.#pending?.published.then(unlessFailed);
  }

  /** Whether a commit of it is pending. */
  get isCommitting(): boolean {
    return this.#pending !== undefined;
  }

  protected get hasActor(): boolean {
    return this.#actor !== undefined;
  }

  /** The next fact gets another one. */
  protected releaseActor(): void {
    if (this.#actor !== undefined) this.#deps.release(this.id);
    this.#actor = undefined;
  }

  /** Writes the first entry, which the actor was started with. */
  begin(started: Extract<Fact, { type: 'execution.started' }> & Room): true | Promise<true> {
    const entry = started as Writable<JournalEntry>;
    entry.at = this.context.startedAt;
    entry.seq = 1;
    return whenPublished(this.#commit(entry as JournalEntry, this.#applied));
  }

  /**
   * Offers a fact, which becomes the event and the journal entry; the caller must not change it afterwards. False: the
   * machine refuses it, and nothing has happened. True: it is committed and published. A promise of true: it is
   * applied, and the promise resolves once it is committed and published. Throws, or rejects with, `store_unavailable`.
   */
  offer(fact: NewFact): boolean | Promise<true> {
    return whenPublished(this.#offer(fact));
  }

  /** The same without waiting for the outcome: a failed commit is handled when the store works again. */
  mention(fact: NewFact): void {
    try {
      void this.#offer(fact);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** Ends it as failed, unless it has ended. False if it had. */
  fail(code: ExecutionErrorCode, message: string, name = 'Error'): boolean | Promise<true> {
    return this.offer({ type: 'execution.failed', error: { code, message, name } });
  }

  /** Ends an execution that no driver can continue. */
  interrupt(message: string): void {
    this.mention({ type: 'execution.failed', error: { code: 'interrupted', message, name: 'AbortError' } });
  }

  /** Calls the watcher after each fact from now on. Returns a function that ends this. */
  watch(watcher: Watcher, gone?: Gone): () => void {
    const watching = { watcher, gone };
    if (this.#watchers === undefined) this.#watchers = [watching];
    else this.#watchers.push(watching);
    return () => this.#unwatch(watching);
  }

  #unwatch(watching: Watching): void {
    const index = this.#watchers?.indexOf(watching) ?? -1;
    if (index >= 0) this.#watchers!.splice(index, 1);
    if (this.#watchers?.length === 0) this.#watchers = undefined;
  }

  get watchers(): number {
    return this.#watchers?.length ?? 0;
  }

  /** Notifies subscribers that no more facts follow. */
  protected dismissWatchers(): void {
    for (const { gone } of [...(this.#watchers ?? [])]) gone?.();
  }

  /** Publishes a fact that another process has committed. Throws `execution_damaged` for a fact that is not possible now. */
  protected publishFollowed(entry: JournalEntry): void {
    const before = this.#applied;
    this.#applied = this.#deps.fold(before, entry as ExecutionEvent);
    if (this.#applied === before) throw damaged(this.id, `its journal has ${entry.type} while it is ${this.status}`);
    this.#publish(entry, this.#applied, undefined, true);
  }

  #offer(fact: NewFact): boolean | Promise<Published> {
    const event = fact as Writable<ExecutionEvent>;
    const before = this.#applied;
    event.at = this.#deps.clock.now();
    if (!this.#apply(event as ExecutionEvent)) return false; // X1
    const entry = event as Writable<JournalEntry>;
    entry.seq = this.#applied.context.seq;
    return this.#commit(entry as JournalEntry, before); // X2
  }

  #apply(event: ExecutionEvent): boolean {
    const before = this.#applied;
    const isOver = before.tags.has('settled');
    if (this.#actor === undefined && !isOver) this.#actor = this.#deps.respawn(this.id, before);
    this.#actor?.send(event);
    const after = this.#actor?.getSnapshot() ?? this.#deps.fold(before, event);
    if (after.status === 'error') return this.#crashed();
    this.#applied = after;
    return after !== before && after.context.seq > before.context.seq;
  }

  /** Its actor has crashed, and its last snapshot is valid: another actor continues from it, to record the failure. */
  #crashed(): false {
    this.#actor = undefined;
    this.fail('defect', 'A bug in this server ended the execution; the log has the cause.');
    return false;
  }

  #commit(entry: JournalEntry, before: ExecutionSnapshot): true | Promise<Published> {
    const snapshot = this.#applied;
    let committed: ReturnType<Store['append']>;
    try {
      committed = this.#deps.store.append(this, entry);
    } catch (cause) {
      throw this.#rollBack(before, uncommitted(cause)); // earlier facts may still be committed
    }
    if (!(committed instanceof Promise)) return this.#publish(entry, snapshot, committed, false);
    const isHeard = entry.type === 'slot.granted' || (entry.type === 'execution.started' && !this.beginsLater);
    const published = this.#publishAfter(committed, { entry, snapshot, full: undefined, isHeard });
    this.onApplied(entry, phaseOf(snapshot), isHeard); // facts that result from it are committed and published after this
    return published;
  }

  /** The facts of one commit share a promise. */
  #publishAfter(committed: Promise<Fullness>, fact: Unpublished): Promise<Published> {
    const last = this.#pending;
    if (last?.committed === committed) {
      last.facts.push(fact);
      return last.published;
    }
    const facts = [fact];
    const published = committed.then(
      (full) => {
        for (const fact of facts) this.#publishCommitted(fact, full);
        return true as const;
      },
      (cause: unknown) => this.#rollBack(this.#published, uncommitted(cause)),
    );
    this.#pending = { committed, facts, published };
    return published;
  }

  /** An error of one fact does not affect the next one. */
  #publishCommitted({ entry, snapshot, isHeard }: Unpublished, full: Fullness): void {
    try {
      this.#publish(entry, snapshot, full, isHeard);
    } catch (err) {
      this.#deps.log.error({ executionId: this.id, err }, 'a fact was committed, and could not be published');
    }
  }

  /**
   * X4: goes back to the state after the last commit. Facts that were appended before the failed one and are pending
   * stay, and are published.
   */
  #rollBack(to: ExecutionSnapshot, failure: Failure): Failure {
    if (this.#applied === to) return failure;
    this.onRollBack();
    this.#applied = to;
    if (to === this.#published) this.#pending = undefined;
    this.onRolledBack(failure);
    return failure;
  }

  /** Subscribers may record further facts. Those are published afterwards, so that all subscribers get all facts in order. */
  #publish(entry: JournalEntry, snapshot: ExecutionSnapshot, full: Fullness, isHeard: boolean): true {
    if (snapshot === this.#applied) this.#pending = undefined;
    if (this.#unpublished !== undefined) {
      this.#unpublished.push({ entry, snapshot, full, isHeard });
      return true;
    }
    this.#unpublished = [{ entry, snapshot, full, isHeard }];
    try {
      for (const next of this.#unpublished) this.#publishOne(next);
    } finally {
      this.#unpublished = undefined;
    }
    return true;
  }

  #publishOne({ entry, snapshot, full, isHeard }: Unpublished): void {
    this.#published = snapshot;
    this.onPublished(entry, phaseOf(snapshot), isHeard); // X3
    if (this.#watchers !== undefined) for (const { watcher } of [...this.#watchers]) this.#call(watcher, entry);
    this.afterPublished(entry);
    if (full !== undefined) this.#filled(full);
  }

  #filled(full: Fullness): void {
    if (full === 'full' && this.hasEnded) return; // facts that were recorded since then also exceed the limit, and each check reads the whole journal
    const { store, options, log } = this.#deps;
    const usage = usageOf(journalOf(store, this.id)?.entries ?? [], options);
    if (full === 'full')
      this.fail('journal_full', `The run has more steps and answers than its journal may hold. ${usage}`);
    else log.warn({ executionId: this.id, workflow: this.context.workflow }, `the journal is nearly full. ${usage}`);
  }

  #call(watcher: Watcher, entry: JournalEntry): void {
    try {
      watcher(entry);
    } catch (error) {
      this.#deps.log.error({ executionId: this.id, err: error }, 'a subscriber of an execution failed');
    }
  }
}

const whenPublished = <Now extends boolean>(published: Now | Promise<Published>): Now | Promise<true> =>
  typeof published === 'boolean' ? published : published.then(unlessFailed);

const unlessFailed = (published: Published): true => {
  if (published !== true) throw published;
  return true;
};

/** A store that reports no other reason cannot write. */
const uncommitted = (cause: unknown): Failure =>
  cause instanceof Refused || (cause instanceof Failure && cause.code === 'execution_damaged')
    ? cause
    : new Failure('store_unavailable', { cause, retryAfterMs: RETRY_MS });
