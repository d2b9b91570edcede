/** What worlds have in common whose process ends and is followed by another one on the same store. */
import type { Runtime, Workflow } from '../../runtime/index.ts';
import { engineOf } from './in-process.ts';
import { SimulatedClock } from './simulated-clock.ts';

export abstract class RestartableWorld {
  readonly clock = new SimulatedClock();
  runtime!: Runtime;
  abstract readonly store: { close(): Promise<void> };

  /** Begins a process that serves these workflows. */
  abstract open(...workflows: Workflow[]): Promise<void>;
  /** Resolves when everything has happened that can without time. */
  abstract quiet(): Promise<void>;

  /** Shuts the process down. */
  async stop(): Promise<void> {
    const stopped = this.runtime.stop();
    this.clock.advance(this.runtime.options.stopTimeoutMs);
    await stopped;
  }

  /** Ends the process without a shutdown. What is not in the store is lost. Further calls of the lost runs have no effect. */
  async crash(): Promise<void> {
    const engine = engineOf(this.runtime);
    for (const execution of engine.executions.all()) execution.leave();
    engine.wheel.stop();
    await this.store.close();
  }

  async reopen(...workflows: Workflow[]): Promise<void> {
    await this.stop();
    await this.open(...workflows);
  }

  async crashAndReopen(...workflows: Workflow[]): Promise<void> {
    await this.crash();
    await this.open(...workflows);
  }

  /** Lets time pass, and everything happen that follows. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.quiet();
  }
}
