/** NAT's `SessionManager`: the sessions of one workflow, over a runtime of its own or one that serves other things too. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isWorkflow, type Workflow } from '../authoring/workflow.ts';
import type { BuilderPool, BuilderView } from '../builders/view.ts';
import type { RuntimeSetup } from '../engine.ts';
import { Failure } from '../errors.ts';
import { createRuntime } from '../local-runtime.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Runtime } from '../runtime.ts';
import { PerUserBuilderInfo } from './per-user-builder-info.ts';
import { type RunOptions, Session, type SessionRequest } from './session.ts';
import type { SessionRun } from './session-run.ts';

export interface SessionManagerSetup<Output> extends Omit<RuntimeSetup, 'workflows'> {
  readonly workflow: Workflow<unknown, Output>;
  /** As the option of the runtime, before which it comes: runs that execute at once per builder. Default 8; 0: no limit. */
  readonly maxConcurrency?: number;
}

export class SessionManager<Output = unknown> implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly #builders: BuilderPool;
  readonly #workflow: Workflow<unknown, Output>;
  #ownsRuntime = false;
  #isShutDown = false;

  /** A manager with a runtime of its own. Rejects with `options_invalid`, or with what the build of a shared workflow threw. */
  static async create<Output>(setup: SessionManagerSetup<Output>): Promise<SessionManager<Output>> {
    const { workflow, maxConcurrency, options, ...given } = setup;
    if (!isWorkflow(workflow))
      throw new Failure('options_invalid', { detail: 'workflow: expected what workflow() gives' });
    const concurrency = maxConcurrency === undefined ? {} : { maxConcurrency };
    const runtime = await createRuntime({
      ...given,
      workflows: [workflow],
      options: { ...options, ...concurrency },
    });
    const manager = new SessionManager(runtime, workflow);
    manager.#ownsRuntime = true;
    return manager;
  }

  /** A manager over a runtime that serves the workflow. Throws `workflow_not_found` if it does not. */
  constructor(runtime: Runtime, workflow: Workflow<unknown, Output>) {
    this.runtime = runtime;
    this.#builders = runtime.builders(workflow.name);
    this.#workflow = workflow;
  }

  get options(): ResolvedOptions {
    return this.runtime.options;
  }

  /** The shared workflow. Throws `identity_required` for a per-user one. */
  get workflow(): Workflow<unknown, Output> {
    if (!this.isWorkflowPerUser) return this.#workflow;
    const detail = 'Workflow is per-user. Access workflow through session.workflow instead.';
    throw new Failure('identity_required', { detail });
  }

  get isWorkflowPerUser(): boolean {
    return this.#workflow.isPerUser;
  }

  /** Undefined for a per-user workflow, which shares nothing. */
  get sharedBuilder(): PerUserBuilderInfo | undefined {
    const builder = this.#builders.get(null);
    return builder && this.#info(builder);
  }

  /** The builders there are, by user id, idle ones included. Empty for a shared workflow. */
  get perUserBuilders(): ReadonlyMap<string, PerUserBuilderInfo> {
    const infos = new Map<string, PerUserBuilderInfo>();
    for (const builder of this.#builders.list())
      if (builder.user !== null) infos.set(builder.user, this.#info(builder));
    return infos;
  }

  /** What `run` takes; undefined: anything. `jsonSchemaOf` makes JSON Schema of it. */
  getWorkflowInputSchema(): StandardSchemaV1 | undefined {
    return this.#workflow.input;
  }

  /** What a run results in; undefined: anything, or nothing because the workflow only streams. */
  getWorkflowSingleOutputSchema(): StandardSchemaV1 | undefined {
    return this.#workflow.streamOnly ? undefined : this.#workflow.output;
  }

  /** What a run emits: always undefined, because what is emitted may be any JSON and workflows do not declare it. */
  getWorkflowStreamingOutputSchema(): StandardSchemaV1 | undefined {
    return undefined;
  }

  /**
   * Opens a session, once its builder is ready. Rejects with `identity_required` for a per-user workflow without a user,
   * `build_failed`, `queue_full` if no more users fit, and `draining` after `shutdown()`.
   */
  async session(request: SessionRequest = {}): Promise<Session<Output>> {
    this.refuseIfShutDown();
    const lease = this.#builders.lease(request.userId);
    try {
      await lease.ready();
      this.refuseIfShutDown();
    } catch (error) {
      lease.cancel();
      throw error;
    }
    return new Session(this, this.#workflow, lease, request);
  }

  /** A run in a session of its own. For shared workflows only: throws `identity_required` for a per-user one. */
  async run(input: unknown, options: RunOptions & SessionRequest = {}): Promise<SessionRun<Output>> {
    if (this.isWorkflowPerUser) {
      const detail =
        'Cannot use SessionManager.run() with per-user workflows. ' +
        "Use 'await using session = await manager.session({ userId })' then 'session.run()' instead.";
      throw new Failure('identity_required', { detail });
    }
    const session = await this.session(options);
    try {
      return await session.run(input, options);
    } finally {
      await session.close();
    }
  }

  /**
   * Disposes the builders that nobody has used for so long, and resolves to their number. Needed only to be ahead of
   * time: each builder expires by itself, `builderIdleMs` after its last use, which is the default here too.
   */
  cleanupInactive(idleMs: number = this.options.builderIdleMs): Promise<number> {
    return this.isWorkflowPerUser ? this.#builders.disposeIdle(idleMs) : Promise.resolve(0);
  }

  /**
   * Opens no more sessions, and starts no more runs in those that are open. A manager made by `create` stops its runtime
   * too: what executes may finish for `stopTimeoutMs`, what waits is interrupted, then all builders are disposed.
   * Otherwise runs and builders stay until their runtime stops. Twice is harmless.
   */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    if (this.#ownsRuntime) await this.runtime.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Throws `draining`. */
  refuseIfShutDown(): void {
    if (this.#isShutDown || !this.runtime.isAccepting) throw new Failure('draining');
  }

  #info(builder: BuilderView): PerUserBuilderInfo {
    return new PerUserBuilderInfo(builder, this.#workflow);
  }
}
