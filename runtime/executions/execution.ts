/**
 * An execution: its actor, and the only way to record a fact. An idle actor is stopped and its last snapshot stays: a
 * parked execution gets a new actor with its next fact, a settled one needs none.
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
import { abandonedAt, firstDueAt, NEVER } from '../../machines/deadlines.ts';
import {
  type ExecutionContext,
  type ExecutionSnapshot,
  type ExecutionStatus,
  type executionMachine,
  statusOf,
} from '../../machines/execution.ts';
import { isRepeated } from '../../machines/fact-table.ts';
import type { ExecutionErrorCode, ExecutionEvent, Fact, JournalEntry } from '../../machines/facts.ts';
import { type Phase, phaseOf } from '../../machines/standing.ts';
import type { Log } from '../authoring/context.ts';
import { Failure } from '../errors.ts';
import { afterItsEnd, type Origin } from '../journal/start-request.ts';
import type { ResolvedOptions } from '../options.ts';
import { damaged } from '../store/damage.ts';
import { type Fullness, journalOf, Refused, type Store } from '../store/store.ts';
import { usageOf } from '../store/usage.ts';
import type { Clock } from '../time/clock.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';

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

/** Does the work of an execution: a run of a workflow, or the program that uses an `ExecutionStore`. */
export interface Driver {
  /** A published fact, and the state of the execution; without an entry only the state. */
  told(entry: JournalEntry | undefined, phase: Phase): void;
  /**
   * An applied fact, and the state of the execution. Its commit is pending: it is published later. Runs that wait for the
   * slot of this one need not wait for the commit.
   */
  applied(entry: JournalEntry, phase: Phase): void;
  /** It no longer does the work, and the execution has not ended: its further calls have no effect. */
  leave(): void;
  /** Whether another driver can continue from the journal alone. */
  readonly isReplaceable: boolean;
}

export type Watcher = (entry: JournalEntry) => unknown;
/** No more facts are published here: the runtime stops, and the execution continues later. */
export type Gone = () => unknown;
type Watching = { readonly watcher: Watcher; readonly gone: Gone | undefined };

/** A committed fact that is not published yet. `isHeard`: the driver already has it. */
type Untold = {
  readonly entry: JournalEntry;
  readonly snapshot: ExecutionSnapshot;
  readonly full: Fullness;
  readonly isHeard: boolean;
};

/** Facts that one promise of the store commits, and the promise that they are published. */
type Pending = { readonly kept: Promise<Fullness>; readonly facts: Untold[]; readonly told: Promise<Told> };
/** The failure, if they were not committed: a rejection would need a handler, and few callers wait. */
type Told = true | Failure;

/** Delay before a driver is assigned again. */
const RETRY_MS = 1_000;
/** Longest delay, after many attempts. */
const LONGEST_RETRY_MS = 60_000;
/** How long an execution that another process executes stays in memory without subscribers. */
const FOLLOWED_MS = 5_000;
/** Attempts to replay an execution whose facts cannot be stored while others can. */
const MAX_REFUSALS = 3;

/** @internal */
export interface ExecutionDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly wheel: TimingWheel;
  readonly options: ResolvedOptions;
  readonly log: Log;
  /** An actor that continues from a snapshot. */
  respawn(executionId: string, snapshot: ExecutionSnapshot): ExecutionActor;
  /** Stops the actor of a resting execution. */
  release(executionId: string): void;
  /** Folds an event without an actor. */
  fold(snapshot: ExecutionSnapshot, event: ExecutionEvent): ExecutionSnapshot;
  /** Assigns a driver to an execution without one; undefined if there is none. */
  drive(execution: Execution): Driver | undefined;
  /** Every fact of every execution, after it was published. */
  told(execution: Execution, entry: JournalEntry): void;
  /** It has been parked for long enough to leave memory. */
  hibernate(execution: Execution): void;
  /** Another process has changed it in the store. */
  overtaken(execution: Execution): void;
  /** Offers a fact to the process that executes it. */
  post(execution: Execution, fact: NewFact): Promise<boolean>;
}

