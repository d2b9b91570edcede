/** Settled executions, oldest first. They are kept for a time, and only so many: one timer, for the oldest. */
import type { Execution } from './execution.ts';
import type { TimingWheel, WheelTimer } from './timing-wheel.ts';

export interface RetentionDeps {
  readonly wheel: TimingWheel;
  readonly retentionMs: number;
  readonly maxSettled: number;
  readonly now: () => number;
}

/** Places left behind in the queue before it is copied together. */
const COMPACT_AT = 1_024;

export class Retention {
  readonly #deps: RetentionDeps;
  /** Those before `#head` are gone; some behind it may have been expired before their time. */
  #queue: (Execution | undefined)[] = [];
  #head = 0;
  #size = 0;
  #timer: WheelTimer | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** How many are kept. */
  get size(): number {
    return this.#size;
  }

  add(execution: Execution): void {
    this.#queue.push(execution);
    this.#size += 1;
    const oldest = this.#size > this.#deps.maxSettled ? this.#oldest() : undefined;
    if (oldest !== undefined) this.expire(oldest);
    if (this.#timer === undefined) this.#arm();
  }

  /** Before its time, if need be. */
  expire(execution: Execution): void {
    if (execution.offer({ type: 'retention.elapsed' })) this.#size -= 1;
  }

  #oldest(): Execution | undefined {
    for (; this.#queue[this.#head]?.status === 'idle-expiring'; this.#head += 1) this.#queue[this.#head] = undefined;
    if (this.#head > COMPACT_AT && this.#head > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return this.#queue[this.#head];
  }

  #arm(): void {
    const oldest = this.#oldest();
    this.#timer = oldest && this.#deps.wheel.schedule(this.#dueAt(oldest), () => this.#onDue());
  }

  #dueAt({ context: { settledAt } }: Execution): number {
    return settledAt! + this.#deps.retentionMs;
  }

  #onDue(): void {
    const now = this.#deps.now();
    for (let oldest = this.#oldest(); oldest && this.#dueAt(oldest) <= now; oldest = this.#oldest())
      this.expire(oldest);
    this.#arm();
  }
}
