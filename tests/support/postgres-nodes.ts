/** Several processes on one database. Their leases last until the test ends them, and their clock is the clock of the test. */
import type { TestContext } from 'node:test';
import { createRuntime, type Runtime, type RuntimeSetup } from '../../runtime/index.ts';
import type { Told } from '../../runtime/store/postgres/beats.ts';
import type { PostgresStore, PostgresStoreOptions } from '../../runtime/store/postgres/store.ts';
import { turns } from './given.ts';
import { openPostgres, postgres } from './postgres.ts';
import { SimulatedClock } from './simulated-clock.ts';

export interface NodeOfTest {
  readonly store: PostgresStore;
  readonly runtime: Runtime;
  /** What the thread of its lease tells. */
  told(what: Told): void;
}

export class PostgresNodes {
  readonly url: string;
  readonly clock = new SimulatedClock();
  readonly #nodes: NodeOfTest[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  static async open(t: TestContext): Promise<PostgresNodes> {
    const nodes = new PostgresNodes(await (await postgres()).database());
    t.after(() => nodes.#stop());
    return nodes;
  }

  async add(
    setup: Omit<RuntimeSetup, 'store' | 'clock'>,
    options: Partial<PostgresStoreOptions> = {},
  ): Promise<NodeOfTest> {
    let told: (what: Told) => void = () => {};
    const store = await openPostgres(options.url ?? this.url, {
      beat: (beating) => {
        told = (what) => beating.told(what);
        return { begun: Promise.resolve(), close: async () => {} };
      },
      ...options,
    });
    const runtime = await createRuntime({ random: () => 0.5, ...setup, store, clock: this.clock });
    const node = { store, runtime, told: (what: Told) => told(what) };
    this.#nodes.push(node);
    await this.quiet();
    return node;
  }

  sql(text: string): Promise<Record<string, unknown>[]> {
    return postgres().then((server) => server.sql(text, this.url));
  }

  /** For the others, that node is dead from now on. It goes on. */
  async expire({ store }: NodeOfTest): Promise<void> {
    await this.sql(`UPDATE fermata.nodes SET expires_at = '-infinity' WHERE id = '${store.cluster.id}'`);
  }

  /** Resolves when everything has happened that can without time. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      this.clock.advance(0);
      await turns(10);
      for (const { store } of this.#nodes)
        await Promise.all([store.forget('unknown'), store.named('unknown'), store.cluster.owns('unknown')]).catch(
          () => {},
        );
    }
  }

  /** Hints need real time. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await holds()); await this.quiet())
      if (Date.now() > deadline) throw new Error('it never held');
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.quiet();
  }

  async #stop(): Promise<void> {
    const stopped = this.#nodes.map(({ runtime }) => runtime.stop());
    this.clock.advance(60_000);
    await Promise.all(stopped);
  }
}