export class Execution {
  /** Undefined while it rests. */
  #actor: ExecutionActor | undefined;
  #applied: ExecutionSnapshot;
  #told: ExecutionSnapshot;
  driver: Driver | undefined;
  readonly origin: Origin;
  /** The bytes that `RecordBytes` counts for it. */
  recordBytes = 0;
  readonly #deps: ExecutionDeps;
  /** Undefined if there are none: most executions have none most of the time. */
  #watchers: Watching[] | undefined;
  #untold: Untold[] | undefined;
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  /** The commit of the last applied fact; undefined: all are committed. */
  #pending: Pending | undefined;
  /** The last time that it was needed in memory. */
  #neededAt: number;
  /** When a driver is assigned again. */
  #driveAt = NEVER;
  /** Number of refusals by the store of this execution alone, since its last commit. */
  #refusals = 0;
  /** Number of failed attempts to get the resources of its run, since its last progress. */
  #postponed = 0;
  #hasDeparted = false;
  /** Another process executes it. */
  #isElsewhere = false;
  /** Number of the last fact that another process has committed while it was in memory. */
  #followedThrough = 0;

  /** With an actor it begins; without one it continues from a snapshot, and rests until its next fact. @internal */
  constructor(from: ExecutionActor | ExecutionSnapshot, deps: ExecutionDeps, origin: Origin) {
    const isActor = 'send' in from;
    this.#actor = isActor ? from : undefined;
    this.#applied = isActor ? from.getSnapshot() : from;
    this.#told = this.#applied;
    this.#neededAt = deps.clock.now();
    this.origin = origin;
    this.#deps = deps;
  }

  /** It was loaded into memory: from now on it handles its deadlines. */
  attend(): void {
    this.#arm();
  }

