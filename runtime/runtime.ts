/**
 * The runtime: everything that a server, or a program of your own, may ask of executions.
 *
 * The caller that starts an execution owns it. For other callers it does not exist: they get what an unknown id gets. An
 * execution that was started without an identity belongs to every caller that knows its id. Operators may do what owners may.
 *
 * `tests/contracts/runtime.ts` checks these promises for every runtime and every store:
 *
 * R1  Reads give their value at once where it is at hand, and a promise where a store on another machine has to be asked.
 * R2  Callers see committed data only: a start, an answer, a cancellation, a fact that a subscriber gets.
 * R3  A view shows one execution for as long as the caller has it. Its facts come in order, each once.
 */
import type { Consent, Interaction } from '../machines/facts.ts';
import type { Response } from './authoring/prompts.ts';
import type { Workflow } from './authoring/workflow.ts';
import type { Awaitable } from './awaitable.ts';
import type { BuilderLease, BuilderPool } from './builders/view.ts';
import type { Driver, NewFact } from './executions/execution.ts';
import type { ExecutionView } from './executions/view.ts';
import type { ActorView } from './inspection/inspected.ts';
import type { Caller } from './journal/caller.ts';
import type { StartRequest } from './journal/start-request.ts';
import type { Begun, CallbackOutcome, OpenedConsent } from './oauth/oauth.ts';
import type { ResolvedOptions } from './options.ts';
import type { ClusterCounts, NodeView } from './store/cluster.ts';
import type { ListedView } from './store/outline.ts';
import type { ExecutionFilter } from './store/query.ts';
import type { JournalPage } from './store/store.ts';

export type AnswerOutcome = 'accepted' | 'already_answered' | 'not_open';

/** A prompt or a consent that waits for a person. */
export interface AwaitedPause {
  readonly executionId: string;
  readonly workflow: string;
  readonly pause: Interaction | Consent;
}

export interface ExecutionPage {
  /** Newest first. */
  readonly executions: readonly ListedView[];
  /** For `before`, to get the next page; undefined if there is none. */
  readonly next: string | undefined;
}

export interface WaitOptions {
  /** Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** The wait ends when this client disconnects. */
  readonly client?: { onGone(listener: () => void): void } | undefined;
}

export interface Runtime {
  readonly options: ResolvedOptions;
  /** Resolves when it serves. Rejects with the error of a shared workflow that could not be built. */
  readonly started: Promise<void>;
  /** Whether new work is taken: not before it serves, and not once it stops. */
  readonly isAccepting: boolean;
  /** The processes that share the store; undefined if this one has it for itself. Rejects with `store_unavailable`. */
  nodes(): Promise<readonly NodeView[]> | undefined;
  /** What this process has counted of that; undefined if it has the store for itself. */
  readonly clusterCounts: ClusterCounts | undefined;
  /** Epoch milliseconds. Facts of an earlier time were recorded by another process. */
  readonly startedAt: number;
  /** Timers under way: deadlines, waits, retention, idle builders. */
  readonly pendingTimers: number;
  /** In their newest versions. */
  readonly workflows: readonly Workflow[];
  /** The actors of this process. */
  readonly inspection: ActorView;
  /** The builders of all workflows, in all versions that are served, in this process. */
  readonly allBuilders: readonly BuilderPool[];
  /** The builders of a workflow, in its newest version. Throws `workflow_not_found`. */
  builders(workflow: string): BuilderPool;

  /** Epoch milliseconds, by the clock of the runtime. */
  now(): number;
  /** Calls `run` after so many milliseconds, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;

  /**
   * Starts an execution, whose start is committed then. Never throws, but rejects with `draining`, `queue_full`,
   * `identity_required`, `workflow_not_found`, `input_invalid`, `idempotency_key_reused`. `isNew` is false if a request
   * with the same name has started it before. `lease`: of a session, which the run shares.
   */
  start(request: StartRequest, lease?: BuilderLease): Awaitable<{ execution: ExecutionView; isNew: boolean }>;

