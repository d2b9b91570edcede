/**
 * An execution: its actor, and the only way to tell it anything. An actor that has nothing to do for a while is let go,
 * and its last snapshot stays: a parked execution gets a new one from it when there is news, a settled one needs none.
 *
 * X1  Apply: a fact is sent to the actor, whose machine decides. Refused is refused: nothing was changed or written.
 * X2  Commit: what was applied is appended to the journal, in the same turn, so order in both is the same.
 * X3  Then tell: only after the store has it does anybody hear of it - the run, the subscribers, the caller.
 */
import type { ActorRefFrom } from 'xstate';
import {
  type ExecutionContext,
  type ExecutionSnapshot,
  type ExecutionStatus,
  type executionMachine,
  statusOf,
} from '../machines/execution.ts';
import { type ExecutionEvent, type Fact, isAwaited, type JournalEntry } from '../machines/facts.ts';
import type { Clock } from './clock.ts';
import type { Log } from './context.ts';
import { Failure } from './errors.ts';
import type { ResolvedOptions } from './options.ts';
import type { Store } from './store/store.ts';
import type { TimingWheel, WheelTimer } from './timing-wheel.ts';

const NEVER = Number.POSITIVE_INFINITY;

type ExecutionActor = ActorRefFrom<typeof executionMachine>;

/** A fact without what recording adds to it. */
export type NewFact = DistributiveOmit<ExecutionEvent, 'at'>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Where an execution stood after a fact, for those who are told later. */
export type Phase = 'queued' | 'executing' | 'waiting' | 'settled';

/** Whoever does the work of an execution: a run of a workflow, or the caller of an `ExecutionStore`. */
export interface Driver {
  told(entry: JournalEntry, phase: Phase): void;
}

export type Watcher = (entry: JournalEntry) => unknown;

type Untold = { readonly entry: JournalEntry; readonly phase: Phase; readonly full: undefined | 'full' };

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
  /** Every fact of every execution, after it was told. */
  told(execution: Execution, entry: JournalEntry): void;
}

export class Execution {
  /** Undefined while it rests. */
  #actor: ExecutionActor | undefined;
  #snapshot: ExecutionSnapshot;
  driver: Driver | undefined;
  /** How long its record is kept once it has settled. */
  readonly retentionMs: number;
  readonly #deps: ExecutionDeps;
  #watchers: Set<Watcher> | undefined;
  #untold: Untold[] | undefined;
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;

  constructor(actor: ExecutionActor, deps: ExecutionDeps, retentionMs: number) {
    this.retentionMs = retentionMs;
    this.#actor = actor;
    this.#snapshot = actor.getSnapshot();
    this.#deps = deps;
  }

