/**
 * How executions end when the runtime stops: what executes may finish for a while. What waits for people, and what does not
 * finish, is left as it is for the next process, if the store outlives this one; otherwise it is interrupted.
 */
import type { Clock } from '../time/clock.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';

/** Executions that are seen to between two turns of the event loop. */
const BATCH = 1_000;

export interface DrainDeps {
  readonly clock: Clock;
  readonly graceMs: number;
  readonly executions: Executions;
  readonly outlives: boolean;
}

export class Drain {
  readonly #deps: DrainDeps;
  /** Those that are live and have not been left. */
  readonly #live = new Set<Execution>();
  /** Called when there are none of them. */
  #onIdle: (() => void) | undefined;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Resolves when all have ended, or are left. Nothing new may be started meanwhile. */
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

  /** Something has happened to an execution. */
  told(execution: Execution): void {
    if (!this.#live.has(execution)) return;
    if (execution.isSettled) this.#done(execution);
    else if (isAwaiting(execution) || (execution.phase === 'waiting' && this.#outlives(execution)))
      this.#end(execution);
  }

  #end(execution: Execution): void {
    if (this.#outlives(execution)) {
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

/** It waits for a person. Who only sleeps may wake in time, where it could not do so later. */
const isAwaiting = ({ phase, status }: Execution): boolean => phase === 'waiting' && status !== 'running';
