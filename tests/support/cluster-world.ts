/** Several runtimes on one database in PostgreSQL, as several servers have them, with one clock for all. */
import type { TestContext } from 'node:test';
import {
  createRuntime,
  type ExecutionView,
  type Runtime,
  type RuntimeSetup,
  type Workflow,
} from '../../runtime/index.ts';
import type { PostgresStore, PostgresStoreOptions } from '../../runtime/store/postgres/store.ts';
import { alice, turns } from './given.ts';
import { engineOf } from './in-process.ts';
import { openPostgres, postgres } from './postgres.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { type StartOptions, start } from './start.ts';

type Setup = Omit<RuntimeSetup, 'workflows' | 'store' | 'clock'>;

export class ClusterNode {
  readonly runtime: Runtime;
  readonly store: PostgresStore;
  isOver = false;

  constructor(runtime: Runtime, store: PostgresStore) {
    this.runtime = runtime;
    this.store = store;
  }

  async get(id: string): Promise<ExecutionView> {
    return (await this.runtime.get(id, alice))!;
  }

  isInMemory(id: string): boolean {
    return engineOf(this.runtime).executions.inMemory(id) !== undefined;
  }
}

export class ClusterWorld {
  readonly url: string;
  readonly clock = new SimulatedClock();
  readonly nodes: ClusterNode[] = [];
  readonly #setup: Setup;
  readonly #workflows: readonly Workflow[];

  private constructor(url: string, workflows: readonly Workflow[], setup: Setup) {
    this.url = url;
    this.#workflows = workflows;
    this.#setup = setup;
  }

  static async open(t: TestContext, count: number, workflows: readonly Workflow[], setup: Setup = {}) {
    const world = new ClusterWorld(await (await postgres()).database(), workflows, setup);
    for (let node = 0; node < count; node += 1) await world.join();
    t.after(() => world.end());
    return world;
  }

  /** Another process begins. */
  async join(options: Partial<PostgresStoreOptions> = {}): Promise<ClusterNode> {
    const store = await openPostgres(this.url, options);
    const runtime = await createRuntime({ ...this.#setup, workflows: this.#workflows, store, clock: this.clock });
    const node = new ClusterNode(runtime, store);
    this.nodes.push(node);
    return node;
  }

  async start(node: ClusterNode, options: StartOptions): Promise<ExecutionView> {
    return (await start(node.runtime, options)).execution;
  }

  /** The process ends without a shutdown: what it did not write is lost. */
  async kill(node: ClusterNode): Promise<void> {
    node.isOver = true;
    const engine = engineOf(node.runtime);
    for (const execution of engine.executions.all()) execution.leave();
    engine.wheel.stop();
    await node.store.close();
  }

  /** Resolves when something holds. Connections need real time, and the simulated clock goes on only if it is said. */
  async until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await holds()); await turns(2)) {
      if (Date.now() > deadline) throw new Error(`it never came: ${what}`);
    }
  }

  async end(): Promise<void> {
    for (const node of this.nodes.filter(({ isOver }) => !isOver)) {
      const stopped = node.runtime.stop();
      this.clock.advance(node.runtime.options.stopTimeoutMs);
      await stopped;
    }
  }
}
