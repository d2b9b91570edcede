/**
 * Settled executions, oldest first. They are kept for a time, and up to a number. One timer for the oldest is enough,
 * because nearly all have the same retention; those with another retention have a timer each.
 */

import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import type { Execution } from './execution.ts';

export interface RetentionDeps {
  readonly wheel: TimingWheel;
  readonly retentionMs: number;
  readonly maxSettled: number;
  readonly now: () => number;
}

/** Number of removed places in the queue before it is compacted. */
const COMPACT_AT = 1_024;

export class Retention {
  readonly #deps: RetentionDeps;
  /** Places before `#head` are removed; some after it may have expired early. */
  #queue: (Execution | undefined)[] = [];
  #head = 0;
  /** Executions with their own retention, in the order in which they settled. */
  readonly #timed = new Map<Execution, WheelTimer>();
  #size = 0;
  #timer: WheelTimer | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  add(execution: Execution): void {
    this.#size += 1;
    if (execution.retentionMs === this.#deps.retentionMs) this.#queue.push(execution);
    else
      this.#timed.set(
        execution,
        this.#deps.wheel.schedule(dueAt(execution), () => this.expire(execution)),
      );
    const oldest = this.#size > this.#deps.maxSettled ? this.#oldest() : undefined;
    if (oldest !== undefined) this.expire(oldest);
    if (this.#timer === undefined) this.#arm();
  }

  /** Also before its time. */
  expire(execution: Execution): void {
    if (execution.offer({ type: 'retention.elapsed', at: 0, seq: undefined }) === false) return;
    this.#size -= 1;
    const timer = this.#timed.get(execution);
    if (timer === undefined) return;
    this.#deps.wheel.cancel(timer);
    this.#timed.delete(execution);
  }

  /** Expires the oldest one before its time. False: there is none. */
  makeRoom(): boolean {
    const oldest = this.#oldest();
    if (oldest !== undefined) this.expire(oldest);
    return oldest !== undefined;
  }

  #oldest(): Execution | undefined {
    const queued = this.#oldestQueued();
    const { value: timed } = this.#timed.keys().next();
    if (queued === undefined || timed === undefined) return queued ?? timed;
    return timed.context.settledAt! < queued.context.settledAt! ? timed : queued;
  }

  #oldestQueued(): Execution | undefined {
    for (; this.#queue[this.#head]?.isExpiring; this.#head += 1) this.#queue[this.#head] = undefined;
    if (this.#head > COMPACT_AT && this.#head > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return this.#queue[this.#head];
  }

  #arm(): void {
    const oldest = this.#oldestQueued();
    this.#timer = oldest && this.#deps.wheel.schedule(dueAt(oldest), () => this.#onDue());
  }

  #onDue(): void {
    const now = this.#deps.now();
    for (let oldest = this.#oldestQueued(); oldest && dueAt(oldest) <= now; oldest = this.#oldestQueued())
      this.expire(oldest);
    this.#arm();
  }
}

const dueAt = ({ context: { settledAt }, retentionMs }: Execution): number => settledAt! + retentionMs;
