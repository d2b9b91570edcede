import { readInput, type Workflow } from '../authoring/workflow.ts';
import type { BuilderLease } from '../builders/view.ts';
import { Failure } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { PerUserBuilderInfo } from './per-user-builder-info.ts';
import { noRequest, type RunMetadata, RunTrace } from './run-metadata.ts';
import { answerWith, type Callbacks } from './session-callbacks.ts';
import { SessionRun } from './session-run.ts';

/** `metadataFromHttpRequest` and `metadataFromWebSocket` make the part that came with a request. */
export interface SessionRequest extends Callbacks, Partial<RunMetadata> {
  /** Taken as it is, and owner of the runs. `userInfoOf(credential).userId` makes it from a credential. */
  readonly userId?: string | undefined;
}

export interface RunOptions {
  /** The step of another workflow under which this run stands in traces. Default: what the session's request said. */
  readonly parentId?: string | undefined;
  readonly parentName?: string | undefined;
  /** What `ctx.streaming` says. Default: true for a workflow that only streams. */
  readonly streaming?: boolean;
  /** Whether people can be asked: by the session's callbacks, or through the runtime. Default true. */
  readonly interactive?: boolean;
}

/** The `SessionManager` that has made a session. */
export interface SessionOwner {
  readonly runtime: Runtime;
  /** Throws `draining`. */
  refuseIfShutDown(): void;
}

/**
 * One request's claim on the builder of its user, or on the shared one. Runs of the session share the claim, so the
 * builder stays as long as the session is open or one of its runs lives; each run has its own slot.
 *
 * The session is counted as one request when all of that is over: as an error if one of its runs was refused or did not
 * complete, for whatever reason, cancelled included, or if it was closed as failed.
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

  /** May be there for a shared workflow too. */
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
   * Starts a run; it waits for a slot by itself. Rejects with `input_invalid`, `session_closed`, `queue_full` and, once
   * the manager or the runtime is shutting down, `draining`.
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

  /** No more runs; those under way go on. Closing twice is harmless. */
  async close({ success = true }: { success?: boolean } = {}): Promise<void> {
    this.#isOpen = false;
    this.#lease.end(success && !this.#hasFailed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
