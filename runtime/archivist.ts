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
  readonly #settled: Execution[] = [];
  #timer: WheelTimer | undefined;
  #timerDueAt = NEVER;
  /** Ids of those whose journal cannot be read. */
  readonly #damaged = new Set<string>();
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
    if (this.#deps.executions.inMemory(oldest.id) === oldest) this.#deps.leave(oldest);
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
      const execution = this.#get(ids[index]!);
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
    else if (execution.context.blocked !== null) void this.#deps.retry(execution);
    else if (workflow(execution.context.workflow) !== undefined) execution.recover();
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
    const { archive } = this.#deps;
    const now = this.#deps.now();
    const due = archive.due(now, BATCH);
    const over = due.filter(({ isSettled }) => isSettled).map(({ id }) => id);
    for (const { id, isSettled } of due) if (!isSettled) this.#get(id)?.due();
    const excess = archive.excess(BATCH);
    this.#forget([...over, ...excess]);
    const isMore = due.length + excess.length > 0;
    this.#arm(isMore ? now + LOOK_AGAIN_MS : Math.max(archive.nextDueAt() ?? NEVER, now + 1));
  }

  /** One that cannot be read is no reason to leave the others alone. */
  #get(id: string): Execution | undefined {
    if (this.#damaged.has(id)) return undefined;
    try {
      return this.#deps.executions.get(id);
    } catch (err) {
      this.#damaged.add(id);
      this.#deps.log.error({ executionId: id, err }, 'an execution cannot be read');
      return undefined;
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
