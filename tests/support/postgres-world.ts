/** A runtime that keeps its executions in PostgreSQL; processes one after the other, while time goes on. */
import type { TestContext } from 'node:test';
import { createRuntime, type RuntimeSetup, type Workflow } from '../../runtime/index.ts';
import type { PostgresStore } from '../../runtime/store/postgres/store.ts';
import { turns } from './given.ts';
import { openPostgres, postgres } from './postgres.ts';
import { RestartableWorld } from './restartable-world.ts';

type Setup = Omit<RuntimeSetup, 'workflows' | 'store' | 'clock'>;

export class PostgresWorld extends RestartableWorld {
  readonly url: string;
  store!: PostgresStore;
  readonly #setup: Setup;

  private constructor(url: string, setup: Setup) {
    super();
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

  /** Resolves when everything has happened that can without time: earlier reads and writes are over when these are. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      this.clock.advance(0); // a look that was late is followed by the next one
      await turns(10);
      await Promise.all([this.store.forget('unknown'), this.store.named('unknown')]).catch(() => {});
    }
  }
}
