/** Settled executions, oldest first. They are kept for a time, and only so many: one timer, for the oldest. */
import type { Execution } from './execution.ts';
import type { TimingWheel, WheelTimer } from './timing-wheel.ts';

export interface RetentionDeps {
  readonly wheel: TimingWheel;
  readonly retentionMs: number;
  readonly maxSettled: number;
  readonly now: () => number;
}

export class Retention {
  readonly #deps: RetentionDeps;
  readonly #settled = new Set<Execution>();
  #timer: WheelTimer | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#settled.size;
  }

  add(execution: Execution): void {
    this.#settled.add(execution);
    if (this.#settled.size > this.#deps.maxSettled) this.expire(this.#oldest!);
    else if (this.#timer === undefined) this.#arm();
  }

  get #oldest(): Execution | undefined {
    return this.#settled.values().next().value;
  }

  /** Before its time, if need be. */
  expire(execution: Execution): void {
    this.#settled.delete(execution);
    execution.offer({ type: 'retention.elapsed' });
  }

  #arm(): void {
    const oldest = this.#oldest;
    this.#timer = oldest && this.#deps.wheel.schedule(this.#dueAt(oldest), this.#onDue);
  }

  #dueAt({ context: { settledAt } }: Execution): number {
    return settledAt! + this.#deps.retentionMs;
  }

  #onDue = (): void => {
    const now = this.#deps.now();
    for (const execution of this.#settled) {
      if (this.#dueAt(execution) > now) break;
      this.expire(execution);
    }
    this.#arm();
  };
}
