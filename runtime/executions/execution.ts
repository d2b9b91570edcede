/**
 * An execution: a journaled actor with a driver that does its work, and with deadlines. It has one timer, and leaves
 * memory when it has nothing to do.
 */
import { abandonedAt, firstDueAt, NEVER } from '../../machines/deadlines.ts';
import type { ExecutionSnapshot } from '../../machines/execution.ts';
import { isRepeated } from '../../machines/fact-table.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Phase } from '../../machines/standing.ts';
import type { Failure } from '../errors.ts';
import { afterItsEnd, type Origin } from '../journal/start-request.ts';
import { Refused } from '../store/store.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import {
  type ExecutionActor,
  type Gone,
  JournaledActor,
  type JournaledActorDeps,
  type NewFact,
  RETRY_MS,
  type Watcher,
} from './journaled-actor.ts';

export type { Gone, NewFact, Watcher } from './journaled-actor.ts';

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

/** Longest delay before a driver is assigned again, after many attempts. */
const LONGEST_RETRY_MS = 60_000;
/** How long an execution that another process executes stays in memory without subscribers. */
const FOLLOWED_MS = 5_000;
/** Attempts to replay an execution whose facts cannot be stored while others can. */
const MAX_REFUSALS = 3;

/** @internal */
export interface ExecutionDeps extends JournaledActorDeps {
  readonly wheel: TimingWheel;
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

export class Execution extends JournaledActor {
  driver: Driver | undefined;
  /** The bytes that `RecordBytes` counts for it. */
  recordBytes = 0;
  readonly #deps: ExecutionDeps;
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
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

  /** @internal */
  constructor(from: ExecutionActor | ExecutionSnapshot, deps: ExecutionDeps, origin: Origin) {
    super(from, deps, origin);
    this.#deps = deps;
    this.#neededAt = deps.clock.now();
  }

  get retentionMs(): number {
    return this.origin.retentionMs;
  }

  /** It was loaded into memory: from now on it handles its deadlines. */
  attend(): void {
    this.#arm();
  }

  /** Stops the actor: it has nothing to do before the next fact. */
  rest(): void {
    if (!this.hasActor) return;
    this.releaseActor();
    this.#arm();
  }

  /** It has ended: its driver, its actor and most of its request are no longer needed. */
  conclude(): void {
    const { request } = this.origin;
    this.driver = undefined;
    if (request !== undefined) (this.origin as { request: Origin['request'] }).request = afterItsEnd(request);
    this.rest();
  }

  /** Detaches the driver and all timers: the execution leaves memory, or the runtime stops. */
  leave(): void {
    this.driver?.leave();
    if (this.driver?.isReplaceable) this.driver = undefined;
    this.releaseActor();
    this.#disarm();
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

  /** Detaches for good: subscribers are notified that no more facts follow. */
  dismiss(): void {
    this.leave();
    this.dismissWatchers();
  }

  override watch(watcher: Watcher, gone?: Gone): () => void {
    if (this.#hasDeparted && gone !== undefined && !this.isSettled) queueMicrotask(gone); // another copy gets the facts
    return super.watch(watcher, gone);
  }

  /**
   * Retries a blocked execution, with the code of this version if one is named, else with its own. False if it is not
   * blocked.
   */
  retry(version?: string): boolean | Promise<true> {
    if (this.applied.context.blocked === null) return false;
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

  /**
   * Offers a fact that comes from outside: another process may execute the execution, and gets it then. Throws, or rejects
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
      this.#followedThrough = entry.seq;
      this.publishFollowed(entry);
    }
    this.#arm();
  }

  /** For an execution that was running or queued when its driver was lost: it is replayed. */
  recover(): void {
    const { phase } = this;
    if (this.driver === undefined && (phase === 'queued' || phase === 'executing'))
      this.mention({ type: 'execution.recovered' });
  }

  protected override get beginsLater(): boolean {
    const { request, names } = this.origin;
    return request?.streaming === true || (names.length > 0 && this.#deps.store.archive?.cluster !== undefined);
  }

  protected override onApplied(entry: JournalEntry, phase: Phase, isEarly: boolean): void {
    if (isEarly) this.driver?.told(entry, phase);
    else this.driver?.applied(entry, phase);
  }

  protected override onPublished(entry: JournalEntry, phase: Phase, isHeard: boolean): void {
    if (!isRepeated(entry)) this.#refusals = this.#postponed = 0;
    this.#arm();
    if (!isHeard) this.#drive(entry, phase);
  }

  protected override afterPublished(entry: JournalEntry): void {
    this.#deps.told(this, entry);
  }

  protected override onRollBack(): void {
    this.leave();
  }

  protected override onRolledBack(failure: Failure): void {
    if (failure instanceof Refused) {
      this.#deps.overtaken(this);
      return;
    }
    if (failure.code === 'execution_damaged') this.#refused(failure);
    this.#driveAt = this.#isSetAside ? NEVER : this.#deps.clock.now() + RETRY_MS;
    this.#arm();
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

  /**
   * Assigns a driver: the present one, or another one. Another one begins from the journal, so all facts must be
   * committed. After a roll-back there is no driver for a while.
   */
  #drive(entry: JournalEntry | undefined, phase: Phase): void {
    const isLeft = this.#hasDeparted || this.#driveAt !== NEVER || this.#isSetAside;
    if (isLeft && phase !== 'settled') return;
    if (entry?.type === 'execution.continued') this.detach(); // the function restarts
    if (this.driver === undefined && phase === 'queued' && this.applied === this.snapshot) {
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

  #disarm(): void {
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timer = undefined;
    this.#timerDueAt = NEVER;
  }

  #dueAt(): number {
    if (this.#isElsewhere) return this.#leavesAt();
    const { parkedTimeoutMs } = this.#deps.options;
    return Math.min(firstDueAt(this.context, parkedTimeoutMs), this.#restsAt(), this.#leavesAt(), this.#driveAt);
  }

  /** When it has been parked for long enough to rest. */
  #restsAt(): number {
    const { parkedAt } = this.context;
    return parkedAt === null || !this.hasActor ? NEVER : parkedAt + this.#deps.options.restAfterMs;
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
    if (this.applied !== this.snapshot) {
      this.#driveAt = this.#deps.clock.now() + RETRY_MS; // the disk is slow
      return;
    }
    if (this.origin.recover === 'fail') this.interrupt('The facts of the execution could not be stored.');
    else if (this.phase === 'executing' || this.context.steps > 0) this.recover();
    else if (this.phase === 'queued') this.#drive(undefined, 'queued');
  }

  /** A subscriber, or a driver that cannot be replaced, keeps it in memory. */
  #leaves(now: number): boolean {
    const isFree = this.watchers === 0 && !this.isCommitting && this.driver?.isReplaceable !== false;
    if (isFree) this.#deps.hibernate(this);
    else this.#neededAt = now;
    return isFree;
  }
}

const EXPIRED = { interaction: 'interaction.expired', oauth: 'oauth.expired', sleep: 'sleep.elapsed' } as const;
