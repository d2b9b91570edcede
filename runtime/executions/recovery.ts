/**
 * Manages executions in a durable store: recovers those that have lost their process, resumes those with a passed
 * deadline, evicts those that have nothing to do in memory, and deletes those whose retention has ended.
 */

import { NEVER } from '../../machines/deadlines.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Log } from '../authoring/context.ts';
import type { Workflow } from '../authoring/workflow.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import type { Archive, OpenCount } from '../store/archive.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';
import { STOPPED } from './shutdown.ts';
import { Trials } from './trials.ts';

/** Settled executions that stay in memory, for reads soon after the end. */
const SETTLED_IN_MEMORY = 1_000;
/** Number of executions that are handled between two turns of the event loop. */
const BATCH = 200;
/** Items stay due until their write commits; they are not handled twice before this delay. */
const LOOK_AGAIN_MS = 100;
/** Delay after the file could not be read. */
const READ_AGAIN_MS = 10_000;
/** In a cluster: how long what is due belongs to the process that has got it. */
const CLAIM_MS = 5_000;
/** In a cluster: interval of looks for executions of lost processes and for deadlines of others, which vary by a half. */
const LOOK_MS = 1_000;
/** Executions of lost processes that are taken at a time: each process gets some. */
const TAKEN = 50;

const nothing = (): undefined => undefined;

export interface ArchivistDeps {
  readonly archive: Archive;
  readonly executions: Executions;
  readonly wheel: TimingWheel;
  readonly now: () => number;
  readonly random: () => number;
  readonly maxRecoveries: number;
  readonly log: Log;
  /** The builders of that version, or of the newest. */
  workflow(name: string, version?: string): Workflow | undefined;
  /** Whether new work is accepted: not once it stops. */
  isAccepting(): boolean;
  /** Evicts an execution that has nothing to do in memory. */
  leave(execution: Execution): void;
  /** Deletes the records of executions that are not in memory. */
  forget(executionIds: readonly string[]): void;
  recoveriesOf(execution: Execution): number;
  /** Retries a blocked execution with the served code, if it has its version. */
  retry(execution: Execution): void;
}

export class Archivist {
  readonly #deps: ArchivistDeps;
  /** In memory, in the order in which they settled or were loaded. */
  readonly #settled = new Set<Execution>();
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  #isStopped = false;
  /** The last look could not read the store. */
  #isFailing = false;
  readonly #trials: Trials;

  constructor(deps: ArchivistDeps) {
    this.#deps = deps;
    this.#trials = new Trials({ ...deps, vault: deps.archive.vault });
  }

  /** Recovers the executions of an earlier process. */
  start(): void {
    const { archive } = this.#deps;
    this.#later(andThen(archive.open(), (open) => this.#report(open)));
    this.#later(andThen(archive.unfinished(), (ids) => this.#recover(ids, 0, [])));
    this.#arm(0);
  }

  /** There may be executions to take. */
  lookNow(): void {
    this.#arm(this.#deps.now());
  }

  stop(): void {
    this.#isStopped = true;
    this.#trials.stop();
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
  }

