import { readInput, type Workflow } from '../authoring/workflow.ts';
import type { BuilderLease } from '../builders/view.ts';
import { Failure } from '../errors.ts';
import { noRequest } from '../journal/start-request.ts';
import type { Runtime } from '../runtime.ts';
import { PerUserBuilderInfo } from './per-user-builder-info.ts';
import { type RunMetadata, RunTrace } from './run-metadata.ts';
import { answerWith, type Callbacks } from './session-callbacks.ts';
import { SessionRun } from './session-run.ts';

/** `metadataFromHttpRequest` and `metadataFromWebSocket` make the part that comes from a request. */
export interface SessionRequest extends Callbacks, Partial<RunMetadata> {
  /** Used unchanged, as the owner of the runs. `userInfoOf(credential).userId` makes it from a credential. */
  readonly userId?: string | undefined;
}

export interface RunOptions {
  /** The step of another workflow that is the parent of this run in traces. Default: that of the session's request. */
  readonly parentId?: string | undefined;
  readonly parentName?: string | undefined;
  /** The value of `ctx.streaming`. Default: true for a workflow that only streams. */
  readonly streaming?: boolean;
  /** Whether prompts are possible: through the session's callbacks, or through the runtime. Default true. */
  readonly interactive?: boolean;
}

/** The `SessionManager` of the session. */
export interface SessionOwner {
  readonly runtime: Runtime;
  /** Throws `draining`. */
  refuseIfShutDown(): void;
}

/**
 * The claim of one request on the builder of its user, or on the shared one. Runs of the session share the claim, so
 * the builder stays while the session is open or one of its runs is live. Each run has its own slot.
 *
 * The session counts as one request at the end of all that. It counts as failed if a run was refused or did not
 * complete, for any reason including cancellation, or if it was closed as failed.
 */
export class Session<Output = unknown> implements AsyncDisposable {
  readonly sessionManager: SessionOwner;
  readonly #runtime: Runtime;
  readonly #workflow: Workflow<unknown, Output>;
  readonly #lease: BuilderLease;
  readonly #request: SessionRequest;
  #isOpen = true;
  #hasFailed = false;

  /** Made by `SessionManager.session()`. */
  constructor(
    sessionManager: SessionOwner,
    workflow: Workflow<unknown, Output>,
    lease: BuilderLease,
    request: SessionRequest,
  ) {
    this.sessionManager = sessionManager;
    this.#runtime = sessionManager.runtime;
    this.#workflow = workflow;
    this.#lease = lease;
    this.#request = request;
  }

  /** May be present for a shared workflow too. */
  get userId(): string | undefined {
    return this.#request.userId;
  }

  get workflow(): Workflow<unknown, Output> {
    return this.#workflow;
  }

  get builder(): PerUserBuilderInfo {
    return new PerUserBuilderInfo(this.#lease.builder, this.#workflow);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Starts a run, which waits for a slot by itself. Rejects with `input_invalid`, `session_closed`, `queue_full` and,
   * once the manager or the runtime is shutting down, `draining`.
   */
  async run(input: unknown, options: RunOptions = {}): Promise<SessionRun<Output>> {
    try {
      return await this.#run(input, options);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  async #run(input: unknown, options: RunOptions): Promise<SessionRun<Output>> {
    const read = { value: await readInput(this.#workflow, input) };
    if (!this.#isOpen) throw new Failure('session_closed');
    this.sessionManager.refuseIfShutDown();
    const { userId, conversationId, userMessageId, request = noRequest, trace = {} } = this.#request;
    const { parentId = trace.parentId, parentName = trace.parentName } = options;
    const { streaming = this.#workflow.streamOnly, interactive = true } = options;
    const by = { userId };
    const started = {
      workflow: this.#workflow.name,
      by,
      input,
      read,
      conversationId,
      userMessageId,
      request,
      trace: new RunTrace({ ...trace, parentId, parentName }),
      interactive,
      streaming,
    };
    const { execution } = await this.#runtime.start(started, this.#lease);
    answerWith(this.#request, this.#runtime, execution, by);
    return new SessionRun(this.#runtime, execution, by);
  }

  /** Accepts no more runs; present runs continue. A second call has no effect. */
  async close({ success = true }: { success?: boolean } = {}): Promise<void> {
    this.#isOpen = false;
    this.#lease.end(success && !this.#hasFailed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
