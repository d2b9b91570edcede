/**
 * Ends executions when the runtime stops. Running executions have some time to finish. Waiting and unfinished
 * executions stay for the next process with a durable store; otherwise they are interrupted.
 */
import type { Clock } from '../time/clock.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';

/** Number of executions that are handled between two turns of the event loop. */
const BATCH = 1_000;

export interface DrainDeps {
  readonly clock: Clock;
  readonly graceMs: number;
  readonly executions: Executions;
  readonly outlives: boolean;
}

export class Drain {
  readonly #deps: DrainDeps;
  /** Live executions that have not been left. */
  readonly #live = new Set<Execution>();
  /** Called when there are none. */
  #onIdle: (() => void) | undefined;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Resolves when all have ended or are left. No execution may start meanwhile. */
  async run(): Promise<void> {
    const { clock, graceMs, executions } = this.#deps;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const all = executions.all();
    for (const execution of all) if (!execution.isSettled) this.#live.add(execution);
    for (const [index, execution] of all.entries()) {
      this.told(execution);
      if (index % BATCH === BATCH - 1) await new Promise(setImmediate);
    }
    if (this.#live.size === 0) return;
    let timer: unknown;
    const timeout = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, graceMs);
    });
    await Promise.race([idle, timeout]);
    clock.clearTimeout(timer);
    for (const execution of [...this.#live]) this.#end(execution);
  }

  /** A fact of an execution was published. */
  told(execution: Execution): void {
    if (!this.#live.has(execution)) return;
    if (execution.isSettled) this.#done(execution);
    else if (
      execution.isElsewhere ||
      isAwaiting(execution) ||
      (execution.phase === 'waiting' && this.#outlives(execution))
    )
      this.#end(execution);
  }

  #end(execution: Execution): void {
    if (execution.isElsewhere || this.#outlives(execution)) {
      execution.dismiss();
      this.#done(execution);
    } else {
      execution.interrupt(STOPPED);
    }
  }

  #outlives({ origin }: Execution): boolean {
    return this.#deps.outlives && origin.recover === 'replay';
  }

  #done(execution: Execution): void {
    this.#live.delete(execution);
    if (this.#live.size === 0) this.#onIdle?.();
  }
}

export const STOPPED = 'The server stopped before the execution had ended.';

/** It waits for a person. A sleeping execution may resume in time, if it could not do so in another process. */
const isAwaiting = ({ phase, status }: Execution): boolean => phase === 'waiting' && status !== 'running';