  /** Stops the actor: it has nothing to do before the next fact. */
  rest(): void {
    if (this.#actor === undefined) return;
    this.#actor = undefined;
    this.#deps.release(this.id);
    this.#arm();
  }

  /** It has ended: its driver, its actor and most of its request are no longer needed. */
  conclude(): void {
    const { request } = this.origin;
    this.driver = undefined;
    if (request !== undefined) (this.origin as Writable<Origin>).request = afterItsEnd(request);
    this.rest();
  }

  /** Detaches the driver and all timers: the execution leaves memory, or the runtime stops. */
  leave(): void {
    this.driver?.leave();
    if (this.driver?.isReplaceable) this.driver = undefined;
    if (this.#actor !== undefined) this.#deps.release(this.id);
    this.#actor = undefined;
    this.#disarm();
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timer = undefined;
    this.#timerDueAt = NEVER;
  }

  /** It has left memory: the copy that is loaded next handles further facts. */
  depart(): void {
    this.#hasDeparted = true;
    this.leave();
  }

  /** Detaches the driver. Another one replays from the journal when there is work to do. */
  detach(): void {
    this.driver?.leave();
    this.driver = undefined;
  }

  /**
   * Retries a blocked execution, with the code of this version if one is named, else with its own. False if it is not
   * blocked.
   */
  retry(version?: string): boolean | Promise<true> {
    if (this.#applied.context.blocked === null) return false;
    this.detach();
    return this.offer(
      version === undefined ? { type: 'execution.unblocked' } : { type: 'execution.unblocked', version },
    );
  }

  /** The resources of its run are not available: it is retried, with growing delays. */
  postpone(err: Failure): void {
    this.detach();
    this.#postponed += 1;
    const ms = Math.min(RETRY_MS * 2 ** (this.#postponed - 1), LONGEST_RETRY_MS);
    this.#deps.log.warn(
      { executionId: this.id, err, retryInMs: ms },
      'the resources of an execution are not available yet',
    );
    this.#driveAt = this.#deps.clock.now() + ms;
    this.#arm();
  }

  /** Detaches for good: subscribers are notified that no more facts follow. */
  dismiss(): void {
    this.leave();
    for (const { gone } of [...(this.#watchers ?? [])]) gone?.();
  }

  /** For the inspector. Other callers use the parts below. @internal */
  get snapshot(): ExecutionSnapshot {
    return this.#told;
  }

  get id(): string {
    return this.context.executionId;
  }

  /** The published state: the fold of its committed facts. */
  get context(): ExecutionContext {
    return this.#told.context;
  }

  /** The applied state, with facts whose commit is pending. @internal */
  get applied(): ExecutionSnapshot {
    return this.#applied;
  }

  get status(): ExecutionStatus {
    return statusOf(this.#told);
  }

  get phase(): Phase {
    return phaseOf(this.#told);
  }

  get isSettled(): boolean {
    return this.#told.tags.has('settled');
  }

  /** It has settled, published or not: no more facts can be recorded. */
  get hasEnded(): boolean {
    return this.#applied.tags.has('settled');
  }

  /** Its retention has ended, published or not. */
  get isExpiring(): boolean {
    return statusOf(this.#applied) === 'idle-expiring';
  }

  get retentionMs(): number {
    return this.origin.retentionMs;
  }

  /** Resolves when all applied facts are committed; undefined if they are. Rejects if the commit failed. */
  get keeping(): Promise<true> | undefined {
    return this.#pending?.told.then(unlessFailed);
  }

  /** Whether a commit of it is pending. */
  get isCommitting(): boolean {
    return this.#pending !== undefined;
  }

  /** Writes the first entry, which the actor was started with. */
  begin(started: Extract<Fact, { type: 'execution.started' }> & Room): true | Promise<true> {
    const entry = started as Writable<JournalEntry>;
    entry.at = this.context.startedAt;
    entry.seq = 1;
    return whenTold(this.#commit(entry as JournalEntry, this.#applied));
  }

  /**
   * Offers a fact, which becomes the event and the journal entry; the caller must not change it afterwards. False: the
   * machine refuses it, and nothing has happened. True: it is committed and published. A promise of true: it is
   * applied, and the promise resolves once it is committed and published. Throws, or rejects with, `store_unavailable`.
   */
  offer(fact: NewFact): boolean | Promise<true> {
    return whenTold(this.#offer(fact));
  }

  #offer(fact: NewFact): boolean | Promise<Told> {
    const event = fact as Writable<ExecutionEvent>;
    const before = this.#applied;
    event.at = this.#deps.clock.now();
    if (!this.#apply(event as ExecutionEvent)) return false; // X1
    const entry = event as Writable<JournalEntry>;
    entry.seq = this.#applied.context.seq;
    return this.#commit(entry as JournalEntry, before); // X2
  }

  /** The same without waiting for the outcome: a failed commit is handled when the store works again. */
  mention(fact: NewFact): void {
    try {
      void this.#offer(fact);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** Its run begins after the commit of its start: the caller reads what it emits, or another process may have its name. */
  get #beginsLater(): boolean {
    const { request, names } = this.origin;
    return request?.streaming === true || (names.length > 0 && this.#deps.store.archive?.cluster !== undefined);
  }

  /**
   * The same for a fact that comes from outside: another process may execute the execution, and gets it then. Throws, or rejects
   * with, `Refused` if the execution has to be found again.
   */
  request(fact: NewFact): boolean | Promise<boolean> {
    if (this.#hasDeparted) throw new Refused(this.id); // the caller gets the copy in memory
    if (this.#isElsewhere) return this.#deps.post(this, fact);
    if (this.driver === undefined && this.phase === 'executing') this.recover(); // another process has let it go
    return this.offer(fact);
  }

  /** Another process executes it, from the beginning. */
  beginElsewhere(): void {
    this.#isElsewhere = true;
  }

  /** Whether another process executes it: this one only follows. */
  get isElsewhere(): boolean {
    return this.#isElsewhere;
  }

  /** Whether another process has committed the fact. */
  hasFollowed({ seq }: JournalEntry): boolean {
    return seq <= this.#followedThrough;
  }

  /**
   * Publishes facts that another process has committed. `isElsewhere`: it goes on there. The run here leaves, and subscribers stay.
   * Throws `execution_damaged` for a fact that is not possible now.
   */
  follow(entries: readonly JournalEntry[], isElsewhere: boolean): void {
    if (entries.length === 0 && isElsewhere === this.#isElsewhere) return;
    this.leave();
    this.#isElsewhere = isElsewhere;
    this.#neededAt = this.#deps.clock.now();
    for (const entry of entries) {
      const before = this.#applied;
      this.#applied = this.#deps.fold(before, entry as ExecutionEvent);
      if (this.#applied === before) throw damaged(this.id, `its journal has ${entry.type} while it is ${this.status}`);
      this.#followedThrough = entry.seq;
      this.#tell(entry, this.#applied, undefined, true);
    }
    this.#arm();
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

  /** Calls the watcher after each fact from now on. Returns a function that ends this. */
  watch(watcher: Watcher, gone?: Gone): () => void {
    const watching = { watcher, gone };
    if (this.#hasDeparted && gone !== undefined && !this.isSettled) queueMicrotask(gone); // another copy gets the facts
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

  #commit(entry: JournalEntry, before: ExecutionSnapshot): true | Promise<Told> {
    const snapshot = this.#applied;
    let kept: ReturnType<Store['append']>;
    try {
      kept = this.#deps.store.append(this, entry);
    } catch (cause) {
      throw this.#rollBack(before, unkept(cause)); // earlier facts may still be committed
    }
    if (!(kept instanceof Promise)) return this.#tell(entry, snapshot, kept, false);
    const isHeard = entry.type === 'slot.granted' || (entry.type === 'execution.started' && !this.#beginsLater);
    const told = this.#tellAfter(kept, { entry, snapshot, full: undefined, isHeard });
    if (isHeard)
      this.driver?.told(entry, phaseOf(snapshot)); // X3; facts that result from it are committed and published after this
    else this.driver?.applied(entry, phaseOf(snapshot));
    return told;
  }

  /** The facts of one commit share a promise. */
  #tellAfter(kept: Promise<Fullness>, fact: Untold): Promise<Told> {
    const last = this.#pending;
    if (last?.kept === kept) {
      last.facts.push(fact);
      return last.told;
    }
    const facts = [fact];
    const told = kept.then(
      (full) => {
        for (const fact of facts) this.#tellKept(fact, full);
        return true as const;
      },
      (cause: unknown) => this.#rollBack(this.#told, unkept(cause)),
    );
    this.#pending = { kept, facts, told };
    return told;
  }

  /** An error of one fact does not affect the next one. */
  #tellKept({ entry, snapshot, isHeard }: Untold, full: Fullness): void {
    try {
      this.#tell(entry, snapshot, full, isHeard);
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
    this.leave();
    this.#applied = to;
    if (to === this.#told) this.#pending = undefined;
    if (failure instanceof Refused) {
      this.#deps.overtaken(this);
      return failure;
    }
    if (failure.code === 'execution_damaged') this.#refused(failure);
    this.#driveAt = this.#isSetAside ? NEVER : this.#deps.clock.now() + RETRY_MS;
    this.#arm();
    return failure;
  }

  #refused(err: Failure): void {
    this.#refusals += 1;
    if (this.#refusals > MAX_REFUSALS) return;
    const more = this.#isSetAside ? ', and it is set aside until the next start of the server' : '';
    this.#deps.log.error({ executionId: this.id, err }, `the facts of an execution cannot be stored${more}`);
  }

  /** Its facts cannot be stored, while those of other executions can. */
  get #isSetAside(): boolean {
    return this.#refusals >= MAX_REFUSALS;
  }

  /** For an execution that was running or queued when its driver was lost: it is replayed. */
  recover(): void {
    const { phase } = this;
    if (this.driver === undefined && (phase === 'queued' || phase === 'executing'))
      this.mention({ type: 'execution.recovered' });
  }

  /**
   * Assigns a driver: the present one, or another one. Another one begins from the journal, so all facts must be
   * committed. After a roll-back there is no driver for a while.
   */
  #drive(entry: JournalEntry | undefined, phase: Phase): void {
    const isLeft = this.#hasDeparted || this.#driveAt !== NEVER || this.#isSetAside;
    if (isLeft && phase !== 'settled') return;
    if (entry?.type === 'execution.continued') this.detach(); // the function restarts
    if (this.driver === undefined && phase === 'queued' && this.#applied === this.#told) {
      try {
        this.driver = this.#deps.drive(this);
      } catch (err) {
        this.#deps.log.warn({ executionId: this.id, err }, 'an execution cannot be continued yet');
        this.#driveAt = this.#deps.clock.now() + RETRY_MS;
        this.#arm();
      }
    }
    this.driver?.told(entry, phase);
  }

  /** Subscribers may record further facts. Those are published afterwards, so that all subscribers get all facts in order. */
  #tell(entry: JournalEntry, snapshot: ExecutionSnapshot, full: Fullness, isHeard: boolean): true {
    if (snapshot === this.#applied) this.#pending = undefined;
    if (this.#untold !== undefined) {
      this.#untold.push({ entry, snapshot, full, isHeard });
      return true;
    }
    this.#untold = [{ entry, snapshot, full, isHeard }];
    try {
      for (const next of this.#untold) this.#tellOne(next);
    } finally {
      this.#untold = undefined;
    }
    return true;
  }

  #tellOne({ entry, snapshot, full, isHeard }: Untold): void {
    this.#told = snapshot;
    if (!isRepeated(entry)) this.#refusals = this.#postponed = 0;
    this.#arm();
    if (!isHeard) this.#drive(entry, phaseOf(snapshot)); // X3
    if (this.#watchers !== undefined) for (const { watcher } of [...this.#watchers]) this.#call(watcher, entry);
    this.#deps.told(this, entry);
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

  /** Ends it as failed, unless it has ended. False if it had. */
  fail(code: ExecutionErrorCode, message: string, name = 'Error'): boolean | Promise<true> {
    return this.offer({ type: 'execution.failed', error: { code, message, name } });
  }

  /** Ends an execution that no driver can continue. */
  interrupt(message: string): void {
    this.mention({ type: 'execution.failed', error: { code: 'interrupted', message, name: 'AbortError' } });
  }

  /**
   * One timer per execution, for the earliest deadline. `notBefore` excludes items that are already handled and being
   * committed.
   */
  #arm(notBefore = 0): void {
    if (this.#hasDeparted) return;
    const dueAt = Math.max(this.#dueAt(), notBefore);
    if (dueAt === this.#timerDueAt) return;
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timerDueAt = dueAt;
    this.#timer = dueAt === NEVER ? undefined : this.#deps.wheel.schedule(dueAt, () => this.due());
  }

  #dueAt(): number {
    if (this.#isElsewhere) return this.#leavesAt();
    const { parkedTimeoutMs } = this.#deps.options;
    return Math.min(firstDueAt(this.context, parkedTimeoutMs), this.#restsAt(), this.#leavesAt(), this.#driveAt);
  }

  /** When it has been parked for long enough to rest. */
  #restsAt(): number {
    const { parkedAt } = this.context;
    return parkedAt === null || this.#actor === undefined ? NEVER : parkedAt + this.#deps.options.restAfterMs;
  }

  /** When it has been parked for long enough to leave memory, with a durable store. */
  #leavesAt(): number {
    if (this.#isElsewhere) return this.#neededAt + FOLLOWED_MS;
    const { parkedAt, blocked } = this.context;
    const idleSince = parkedAt ?? blocked?.since;
    if (idleSince === undefined || this.#deps.store.archive === undefined) return NEVER;
    return Math.max(idleSince, this.#neededAt) + this.#deps.options.hibernateAfterMs;
  }

  /** Handles passed deadlines. */
  due(): void {
    this.#disarm(); // callers other than the timer may check too
    if (this.#isSetAside) return;
    const now = this.#deps.clock.now();
    if (this.#isElsewhere) {
      if (this.#leavesAt() > now || !this.#leaves(now)) this.#arm();
      return;
    }
    const { parkedTimeoutMs } = this.#deps.options;
    if (abandonedAt(this.context, parkedTimeoutMs) <= now) {
      const message = `The execution waited for ${Math.round(parkedTimeoutMs / 1000)} s without an answer.`;
      this.mention({ type: 'execution.failed', error: { code: 'abandoned', message, name: 'Error' } });
    } else {
      for (const { kind, id, dueAt } of this.context.pauses) {
        if (dueAt !== null && dueAt <= now) this.mention({ type: EXPIRED[kind], id });
      }
    }
    if (this.#driveAt <= now) this.#driveAgain();
    if (this.#restsAt() <= now) this.rest();
    if (this.#leavesAt() <= now && this.#leaves(now)) return;
    this.#arm(this.#dueAt() <= now ? now + RETRY_MS : 0);
  }

  #driveAgain(): void {
    this.#driveAt = NEVER;
    if (this.#applied !== this.#told) {
      this.#driveAt = this.#deps.clock.now() + RETRY_MS; // the disk is slow
      return;
    }
    if (this.origin.recover === 'fail') this.interrupt('The facts of the execution could not be stored.');
    else if (this.phase === 'executing' || this.context.steps > 0) this.recover();
    else if (this.phase === 'queued') this.#drive(undefined, 'queued');
  }

  /** A subscriber, or a driver that cannot be replaced, keeps it in memory. */
  #leaves(now: number): boolean {
    const isFree = this.watchers === 0 && this.#pending === undefined && this.driver?.isReplaceable !== false;
    if (isFree) this.#deps.hibernate(this);
    else this.#neededAt = now;
    return isFree;
  }
}

const whenTold = <Now extends boolean>(told: Now | Promise<Told>): Now | Promise<true> =>
  typeof told === 'boolean' ? told : told.then(unlessFailed);

const unlessFailed = (told: Told): true => {
  if (told !== true) throw told;
  return true;
};

/** A store that reports no other reason cannot write. */
const unkept = (cause: unknown): Failure =>
  cause instanceof Refused || (cause instanceof Failure && cause.code === 'execution_damaged')
    ? cause
    : new Failure('store_unavailable', { cause, retryAfterMs: RETRY_MS });

const EXPIRED = { interaction: 'interaction.expired', oauth: 'oauth.expired', sleep: 'sleep.elapsed' } as const;
