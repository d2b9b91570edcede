/** Several processes on one database, each with a connection that a test can break. */
import type { TestContext } from 'node:test';
import type { ExecutionView, Runtime, RuntimeSetup, Workflow } from '../../runtime/index.ts';
import { alice, turns } from './given.ts';
import { engineOf } from './in-process.ts';
import { type NodeOfTest, PostgresNodes } from './postgres-nodes.ts';
import { PostgresProxy } from './postgres-proxy.ts';
import { type StartOptions, start } from './start.ts';

type Setup = Omit<RuntimeSetup, 'workflows' | 'store' | 'clock'>;

export class ClusterNode {
  readonly node: NodeOfTest;
  readonly proxy: PostgresProxy;

  constructor(node: NodeOfTest, proxy: PostgresProxy) {
    this.node = node;
    this.proxy = proxy;
  }

  get runtime(): Runtime {
    return this.node.runtime;
  }

  async get(id: string): Promise<ExecutionView> {
    return (await this.runtime.get(id, alice))!;
  }

  isInMemory(id: string): boolean {
    return engineOf(this.runtime).executions.inMemory(id) !== undefined;
  }
}

export class ClusterWorld {
  readonly nodes: ClusterNode[] = [];
  readonly #test: TestContext;
  readonly #nodes: PostgresNodes;
  readonly #losesHints: boolean;

  private constructor(t: TestContext, nodes: PostgresNodes, losesHints: boolean) {
    this.#test = t;
    this.#nodes = nodes;
    this.#losesHints = losesHints;
  }

  /** `losesHints`: no process gets a hint of another one. */
  static async open(
    t: TestContext,
    count: number,
    workflows: readonly Workflow[],
    { losesHints = false, ...setup }: Setup & { readonly losesHints?: boolean } = {},
  ): Promise<ClusterWorld> {
    const world = new ClusterWorld(t, await PostgresNodes.open(t), losesHints);
    for (let node = 0; node < count; node += 1) await world.#join(workflows, setup);
    return world;
  }

  async #join(workflows: readonly Workflow[], setup: Setup): Promise<void> {
    const proxy = await PostgresProxy.open(this.#test);
    proxy.losesHints = this.#losesHints;
    const node = await this.#nodes.add({ ...setup, workflows }, { url: proxy.url(this.#nodes.url), connectMs: 1_500 });
    this.nodes.push(new ClusterNode(node, proxy));
  }

  async start({ runtime }: ClusterNode, options: StartOptions): Promise<ExecutionView> {
    return (await start(runtime, options)).execution;
  }

  /** It cannot reach the database. */
  cutOff({ proxy }: ClusterNode): void {
    proxy.isClosed = true;
    proxy.cut();
  }

  /** The others take it for dead. */
  expire({ node }: ClusterNode): Promise<void> {
    return this.#nodes.expire(node);
  }

  /** The process ends without a shutdown: what it has not written is lost. */
  async kill(node: ClusterNode): Promise<void> {
    this.cutOff(node);
    const engine = engineOf(node.runtime);
    for (const execution of engine.executions.all()) execution.leave();
    engine.wheel.stop();
    await this.expire(node);
  }

  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.#nodes.sql(text);
  }

  pass(ms: number): Promise<void> {
    return this.#nodes.pass(ms);
  }

  /** Resolves when something holds. Connections need real time. `ms`: time of the runtimes that passes meanwhile, again and again. */
  async until(holds: () => boolean | Promise<boolean>, what: string, ms = this.#losesHints ? 200 : 0): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await holds()); await turns(2)) {
      if (Date.now() > deadline) throw new Error(`it never came: ${what}`);
      if (ms > 0) await this.pass(ms);
    }
  }
}