  /** It has settled, or was loaded and is settled. */
  add(execution: Execution): void {
    this.#settled.add(execution);
    this.note(execution.context.settledAt! + execution.retentionMs);
    if (this.#settled.size > SETTLED_IN_MEMORY) this.makeRoom();
  }

  /** It has left memory. */
  left(execution: Execution): void {
    this.#settled.delete(execution);
  }

  /** Evicts the oldest settled execution. False: there is none. */
  makeRoom(): boolean {
    const { value: oldest } = this.#settled.values().next();
    if (oldest !== undefined) this.#deps.leave(oldest);
    return oldest !== undefined;
  }

  /** Ends the retention of a settled execution. */
  expire(execution: Execution): void {
    execution.mention({ type: 'retention.elapsed' });
  }

  /** A deadline will come that no execution in memory handles. */
  note(dueAt: number): void {
    if (dueAt < this.#timerDueAt) this.#arm(dueAt);
  }

  /** A fact of an execution that is being replayed. */
  told(execution: Execution, entry: JournalEntry): void {
    this.#trials.told(execution, entry);
  }

  /** All are checked before any is replayed. */
  #recover(ids: readonly string[], from: number, found: Execution[]): Awaitable<void> {
    if (this.#isStopped) return;
    const until = Math.min(ids.length, from + BATCH);
    for (let index = from; index < until; index += 1) {
      const execution = this.#get(ids[index]!);
      if (execution instanceof Promise) {
        return execution.then((read) => {
          if (read !== undefined && !read.isSettled) found.push(read);
          return this.#recover(ids, index + 1, found);
        });
      }
      if (execution !== undefined && !execution.isSettled) found.push(execution);
    }
    if (until < ids.length) {
      setImmediate(() => this.#later(this.#recover(ids, until, found)));
      return;
    }
    return this.#recoverAll(found);
  }

  #recoverAll(found: readonly Execution[]): Awaitable<void> {
    const opened = this.#trials.open(found);
    if (!(opened instanceof Promise)) return this.#recoverFound(found);
    const releases = found.map((execution) => execution.watch(() => {})); // until then they stay in memory
    return opened
      .then(() => this.#recoverFound(found))
      .finally(() => {
        for (const release of releases) release();
      });
  }

  #recoverFound(found: readonly Execution[]): void {
    if (this.#isStopped) return;
    for (const execution of found) {
      const isThere = this.#deps.executions.inMemory(execution.id) === execution;
      if (isThere) this.#recoverOne(execution);
      else this.#later(this.#recoverId(execution.id)); // it has left memory since it was found: another copy goes on
    }
    this.#trials.begin();
  }

  /** It has left memory because the store has other facts: it is recovered if it was running, and no other process has it. */
  takeUp(id: string): void {
    const { wheel, now, archive } = this.#deps;
    wheel.schedule(now() + LOOK_AGAIN_MS, () => {
      if (this.#isStopped) return;
      const isOwn = archive.cluster?.owns(id) ?? true;
      this.#later(andThen(isOwn, (own) => (own ? this.#recoverId(id) : undefined)));
    });
  }

  #recoverId(id: string): Awaitable<void> {
    return andThen(this.#get(id), (execution) => execution && this.#recoverAll([execution]));
  }

  /** True if there may be more. */
  #takeOver(): Awaitable<boolean> {
    const { cluster } = this.#deps.archive;
    if (cluster === undefined || !this.#deps.isAccepting()) return false;
    return cluster.take(TAKEN).then((ids) => andThen(this.#recover(ids, 0, []), () => ids.length >= TAKEN));
  }

  #recoverOne(execution: Execution): void {
    if (execution.driver !== undefined || execution.isSettled || execution.isElsewhere) return;
    if (execution.origin.recover === 'fail') execution.interrupt(STOPPED);
    else if (execution.context.blocked !== null) this.#deps.retry(execution);
    else if (this.#deps.workflow(execution.context.workflow) === undefined) return;
    else if (!this.#trials.takes(execution)) execution.recover();
  }

  /** Warnings for operators at the start. */
  #report(open: readonly OpenCount[]): void {
    for (const { workflow: name, version, count } of open) {
      const served = this.#deps.workflow(name);
      if (this.#deps.workflow(name, version) !== undefined) continue;
      if (served === undefined) {
        this.#deps.log.warn({ workflow: name, open: count }, 'open executions of a workflow that is not served wait');
      } else {
        const versions = { startedWith: version, served: served.version };
        this.#deps.log.warn(
          { workflow: name, open: count, ...versions },
          'open executions of a version that is not served are blocked when they have work to do: serve that version too, or retry them',
        );
      }
    }
  }

  #arm(dueAt: number): void {
    if (this.#isStopped) return;
    const { wheel } = this.#deps;
    if (this.#timer !== undefined) wheel.cancel(this.#timer);
    this.#timerDueAt = dueAt;
    this.#timer = dueAt === NEVER ? undefined : wheel.schedule(dueAt, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    this.#timerDueAt = NEVER;
    const now = this.#deps.now();
    this.#dropExpired(now);
    try {
      const seen = andThen(this.#seeTo(now), (isMore) =>
        andThen(this.#takeOver(), (hasTaken) => (isMore || hasTaken ? now + LOOK_AGAIN_MS : this.#nextDueAt(now))),
      );
      if (!(seen instanceof Promise)) this.#seen(seen);
      else seen.then((dueAt) => this.#seen(Math.min(dueAt, this.#timerDueAt))).catch((err) => this.#lookLater(err));
    } catch (err) {
      this.#lookLater(err);
    }
  }

  #seen(nextAt: number): void {
    this.#isFailing = false;
    this.#arm(nextAt);
  }

  #lookLater(err: unknown): void {
    const { log, now, archive } = this.#deps;
    if (!this.#isFailing) log.error({ err }, 'passed deadlines cannot be read');
    this.#isFailing = true;
    this.#arm(now() + (archive.cluster === undefined ? READ_AGAIN_MS : LOOK_MS));
  }

  /** Another process may have deleted them. */
  #dropExpired(now: number): void {
    if (this.#deps.archive.cluster === undefined) return;
    for (const execution of this.#settled)
      if (execution.context.settledAt! + execution.retentionMs <= now) this.#deps.leave(execution);
  }

  /** An error of what was read later is logged: no caller waits for it. */
  #later(done: Awaitable<void>): void {
    if (done instanceof Promise)
      done.catch((err) => this.#deps.log.error({ err }, 'unfinished executions cannot be read'));
  }

  /** True if there may be more. */
  #seeTo(now: number): Awaitable<boolean> {
    const { archive, executions } = this.#deps;
    return andThen(archive.due(now, BATCH + executions.damaged, now + CLAIM_MS), (all) => {
      const due = all.filter(({ id, isSettled }) => isSettled || !executions.isDamaged(id));
      const over = due.filter(({ isSettled }) => isSettled).map(({ id }) => id);
      for (const { id, isSettled } of due) if (!isSettled) this.#wake(id);
      return andThen(archive.excess(BATCH), (excess) => {
        this.#forget([...over, ...excess]);
        return due.length + excess.length > 0;
      });
    });
  }

  #wake(id: string): void {
    const execution = this.#get(id);
    if (execution instanceof Promise) void execution.then((read) => read?.due());
    else execution?.due();
  }

  /** Damaged executions stay due and are skipped. */
  #nextDueAt(now: number): Awaitable<number> {
    const { archive, executions } = this.#deps;
    const next = archive.nextDueAt(executions.damaged > 0 ? now : undefined);
    return andThen(next, (dueAt) => Math.max(Math.min(dueAt ?? NEVER, this.#nextLookAt(now)), now + 1));
  }

  #nextLookAt(now: number): number {
    const { archive, random } = this.#deps;
    return archive.cluster === undefined ? NEVER : now + LOOK_MS * (0.75 + random() / 2);
  }

  /** An unreadable execution does not stop the others. */
  #get(id: string): Awaitable<Execution | undefined> {
    const { executions } = this.#deps;
    if (executions.isDamaged(id)) return undefined;
    try {
      const execution = executions.get(id);
      return execution instanceof Promise ? execution.catch(nothing) : execution;
    } catch {
      return undefined; // the log names it
    }
  }

  #forget(ids: readonly string[]): void {
    const { executions, forget } = this.#deps;
    for (const id of ids) {
      const present = executions.inMemory(id);
      if (present !== undefined) this.expire(present);
    }
    forget(ids.filter((id) => executions.inMemory(id) === undefined));
  }
}
