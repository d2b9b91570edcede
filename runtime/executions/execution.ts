/**
 * An execution: its actor, and the only way to tell it anything. An actor that has nothing to do for a while is let go,
 * and its last snapshot stays: a parked execution gets a new one from it when there is news, a settled one needs none.
 *
 * X1  Apply: a fact is sent to the actor, whose machine decides. Refused is refused: nothing was changed or written.
 * X2  Commit: what was applied is appended to the journal, in the same turn, so order in both is the same.
 * X3  Then tell: only after the store has it does anybody hear of it - the run, the subscribers, the caller - or see
 *     it: what can be read here is what is kept. Slots are the one exception: they are asked for, given and taken back
 *     at once, since they do not outlive the process anyway. So a run may begin before its start is kept; what it does
 *     in steps, and whatever anybody hears of it, comes after.
 * X4  What the store could not keep has not happened: the execution stands where its journal ends, and is driven anew
 *     from there when the store works again.
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
import type { Log } from '../authoring/context.ts';
import { Failure } from '../errors.ts';
import type { Origin } from '../journal/start-request.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Fullness, Store } from '../store/store.ts';
import { usageOf } from '../store/usage.ts';
import type { Clock } from '../time/clock.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';

/** @internal */
export type ExecutionActor = ActorRefFrom<typeof executionMachine>;

/** A fact without what recording adds to it. */
export type NewFact = DistributiveOmit<ExecutionEvent, 'at'>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Where an execution stood after a fact, for those who are told later. */
export type Phase = 'queued' | 'executing' | 'waiting' | 'settled';

/** Whoever does the work of an execution: a run of a workflow, or the caller of an `ExecutionStore`. */
export interface Driver {
  /** What has happened, and where the execution stands; without an entry only the latter. */
  told(entry: JournalEntry | undefined, phase: Phase): void;
  /** It has nothing to do, which is about to be kept and told: whoever waits for its slot need not wait for that. */
  idle(): void;
  /** It does not do the work any more, and the execution has not ended: nothing it still does has any effect. */
  leave(): void;
  /** Whether another one can go on from the journal alone. */
  readonly isReplaceable: boolean;
}

export type Watcher = (entry: JournalEntry) => unknown;
/** Nothing more will be told here: the runtime stops, and the execution goes on after that. */
export type Gone = () => unknown;
type Watching = { readonly watcher: Watcher; readonly gone: Gone | undefined };

/** What was kept and not told yet. `isHeard`: the driver knows it already. */
type Untold = {
  readonly entry: JournalEntry;
  readonly snapshot: ExecutionSnapshot;
  readonly full: Fullness;
  readonly isHeard: boolean;
};

/** After which somebody is looked for again who could do the work. */
const RETRY_MS = 1_000;
/** The same after many attempts. */
const LONGEST_RETRY_MS = 60_000;
/** Attempts to go on with an execution of which nothing can be stored, while others can. */
const MAX_REFUSALS = 3;

/** @internal */
export interface ExecutionDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly wheel: TimingWheel;
  readonly options: ResolvedOptions;
  readonly log: Log;
  /** An actor that goes on from a snapshot. */
  respawn(executionId: string, snapshot: ExecutionSnapshot): ExecutionActor;
  /** Stops the actor of an execution that rests. */
  release(executionId: string): void;
  /** What the actor does with an event, without an actor. */
  fold(snapshot: ExecutionSnapshot, event: ExecutionEvent): ExecutionSnapshot;
  /** Somebody to do the work of an execution that has nobody; undefined if there is nobody who could. */
  drive(execution: Execution): Driver | undefined;
  /** Every fact of every execution, after it was told. */
  told(execution: Execution, entry: JournalEntry): void;
  /** It has been parked for long enough to leave memory. */
  hibernate(execution: Execution): void;
}

export class Execution {
  /** Undefined while it rests. */
  #actor: ExecutionActor | undefined;
  #applied: ExecutionSnapshot;
  #told: ExecutionSnapshot;
  driver: Driver | undefined;
  readonly origin: Origin;
  /** What `RecordBytes` counts for it. */
  recordBytes = 0;
  readonly #deps: ExecutionDeps;
  /** Undefined if there is none: most executions have none most of the time. */
  #watchers: Watching[] | undefined;
  #untold: Untold[] | undefined;
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  /** Of the last fact that is being kept; undefined: all is kept. */
  #keeping: Promise<true> | undefined;
  /** When it last had a reason to be in memory. */
  #neededAt: number;
  /** When somebody is looked for to do its work. */
  #driveAt = NEVER;
  /** How often the store has refused what has happened to this execution alone, since it last kept something. */
  #refusals = 0;
  /** How often what its run needs could not be had, since it last got any further. */
  #postponed = 0;
  #hasDeparted = false;