  /** Lets the actor go: there is nothing that it would do before the next fact. */
  rest(): void {
    if (this.#actor === undefined) return;
    this.#actor = undefined;
    this.#deps.release(this.id);
    this.#arm();
  }

  /** For whoever inspects it; everybody else asks for the parts below. */
  get snapshot(): ExecutionSnapshot {
    return this.#snapshot;
  }

  get id(): string {
    return this.context.executionId;
  }

  /** All that is known of it: the fold of its journal. */
  get context(): ExecutionContext {
    return this.#snapshot.context;
  }

  get status(): ExecutionStatus {
    return statusOf(this.#snapshot);
  }

  get phase(): Phase {
    const { tags } = this.#snapshot;
    return tags.has('settled') ? 'settled' : tags.has('slot') ? 'executing' : tags.has('queued') ? 'queued' : 'waiting';
  }

  get isSettled(): boolean {
    return this.#snapshot.tags.has('settled');
  }

  /** Writes the entry that the actor was started with. */
  begin(started: Extract<Fact, { type: 'execution.started' }>): true | Promise<true> {
    const entry = started as Writable<JournalEntry>;
    entry.at = this.context.startedAt;
    entry.seq = 1;
    return this.#commit(entry as JournalEntry);
  }

  /**
   * Offers a fact, which is given away: it becomes the event and the journal entry. False: the machine refuses it, and
   * nothing has happened. True: it is kept, and everyone has been told. A promise of true: it has been applied, and
   * resolves once it is kept and told.
   */
  offer(fact: NewFact): boolean | Promise<true> {
    const event = fact as Writable<ExecutionEvent>;
    event.at = this.#deps.clock.now();
    if (!this.#apply(event as ExecutionEvent)) return false; // X1
    const entry = event as Writable<JournalEntry>;
    entry.seq = this.context.seq;
    return this.#commit(entry as JournalEntry); // X2
  }

  #apply(event: ExecutionEvent): boolean {
    const before = this.#snapshot;
    if (this.#actor === undefined && !this.isSettled) this.#actor = this.#deps.respawn(this.id, before);
    this.#actor?.send(event);
    const after = this.#actor?.getSnapshot() ?? this.#deps.fold(before, event);
    if (after.status === 'error') return this.#crashed();
    this.#snapshot = after;
    return after !== before && after.context.seq > before.context.seq;
  }

  /** Its actor is gone, and its last snapshot was sound: another one goes on from that, to be told what has happened. */
  #crashed(): false {
    this.#actor = undefined;
    this.fail('defect', 'A bug in this server ended the execution; the log has the cause.');
    return false;
  }

  /** Calls the watcher after each fact from now on, until the function that is returned is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers ??= new Set();
    this.#watchers.add(watcher);
    return () => this.#watchers?.delete(watcher);
  }

  get watchers(): number {
    return this.#watchers?.size ?? 0;
  }

  #commit(entry: JournalEntry): true | Promise<true> {
    const { phase } = this;
    let kept: ReturnType<Store['append']>;
    try {
      kept = this.#deps.store.append(this.id, entry);
    } catch (cause) {
      throw unkept(cause);
    }
    if (!(kept instanceof Promise)) return this.#tell(entry, phase, kept);
    return kept.then(
      (full) => this.#tell(entry, phase, full),
      (cause: unknown) => Promise.reject(unkept(cause)),
    );
  }

  /** What is told makes others offer more; it is told after, so that everybody hears everything in order. */
  #tell(entry: JournalEntry, phase: Phase, full: undefined | 'full'): true {
    if (this.#untold !== undefined) {
      this.#untold.push({ entry, phase, full });
      return true;
    }
    this.#untold = [{ entry, phase, full }];
    try {
      for (const next of this.#untold) this.#tellOne(next);
    } finally {
      this.#untold = undefined;
    }
    return true;
  }

  #tellOne({ entry, phase, full }: Untold): void {
    this.#arm();
    this.driver?.told(entry, phase); // X3
    if (this.#watchers !== undefined) for (const watcher of [...this.#watchers]) this.#call(watcher, entry);
    this.#deps.told(this, entry);
    if (full === 'full') this.fail('journal_full', 'The run has more steps and answers than its journal may hold.');
  }

  #call(watcher: Watcher, entry: JournalEntry): void {
    try {
      watcher(entry);
    } catch (error) {
      this.#deps.log.error({ executionId: this.id, err: error }, 'a watcher of an execution failed');
    }
  }

  /** Ends it as failed, unless it has ended. False if it had. */
  fail(code: NonNullable<ExecutionContext['error']>['code'], message: string, name = 'Error'): boolean | Promise<true> {
    return this.offer({ type: 'execution.failed', error: { code, message, name } });
  }

  /** One timer per execution, for whatever is due first. */
  #arm(): void {
    const dueAt = this.#dueAt();
    if (dueAt === this.#timerDueAt) return;
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    this.#timerDueAt = dueAt;
    this.#timer = dueAt === NEVER ? undefined : this.#deps.wheel.schedule(dueAt, () => this.#onDue());
  }

  #dueAt(): number {
    const { pauses } = this.context;
    let dueAt = Math.min(this.#abandonedAt(), this.#restsAt());
    for (const pause of pauses) if (pause.dueAt !== null && pause.dueAt < dueAt) dueAt = pause.dueAt;
    return dueAt;
  }

  /** When waiting for people becomes too long; an execution that only sleeps is not abandoned. */
  #abandonedAt(): number {
    const { parkedAt, pauses } = this.context;
    return parkedAt !== null && pauses.some(isAwaited) ? parkedAt + this.#deps.options.parkedTimeoutMs : NEVER;
  }

  /** When it has been parked for long enough to be let rest. */
  #restsAt(): number {
    const { parkedAt } = this.context;
    return parkedAt === null || this.#actor === undefined ? NEVER : parkedAt + this.#deps.options.restAfterMs;
  }

  #onDue(): void {
    this.#timer = undefined;
    this.#timerDueAt = NEVER;
    const now = this.#deps.clock.now();
    const { pauses } = this.context;
    if (this.#abandonedAt() <= now) {
      const seconds = Math.round(this.#deps.options.parkedTimeoutMs / 1000);
      this.fail('abandoned', `Nobody came for ${seconds} s while the execution waited.`);
    } else {
      for (const { kind, id, dueAt } of pauses) {
        if (dueAt !== null && dueAt <= now) this.offer({ type: EXPIRED[kind], id });
      }
      if (this.#restsAt() <= now) this.rest();
    }
    this.#arm();
  }
}

const unkept = (cause: unknown): Failure => new Failure('store_unavailable', { cause, retryAfterMs: 1_000 });

const EXPIRED = { interaction: 'interaction.expired', oauth: 'oauth.expired', sleep: 'sleep.elapsed' } as const;
