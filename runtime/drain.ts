/**
 * How executions end when the runtime stops: what executes may finish for a while; what waits for people is
 * interrupted at once, because it cannot outlive this process without a durable store.
 */
import type { Clock } from './clock.ts';
import type { Execution } from './execution.ts';

/** Executions that are interrupted between two turns of the event loop. */
const BATCH = 1_000;

export interface DrainDeps {
  readonly clock: Clock;
  readonly graceMs: number;
  live(): readonly Execution[];
  liveCount(): number;
}

export class Drain {
  readonly #deps: DrainDeps;
  /** Called when there is no live execution left. */
  #onIdle: (() => void) | undefined;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Resolves when all have ended. Nothing new may be started meanwhile. */
  async run(): Promise<void> {
    const { clock, graceMs, live, liveCount } = this.#deps;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    for (const [index, execution] of live().entries()) {
      if (isAwaiting(execution)) this.interrupt(execution);
      if (index % BATCH === BATCH - 1) await new Promise(setImmediate);
    }
    if (liveCount() === 0) return;
    let timer: unknown;
    const timeout = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, graceMs);
    });
    await Promise.race([idle, timeout]);
    clock.clearTimeout(timer);
    for (const execution of live()) this.interrupt(execution);
  }

  /** An execution has settled. */
  settled(): void {
    if (this.#deps.liveCount() === 0) this.#onIdle?.();
  }

  interrupt(execution: Execution): void {
    execution.fail('interrupted', 'The server stopped before the execution had ended.', 'AbortError');
  }
}

/** It waits for a person. Who only sleeps may wake in time. */
export const isAwaiting = ({ phase, status }: Execution): boolean => phase === 'waiting' && status !== 'running';