  /** With an actor it begins; without one it goes on from a snapshot, and rests until there is news. @internal */
  constructor(from: ExecutionActor | ExecutionSnapshot, deps: ExecutionDeps, origin: Origin) {
    const isActor = 'send' in from;
    this.#actor = isActor ? from : undefined;
    this.#applied = isActor ? from.getSnapshot() : from;
    this.#told = this.#applied;
    this.#neededAt = deps.clock.now();
    this.origin = origin;
    this.#deps = deps;
  }

  /** It has come into memory: from now on it sees to what is due. */
  attend(): void {
    this.#arm();
  }

  /** Lets the actor go: there is nothing that it would do before the next fact. */
  rest(): void {
    if (this.#actor === undefined) return;
    this.#actor = undefined;
    this.#deps.release(this.id);
    this.#arm();
  }

  /** Whoever does its work leaves it, and nothing happens to it by itself any more: it leaves memory, or the runtime stops. */
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

  /** It is not in memory any more: whatever is still told to it is seen to by the one that is read from the store next. */
  depart(): void {
    this.#hasDeparted = true;
    this.leave();
  }

  /** Its driver leaves, and another one goes on from the journal when there is work to do. */
  detach(): void {
    this.driver?.leave();
    this.driver = undefined;
  }

  /**
   * Lets one that is blocked try again, with the code of this version if one is named, else with that of its own. False if
   * it is not blocked.
   */
  retry(version?: string): boolean | Promise<true> {
    if (this.#applied.context.blocked === null) return false;
    this.detach();
    return this.offer(
      version === undefined ? { type: 'execution.unblocked' } : { type: 'execution.unblocked', version },
    );
  }

  /** What its run needs cannot be had: it is tried again, later and later. */
  postpone(err: Failure): void {
    this.detach();
    this.#postponed += 1;
    const ms = Math.min(RETRY_MS * 2 ** (this.#postponed - 1), LONGEST_RETRY_MS);
    this.#deps.log.warn(
      { executionId: this.id, err, retryInMs: ms },
      'what an execution needs to go on cannot be had yet',
    );
    this.#driveAt = this.#deps.clock.now() + ms;
    this.#arm();
  }

  /** The same for good: those who watch hear that there is nothing more to see. */
  dismiss(): void {
    this.leave();
    for (const { gone } of [...(this.#watchers ?? [])]) gone?.();
  }

  /** For the inspector. Other callers ask for the parts below. @internal */
  get snapshot(): ExecutionSnapshot {
    return this.#told;
  }

  get id(): string {
    return this.context.executionId;
  }

  /** All that is known of it: the fold of its journal. */
  get context(): ExecutionContext {
    return this.#told.context;
  }

  /** Where it stands with all that is still being kept. @internal */
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

  /** It has settled, be that told or not: nothing more can be recorded. */
  get hasEnded(): boolean {
    return this.#applied.tags.has('settled');
  }

  /** Its retention is over, be that told or not. */
  get isExpiring(): boolean {
    return statusOf(this.#applied) === 'idle-expiring';
  }

  get retentionMs(): number {
    return this.origin.retentionMs;
  }

  /** Resolves when all that has been applied is kept; undefined if it is. Rejects if it could not be. */
  get keeping(): Promise<true> | undefined {
    return this.#keeping;
  }

  /** Writes the entry that the actor was started with. */
  begin(started: Extract<Fact, { type: 'execution.started' }>): true | Promise<true> {
    const entry = started as Writable<JournalEntry>;
    entry.at = this.context.startedAt;
    entry.seq = 1;
    return this.#commit(entry as JournalEntry, this.#applied);
  }

  /**
   * Offers a fact, which is given away: it becomes the event and the journal entry. False: the machine refuses it, and
   * nothing has happened. True: it is kept, and everyone has been told. A promise of true: it has been applied, and
   * resolves once it is kept and told. Throws, or rejects with, `store_unavailable`.
   */
  offer(fact: NewFact): boolean | Promise<true> {
    const event = fact as Writable<ExecutionEvent>;
    const before = this.#applied;
    event.at = this.#deps.clock.now();
    if (!this.#apply(event as ExecutionEvent)) return false; // X1
    const entry = event as Writable<JournalEntry>;
    entry.seq = this.#applied.context.seq;
    return this.#commit(entry as JournalEntry, before); // X2
  }

  /** The same, where nobody waits for the outcome: what cannot be kept is seen to when the store works again. */
  mention(fact: NewFact): void {
    try {
      const kept = this.offer(fact);
      if (typeof kept !== 'boolean') kept.catch(() => {});
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
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

  /** Its actor is gone, and its last snapshot was sound: another one goes on from that, to be told what has happened. */
  #crashed(): false {
    this.#actor = undefined;
    this.fail('defect', 'A bug in this server ended the execution; the log has the cause.');
    return false;
  }

  /** Calls the watcher after each fact from now on, until the function that is returned is called. */
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

  #commit(entry: JournalEntry, before: ExecutionSnapshot): true | Promise<true> {
    const snapshot = this.#applied;
    let kept: ReturnType<Store['append']>;
    try {
      kept = this.#deps.store.append(this, entry);
    } catch (cause) {
      throw this.#rollBack(before, unkept(cause)); // what came before may still be kept
    }
    if (!(kept instanceof Promise)) return this.#tell(entry, snapshot, kept, false);
    const isHeard = entry.type === 'slot.granted' || entry.type === 'execution.started';
    const told = kept.then(
      (full) => this.#tell(entry, snapshot, full, isHeard),
      (cause: unknown) => {
        throw this.#rollBack(this.#told, unkept(cause));
      },
    );
    this.#keeping = told;
    if (isIdle(snapshot)) this.driver?.idle();
    if (isHeard) this.driver?.told(entry, phaseOf(snapshot)); // X3; what that leads to is kept, and told, after this
    return told;
  }

  /** X4: stands again where it stood then. What was appended before that and is not kept yet stays, and is told. */
  #rollBack(to: ExecutionSnapshot, failure: Failure): Failure {
    if (this.#applied === to) return failure;
    this.leave();
    this.#applied = to;
    if (to === this.#told) this.#keeping = undefined;
    if (failure.code === 'execution_damaged') this.#refused(failure);
    this.#driveAt = this.#isSetAside ? NEVER : this.#deps.clock.now() + RETRY_MS;
    this.#arm();
    return failure;
  }

  #refused(err: Failure): void {
    this.#refusals += 1;
    if (this.#refusals > MAX_REFUSALS) return;
    const more = this.#isSetAside ? ', and it is set aside until the server is started again' : '';
    this.#deps.log.error({ executionId: this.id, err }, `what happens to an execution cannot be stored${more}`);
  }

  /** Nothing that happens to it can be stored, while other executions can. */
  get #isSetAside(): boolean {
    return this.#refusals >= MAX_REFUSALS;
  }

  /** For an execution that was executed, or waited for a slot, when what did so was lost: it is executed again. */
  recover(): void {
    const { phase } = this;
    if (this.driver === undefined && (phase === 'queued' || phase === 'executing'))
      this.mention({ type: 'execution.recovered' });
  }

  /**
   * Somebody has to do the work: who does, or somebody else. That one begins from the journal, so all has to be kept. After
   * a roll-back nobody does it for a while.
   */
  #drive(entry: JournalEntry | undefined, phase: Phase): void {
    const isLeft = this.#driveAt !== NEVER || this.#isSetAside;
    if (isLeft && phase !== 'settled') return;
    if (entry?.type === 'execution.continued') this.detach(); // the function begins anew
    if (this.driver === undefined && phase === 'queued' && this.#applied === this.#told) {
      try {
        this.driver = this.#deps.drive(this);
      } catch (err) {
        this.#deps.log.warn({ executionId: this.id, err }, 'nobody can go on with an execution yet');
        this.#driveAt = this.#deps.clock.now() + RETRY_MS;
        this.#arm();
      }
    }
    this.driver?.told(entry, phase);
  }

  /** Subscribers may record further facts. Those are published afterwards, so that all subscribers get all facts in order. */
  #tell(entry: JournalEntry, snapshot: ExecutionSnapshot, full: Fullness, isHeard: boolean): true {
    if (snapshot === this.#applied) this.#keeping = undefined;
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
    if (full === 'full' && this.hasEnded) return; // what had been recorded by then is full as well, and each look reads the whole journal
    const { store, options, log } = this.#deps;
    const usage = usageOf(store.read(this.id)?.entries ?? [], options);
    if (full === 'full')
      this.fail('journal_full', `The run has more steps and answers than its journal may hold. ${usage}`);
    else log.warn({ executionId: this.id, workflow: this.context.workflow }, `the journal is nearly full. ${usage}`);
  }

  #call(watcher: Watcher, entry: JournalEntry): void {
    try {
      watcher(entry);
    } catch (error) {
      this.#deps.log.error({ executionId: this.id, err: error }, 'a watcher of an execution failed');
    }
  }

  /** Ends it as failed, unless it has ended. False if it had. */
  fail(code: ExecutionErrorCode, message: string, name = 'Error'): boolean | Promise<true> {
    return this.offer({ type: 'execution.failed', error: { code, message, name } });
  }

  /** Ends one that nobody can go on with. */
  interrupt(message: string): void {
    this.mention({ type: 'execution.failed', error: { code: 'interrupted', message, name: 'AbortError' } });
  }

  /** One timer per execution, for whatever is due first; `notBefore` is for what has been seen to and is being kept. */
  #arm(notBefore = 0): void {
    if (this.#hasDeparted) return;
    const dueAt = Math.max(this.#dueAt(), notBefore);
    if (dueAt === this.#timerDueAt) return;
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timerDueAt = dueAt;
    this.#timer = dueAt === NEVER ? undefined : this.#deps.wheel.schedule(dueAt, () => this.due());
  }

  #dueAt(): number {
    const { parkedTimeoutMs } = this.#deps.options;
    return Math.min(firstDueAt(this.context, parkedTimeoutMs), this.#restsAt(), this.#leavesAt(), this.#driveAt);
  }

  /** When it has been parked for long enough to be let rest. */
  #restsAt(): number {
    const { parkedAt } = this.context;
    return parkedAt === null || this.#actor === undefined ? NEVER : parkedAt + this.#deps.options.restAfterMs;
  }

  /** When it has been parked for long enough to leave memory, where there is another place for it. */
  #leavesAt(): number {
    const { parkedAt, blocked } = this.context;
    const idleSince = parkedAt ?? blocked?.since;
    if (idleSince === undefined || this.#deps.store.archive === undefined) return NEVER;
    return Math.max(idleSince, this.#neededAt) + this.#deps.options.hibernateAfterMs;
  }

  /** Looks for what is due, and sees to it. */
  due(): void {
    this.#disarm(); // others than the timer may ask for it
    if (this.#isSetAside) return;
    const now = this.#deps.clock.now();
    const { parkedTimeoutMs } = this.#deps.options;
    if (abandonedAt(this.context, parkedTimeoutMs) <= now) {
      const message = `Nobody came for ${Math.round(parkedTimeoutMs / 1000)} s while the execution waited.`;
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
    if (this.origin.recover === 'fail') this.interrupt('What it had done could not be kept.');
    else if (this.phase === 'executing' || this.context.steps > 0) this.recover();
    else if (this.phase === 'queued') this.#drive(undefined, 'queued');
  }

  /** Whoever looks at it, or does work that only he can do, keeps it in memory. */
  #leaves(now: number): boolean {
    const isFree = this.watchers === 0 && this.#keeping === undefined && this.driver?.isReplaceable !== false;
    if (isFree) this.#deps.hibernate(this);
    else this.#neededAt = now;
    return isFree;
  }
}

/** @internal */
export const phaseOf = ({ tags }: ExecutionSnapshot): Phase =>
  tags.has('settled') ? 'settled' : tags.has('slot') ? 'executing' : tags.has('queued') ? 'queued' : 'waiting';

const isIdle = ({ tags }: ExecutionSnapshot): boolean => tags.has('waiting') || tags.has('settled');

/** A store that says nothing else is one that cannot write. */
const unkept = (cause: unknown): Failure =>
  cause instanceof Failure && cause.code === 'execution_damaged'
    ? cause
    : new Failure('store_unavailable', { cause, retryAfterMs: RETRY_MS });

const EXPIRED = { interaction: 'interaction.expired', oauth: 'oauth.expired', sleep: 'sleep.elapsed' } as const;
