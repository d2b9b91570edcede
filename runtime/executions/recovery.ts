/**
 * Looks after executions that a store keeps beyond the process: finds those that have lost it, wakes those for whom
 * something is due, lets those leave memory that have nothing to do there, and forgets those whose time is over.
 */

import { NEVER } from '../../machines/deadlines.ts';
import type { JournalEntry } from '../../machines/facts.ts';
import type { Log } from '../authoring/context.ts';
import type { Workflow } from '../authoring/workflow.ts';
import type { Archive } from '../store/archive.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';
import { STOPPED } from './shutdown.ts';
import { Trials } from './trials.ts';

/** Settled executions that stay in memory, for those who ask soon after the end. */
const SETTLED_IN_MEMORY = 1_000;
/** Executions that are looked at between two turns of the event loop. */
const BATCH = 200;
/** What was seen to is out of the way when it is kept, and not before. */
const LOOK_AGAIN_MS = 100;
/** After the file could not be read. */
const READ_AGAIN_MS = 10_000;

export interface ArchivistDeps {
  readonly archive: Archive;
  readonly executions: Executions;
  readonly wheel: TimingWheel;
  readonly now: () => number;
  readonly maxRecoveries: number;
  readonly log: Log;
  /** Of that version, or the newest. */
  workflow(name: string, version?: string): Workflow | undefined;
  /** Lets an execution go that has nothing to do in memory. */
  leave(execution: Execution): void;
  /** Drops the records of executions that are not in memory. */
  forget(executionIds: readonly string[]): void;
  recoveriesOf(execution: Execution): number;
  /** Lets one that is blocked try the code that is served now, if that is of its version. */
  retry(execution: Execution): void;
}

export class Archivist {
  readonly #deps: ArchivistDeps;
  /** In memory, in the order in which they have settled or come into memory. */
  readonly #settled = new Set<Execution>();
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  #isStopped = false;
  readonly #trials: Trials;

  constructor(deps: ArchivistDeps) {
    this.#deps = deps;
    this.#trials = new Trials({ ...deps, vault: deps.archive.vault });
  }

  /** Goes on with what another process has left. */
  start(): void {
    this.#report();
    this.#recover(this.#deps.archive.unfinished(), 0, []);
    this.#arm(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#trials.stop();
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
  }

  /** It has settled, or has come into memory and is. */
  add(execution: Execution): void {
    this.#settled.add(execution);
    this.note(execution.context.settledAt! + execution.retentionMs);
    if (this.#settled.size > SETTLED_IN_MEMORY) this.makeRoom();
  }

  /** It is not in memory any more. */
  left(execution: Execution): void {
    this.#settled.delete(execution);
  }

  /** Lets the oldest settled one leave memory. False: there is none. */
  makeRoom(): boolean {
    const { value: oldest } = this.#settled.values().next();
    if (oldest !== undefined) this.#deps.leave(oldest);
    return oldest !== undefined;
  }

  /** Ends the retention of a settled execution. */
  expire(execution: Execution): void {
    execution.mention({ type: 'retention.elapsed' });
  }

  /** Something will be due that nobody in memory sees to. */
  note(dueAt: number): void {
    if (dueAt < this.#timerDueAt) this.#arm(dueAt);
  }

  /** What has happened to an execution that is executed again. */
  told(execution: Execution, entry: JournalEntry): void {
    this.#trials.told(execution, entry);
  }

  /** All are looked at before any is executed. */
  #recover(ids: readonly string[], from: number, found: Execution[]): void {
    if (this.#isStopped) return;
    const until = Math.min(ids.length, from + BATCH);
    for (let index = from; index < until; index += 1) {
      const execution = this.#get(ids[index]!);
      if (execution !== undefined && !execution.isSettled) found.push(execution);
    }
    if (until < ids.length) {
      setImmediate(() => this.#recover(ids, until, found));
      return;
    }
    this.#trials.open(found);
    for (const execution of found) this.#recoverOne(execution);
    this.#trials.begin();
  }

  #recoverOne(execution: Execution): void {
    if (execution.driver !== undefined || execution.isSettled) return;
    if (execution.origin.recover === 'fail') execution.interrupt(STOPPED);
    else if (execution.context.blocked !== null) this.#deps.retry(execution);
    else if (this.#deps.workflow(execution.context.workflow) === undefined) return;
    else if (!this.#trials.takes(execution)) execution.recover();
  }

  /** What operators should know before they wonder. */
  #report(): void {
    for (const { workflow: name, version, count } of this.#deps.archive.open()) {
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
    try {
      this.#arm(this.#seeTo(now) ? now + LOOK_AGAIN_MS : this.#nextDueAt(now));
    } catch (err) {
      this.#deps.log.error({ err }, 'what is due cannot be read');
      this.#arm(now + READ_AGAIN_MS);
    }
  }

  /** True if there may be more. */
  #seeTo(now: number): boolean {
    const { archive, executions } = this.#deps;
    const all = archive.due(now, BATCH + executions.damaged);
    const due = all.filter(({ id, isSettled }) => isSettled || !executions.isDamaged(id));
    const over = due.filter(({ isSettled }) => isSettled).map(({ id }) => id);
    for (const { id, isSettled } of due) if (!isSettled) this.#get(id)?.due();
    const excess = archive.excess(BATCH);
    this.#forget([...over, ...excess]);
    return due.length + excess.length > 0;
  }

  /** Those that are damaged stay due, and nothing is done about it. */
  #nextDueAt(now: number): number {
    const { archive, executions } = this.#deps;
    const next = archive.nextDueAt(executions.damaged > 0 ? now : undefined) ?? NEVER;
    return Math.max(next, now + 1);
  }

  /** One that cannot be read is no reason to leave the others alone. */
  #get(id: string): Execution | undefined {
    const { executions } = this.#deps;
    if (executions.isDamaged(id)) return undefined;
    try {
      return executions.get(id);
    } catch {
      return undefined; // it is named in the log
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
