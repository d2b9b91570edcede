/** A runtime that keeps its executions in PostgreSQL; processes one after the other, while time goes on. */
import type { TestContext } from 'node:test';
import { createRuntime, type Runtime, type RuntimeSetup, type Workflow } from '../../runtime/index.ts';
import type { PostgresStore } from '../../runtime/store/postgres/store.ts';
import { turns } from './given.ts';
import { engineOf } from './in-process.ts';
import { openPostgres, postgres } from './postgres.ts';
import { SimulatedClock } from './simulated-clock.ts';

type Setup = Omit<RuntimeSetup, 'workflows' | 'store' | 'clock'>;

export class PostgresWorld {
  readonly url: string;
  readonly clock = new SimulatedClock();
  runtime!: Runtime;
  store!: PostgresStore;
  readonly #setup: Setup;

  private constructor(url: string, setup: Setup) {
    this.url = url;
    this.#setup = setup;
  }

  static async open(
    t: TestContext,
    workflows: readonly Workflow[],
    setup: Setup = {},
    url?: string,
  ): Promise<PostgresWorld> {
    const world = new PostgresWorld(url ?? (await (await postgres()).database()), setup);
    await world.open(...workflows);
    t.after(() => world.stop());
    return world;
  }

  async open(...workflows: Workflow[]): Promise<void> {
    this.store = await openPostgres(this.url);
    this.runtime = await createRuntime({ ...this.#setup, workflows, store: this.store, clock: this.clock });
    await this.quiet();
  }

  async stop(): Promise<void> {
    const stopped = this.runtime.stop();
    this.clock.advance(this.runtime.options.stopTimeoutMs);
    await stopped;
  }

  /** Further calls of the lost runs have no effect. */
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

  /** Resolves when everything has happened that can without time: earlier reads and writes are over when these are. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      await turns(10);
      await Promise.all([this.store.forget('unknown'), this.store.named('unknown')]).catch(() => {});
    }
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.quiet();
  }
}
