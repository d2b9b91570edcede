/**
 * NAT's `SessionManager`: the sessions of one workflow, over its own runtime or a given one that serves other workflows
 * too.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isWorkflow, type Workflow } from '../authoring/workflow.ts';
import type { BuilderPool, BuilderView } from '../builders/view.ts';
import { Failure } from '../errors.ts';
import { createRuntime } from '../local-runtime.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Runtime } from '../runtime.ts';
import type { RuntimeSetup } from '../setup.ts';
import { PerUserBuilderInfo } from './per-user-builder-info.ts';
import { type RunOptions, Session, type SessionRequest } from './session.ts';
import type { SessionRun } from './session-run.ts';

export interface SessionManagerSetup<Output> extends Omit<RuntimeSetup, 'workflows'> {
  readonly workflow: Workflow<unknown, Output>;
  /** Maximum number of concurrent runs per builder. Overrides the option of the runtime. Default 8; 0: no limit. */
  readonly maxConcurrency?: number;
}

export class SessionManager<Output = unknown> implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly #builders: BuilderPool;
  readonly #workflow: Workflow<unknown, Output>;
  #ownsRuntime = false;
  #isShutDown = false;

  /**
   * A manager with its own runtime. Rejects with `options_invalid`, or with the error of the build of a shared
   * workflow.
   */
  static async create<Output>(setup: SessionManagerSetup<Output>): Promise<SessionManager<Output>> {
    const { workflow, maxConcurrency, options, ...given } = setup;
    if (!isWorkflow(workflow))
      throw new Failure('options_invalid', { detail: 'workflow: expected the result of workflow()' });
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

  /** Undefined for a per-user workflow, which has no shared builder. */
  get sharedBuilder(): PerUserBuilderInfo | undefined {
    const builder = this.#builders.get(null);
    return builder && this.#info(builder);
  }

  /** All builders by user id, idle ones included. Empty for a shared workflow. */
  get perUserBuilders(): ReadonlyMap<string, PerUserBuilderInfo> {
    const infos = new Map<string, PerUserBuilderInfo>();
    for (const builder of this.#builders.list())
      if (builder.user !== null) infos.set(builder.user, this.#info(builder));
    return infos;
  }

  /** The schema of the input of `run`; undefined: anything. `jsonSchemaOf` converts it to JSON Schema. */
  getWorkflowInputSchema(): StandardSchemaV1 | undefined {
    return this.#workflow.input;
  }

  /** The schema of the result; undefined: anything, or nothing because the workflow only streams. */
  getWorkflowSingleOutputSchema(): StandardSchemaV1 | undefined {
    return this.#workflow.streamOnly ? undefined : this.#workflow.output;
  }

  /** The schema of emitted values: always undefined, because they may be any JSON and workflows do not declare them. */
  getWorkflowStreamingOutputSchema(): StandardSchemaV1 | undefined {
    return undefined;
  }

  /**
   * Opens a session, once its builder is ready. Rejects with `identity_required` for a per-user workflow without a
   * user, `build_failed`, `queue_full` at the limit of users, and `draining` after `shutdown()`.
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

  /** A run in its own session. For shared workflows only: throws `identity_required` for a per-user one. */
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
   * Disposes the builders that were idle this long, and resolves to their number. It is only needed to dispose them
   * early: each builder expires by itself, `builderIdleMs` after its last use, which is the default here too.
   */
  cleanupInactive(idleMs: number = this.options.builderIdleMs): Promise<number> {
    return this.isWorkflowPerUser ? this.#builders.disposeIdle(idleMs) : Promise.resolve(0);
  }

  /**
   * Opens no more sessions, and starts no more runs in open ones. A manager made by `create` also stops its runtime:
   * running executions have `stopTimeoutMs` to finish, waiting ones are interrupted, then all builders are disposed.
   * Otherwise runs and builders stay until their runtime stops. A second call has no effect.
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
