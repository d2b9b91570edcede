/**
 * Looks after executions that a store keeps beyond the process: finds those that have lost it, wakes those for whom
 * something is due, lets those leave memory that have nothing to do there, and forgets those whose time is over.
 */
import type { Log } from './context.ts';
import { STOPPED } from './drain.ts';
import { NEVER } from './due.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';
import type { Archive } from './store/archive.ts';
import type { TimingWheel, WheelTimer } from './timing-wheel.ts';
import type { Workflow } from './workflow.ts';

/** Settled executions that stay in memory, for those who ask soon after the end. */
const SETTLED_IN_MEMORY = 1_000;
/** Executions that are looked at between two turns of the event loop. */
const BATCH = 200;
/** What was seen to is out of the way when it is kept, and not before. */
const LOOK_AGAIN_MS = 100;

export interface ArchivistDeps {
  readonly archive: Archive;
  readonly executions: Executions;
  readonly wheel: TimingWheel;
  readonly now: () => number;
  readonly maxRecoveries: number;
  readonly log: Log;
  workflow(name: string): Workflow | undefined;
  /** Drops the records of executions that are not in memory. */
  forget(executionIds: readonly string[]): void;
  recoveriesOf(execution: Execution): number;
}

export class Archivist {
  readonly #deps: ArchivistDeps;
  readonly #settled: Execution[] = [];
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  #isStopped = false;

  constructor(deps: ArchivistDeps) {
    this.#deps = deps;
  }

  /** Goes on with what another process has left. */
  start(): void {
    this.#report();
    this.#recover(this.#deps.archive.unfinished(), 0);
    this.#arm(0);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
  }

  /** It has settled, or has come into memory and is. */
  add(execution: Execution): void {
    this.#settled.push(execution);
    this.note(execution.context.settledAt! + execution.retentionMs);
    if (this.#settled.length <= SETTLED_IN_MEMORY) return;
    const oldest = this.#settled.shift()!;
    if (this.#deps.executions.inMemory(oldest.id) === oldest) this.#deps.executions.remove(oldest);
  }

  /** Ends the retention of a settled execution. */
  expire(execution: Execution): void {
    execution.mention({ type: 'retention.elapsed' });
  }

  /** Something will be due that nobody in memory sees to. */
  note(dueAt: number): void {
    if (dueAt < this.#timerDueAt) this.#arm(dueAt);
  }

  #recover(ids: readonly string[], from: number): void {
    if (this.#isStopped) return;
    const until = Math.min(ids.length, from + BATCH);
    for (let index = from; index < until; index += 1) {
      const execution = this.#deps.executions.get(ids[index]!);
      if (execution !== undefined && !execution.isSettled) this.#recoverOne(execution);
    }
    if (until < ids.length) setImmediate(() => this.#recover(ids, until));
  }

  #recoverOne(execution: Execution): void {
    if (execution.driver !== undefined) return;
    const { maxRecoveries, recoveriesOf, workflow } = this.#deps;
    if (execution.origin.recover === 'fail') execution.interrupt(STOPPED);
    else if (recoveriesOf(execution) >= maxRecoveries)
      execution.interrupt(`The execution was executed ${maxRecoveries} times again, and never got any further.`);
    else if (workflow(execution.context.workflow) !== undefined) execution.recover();
  }

  /** What operators should know before they wonder. */
  #report(): void {
    for (const { workflow: name, version, count } of this.#deps.archive.open()) {
      const served = this.#deps.workflow(name);
      if (served === undefined) {
        this.#deps.log.warn({ workflow: name, open: count }, 'open executions of a workflow that is not served wait');
      } else if (served.version !== version) {
        const versions = { startedWith: version, now: served.version };
        this.#deps.log.warn({ workflow: name, open: count, ...versions }, 'open executions of another version go on');
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
    const { archive, executions } = this.#deps;
    const now = this.#deps.now();
    const due = archive.due(now, BATCH);
    const over = due.filter(({ isSettled }) => isSettled).map(({ id }) => id);
    for (const { id, isSettled } of due) if (!isSettled) executions.get(id)?.due();
    const excess = archive.excess(BATCH);
    this.#forget([...over, ...excess]);
    const isMore = due.length + excess.length > 0;
    this.#arm(isMore ? now + LOOK_AGAIN_MS : Math.max(archive.nextDueAt() ?? NEVER, now + 1));
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