  /** Undefined if there is none, or if the caller may not know of it. Throws `execution_damaged`. */
  get(executionId: string, by: Caller): Awaitable<ExecutionView | undefined>;
  /** The execution of a job id: a name that the caller chose, or the id of the execution. */
  job(jobId: string, by: Caller): Awaitable<ExecutionView | undefined>;
  /** The last turn of a conversation of the caller. */
  conversation(workflow: string, conversation: string, by: Caller): Awaitable<ExecutionView | undefined>;
  /** The executions of the caller; for an operator those of all owners. Throws, or rejects with, `identity_required` and `request_invalid`. */
  list(by: Caller, filter: ExecutionFilter): Awaitable<ExecutionPage>;
  /**
   * The prompts and consents that wait for the caller in all executions, the longest waiting first. Rejects with
   * `identity_required`.
   */
  inbox(by: Caller, limit: number): Promise<readonly AwaitedPause[]>;

  /** Facts above a number, as far back as the journal reaches. Operators also get the stack of a failure. */
  facts(executionId: string, after: number, by: Caller): Promise<JournalPage | undefined>;
  /**
   * The same for a caller that has the execution: the facts that its owner may see. Undefined after the record is
   * deleted.
   */
  journal(execution: ExecutionView, after: number): Awaitable<JournalPage | undefined>;
  /** The same with the stack of a failure: for operators. */
  wholeJournal(execution: ExecutionView, after: number): Awaitable<JournalPage | undefined>;

  /**
   * Waits until something holds of an execution; true at once if it does. Resolves to false after `timeoutMs`, when the
   * runtime stops, and when the client disconnects. Rejects with `store_unavailable` if other processes may take the execution,
   * because this one could not reach their database in time.
   */
  waitUntil(
    execution: ExecutionView,
    holds: (execution: ExecutionView) => boolean,
    options?: WaitOptions,
  ): Awaitable<boolean>;

  /**
   * Answers a prompt; resolves once the answer is committed. Rejects with `execution_not_found`, with `answer_invalid` if the
   * response does not fit the prompt, which then stays open, and with `idempotency_key_reused` if the key came with another
   * answer before.
   */
  answer(
    executionId: string,
    interactionId: string,
    response: Response,
    by: Caller,
    idempotencyKey?: string,
  ): Promise<AnswerOutcome>;
  /** Ends an execution as cancelled. Rejects with `execution_not_found` and `execution_settled`. */
  cancel(executionId: string, by: Caller): Promise<void>;
  /**
   * Retries a blocked execution, with the newest version of its workflow if its own is not served. Resolves once that
   * is committed. Rejects with `execution_not_found`, `execution_settled`, `execution_not_blocked`, and
   * `workflow_not_found` if no version is served.
   */
  retry(executionId: string, by: Caller): Promise<void>;

  /**
   * Asks a user for a consent before a run needs it; undefined if there is a token. Runs that ask meanwhile share it.
   * Rejects like `Context.authorize`, with a Failure. `name` identifies the waiter in the outcome of the callback.
   */
  askConsent(
    provider: string,
    request: { readonly userId: string; readonly name: string; readonly address: string },
  ): Promise<Begun | undefined>;
  /**
   * A user has followed the link of a consent (`RuntimeSetup.consentLink`). Resolves to undefined if the consent is not
   * pending, or is that of another user.
   */
  openConsent(state: string, by: Caller): Promise<OpenedConsent | undefined>;
  /**
   * A browser has returned from the provider; `proof` is that of `openConsent`. Resolves once every execution that waited for
   * the consent has committed it.
   */
  completeOAuth(url: URL, by: Caller, proof?: string): Promise<CallbackOutcome>;

  /**
   * An execution without a workflow: the driver does its work. Another process cannot execute it. Resolves once its
   * start is committed. Rejects with `draining`.
   */
  adopt(owner: string | null, drivenBy: (executionId: string) => Driver): Promise<ExecutionView>;
  /**
   * Offers a fact on behalf of the program itself: no caller is checked. False if the execution does not accept it now,
   * or does not exist; true once it is committed. Throws, or rejects with, `store_unavailable`.
   */
  offer(executionId: string, fact: NewFact): Awaitable<boolean>;
  /** Drops the record of an execution that has settled, before its retention is over. */
  expire(executionId: string): void;

  /**
   * Accepts no more work, gives running executions some time to finish, ends or leaves the others, and disposes every
   * builder.
   */
  stop(): Promise<void>;
}
