/**
 * The runtime: everything that a server, or a program of your own, may ask of executions.
 *
 * Whoever starts an execution owns it. For everybody else it does not exist: they get what an unknown id gets. An
 * execution started by nobody in particular belongs to whoever knows its id. Operators may do what owners may.
 */
import { isDeepStrictEqual } from 'node:util';
import { publicError } from '../machines/execution.ts';
import { type Consent, type Interaction, isAwaited, type JournalEntry } from '../machines/facts.ts';
import { type Response, readAnswer } from './authoring/prompts.ts';
import type { Workflow } from './authoring/workflow.ts';
import type { Builders } from './builders/pool.ts';
import { Engine, type RuntimeSetup, type StartRequest } from './engine.ts';
import { Failure } from './errors.ts';
import type { Execution, NewFact } from './executions/execution.ts';
import type { ExecutionPage } from './executions/executions.ts';
import { Wait } from './executions/wait.ts';
import type { Inspection } from './inspection/inspection.ts';
import type { Caller } from './journal/caller.ts';
import type { RunRequest } from './journal/start-request.ts';
import type { Begun, CallbackOutcome } from './oauth/oauth.ts';
import type { ResolvedOptions } from './options.ts';
import type { ExecutionFilter } from './store/query.ts';
import type { JournalPage } from './store/store.ts';

/** What the browser that comes back from a provider tells an execution. */
type ConsentEnd = Extract<NewFact, { type: 'oauth.granted' | 'oauth.refused' }>;

export type AnswerOutcome = 'accepted' | 'already_answered' | 'not_open';

/** What waits for a person. */
export interface AwaitedPause {
  readonly executionId: string;
  readonly workflow: string;
  readonly pause: Interaction | Consent;
}

/** The part of an execution that callers see. */
export type ExecutionView = Pick<Execution, 'id' | 'context' | 'status' | 'isSettled' | 'watch' | 'retentionMs'>;

/** Builds what shared workflows need and starts serving. Rejects with what kept a shared workflow from being built. */
export const createRuntime = async (setup: RuntimeSetup): Promise<Runtime> => {
  const engine = new Engine(setup);
  await engine.started;
  return new Runtime(engine);
};

export class Runtime {
  /** For sessions and stores, which offer facts themselves; not for servers. @internal */
  readonly engine: Engine;

  /** @internal */
  constructor(engine: Engine) {
    this.engine = engine;
  }

  get options(): ResolvedOptions {
    return this.engine.options;
  }

  /** Whether new work is taken: not once it stops. */
  get isAccepting(): boolean {
    return this.engine.isAccepting;
  }

  /** The actors, for whoever looks at them from outside. */
  get inspection(): Inspection {
    return this.engine.inspection;
  }

  /** Timers under way: deadlines, waits, retention, idle builders. */
  get pendingTimers(): number {
    return this.engine.wheel.size;
  }

  /** Epoch milliseconds, by the clock that was given. */
  now(): number {
    return this.engine.clock.now();
  }

  /** When this process began with its executions. Facts of an earlier time are from another one. */
  get startedAt(): number {
    return this.engine.startedAt;
  }

  get workflows(): readonly Workflow[] {
    return this.engine.workflows;
  }

  /** The builders of all workflows, in all versions that are served: for operators. */
  get allBuilders(): readonly Builders[] {
    return this.engine.allBuilders;
  }

  /** The builders of a workflow, in its newest version: for whoever watches. Throws `workflow_not_found`. */
  builders(workflow: string): Builders {
    return this.engine.builders(workflow);
  }

  /**
   * Starts an execution; resolves once that is kept. Rejects with `draining`, `queue_full`, `identity_required`, `workflow_not_found`,
   * `idempotency_key_reused`. `isNew` is false if the idempotency key had started it before.
   */
  start(request: StartRequest): Promise<{ execution: ExecutionView; isNew: boolean }> {
    return this.engine.begin(request);
  }

  /** The execution, if there is one and the caller may know. */
  get(executionId: string, by: Caller): ExecutionView | undefined {
    return this.#owned(executionId, by);
  }

  /** The execution that a job id stands for, be it of the caller's choice or the execution's own. */
  job(jobId: string, by: Caller): ExecutionView | undefined {
    return this.#owned(this.engine.jobOf(by, jobId) ?? jobId, by);
  }

  /** The last turn of a conversation of the caller's, and what it was started with. */
  conversation(
    workflow: string,
    conversation: string,
    by: Caller,
  ): { readonly execution: ExecutionView; readonly started: RunRequest } | undefined {
    const id = this.engine.conversationOf(by, workflow, conversation);
    const execution = id === undefined ? undefined : this.#owned(id, by);
    const started = execution?.origin.request;
    return execution && started && { execution, started };
  }

  /**
   * Waits until something holds of an execution; at once if it does. Resolves to false if that took longer than
   * `timeoutMs`, if the runtime stopped before, or if `client` has gone: then nobody is interested any more.
   */
  waitUntil(
    execution: ExecutionView,
    holds: (execution: ExecutionView) => boolean,
    { timeoutMs, client }: { timeoutMs?: number | undefined; client?: { onGone(listener: () => void): void } } = {},
  ): Promise<boolean> {
    if (holds(execution)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const wait = new Wait(resolve, this.engine.wheel);
      wait.unwatch = execution.watch(
        () => holds(execution) && wait.end(true),
        () => wait.end(false),
      );
      if (timeoutMs !== undefined) wait.timer = wait.wheel.schedule(this.now() + timeoutMs, () => wait.end(false));
      client?.onGone(() => wait.end(false));
    });
  }

  /** What was recorded after a number, as far back as the journal reaches. */
  async facts(executionId: string, after: number, by: Caller): Promise<JournalPage | undefined> {
    const execution = this.#owned(executionId, by);
    if (execution === undefined) return undefined;
    return by.isOperator ? this.engine.store.read(executionId, after) : this.journal(execution, after);
  }

  /** The same, for whoever holds the execution already: what its owner may see. */
  journal(execution: ExecutionView, after: number): JournalPage | undefined {
    const page = this.engine.store.read(execution.id, after);
    return execution.context.error === null ? page : page && { ...page, entries: page.entries.map(withoutStack) };
  }

  /** With the stack of what a workflow has thrown: for operators only. */
  wholeJournal(execution: ExecutionView, after: number): JournalPage | undefined {
    return this.engine.store.read(execution.id, after);
  }

  /** Calls `run` in so many milliseconds, by the clock that was given, unless what is returned is called before. */
  after(ms: number, run: () => void): () => void {
    const { wheel } = this.engine;
    const timer = wheel.schedule(this.now() + ms, run);
    return () => wheel.cancel(timer);
  }

  /** The caller's executions; an operator's are everybody's. Throws `identity_required`. */
  list(by: Caller, filter: ExecutionFilter): ExecutionPage {
    const owner = ownerOf(by) ?? filter.owner;
    if (filter.owner !== undefined && filter.owner !== owner) return { executions: [], next: undefined };
    return this.engine.executions.page(owner, filter);
  }

  /** What waits for the caller, in all executions, the longest waiting first. Rejects with `identity_required`. */
  async inbox(by: Caller, limit: number): Promise<readonly AwaitedPause[]> {
    const open: AwaitedPause[] = [];
    await this.engine.executions.awaiting(ownerOf(by), limit, ({ context: { executionId, workflow, pauses } }) => {
      for (const pause of pauses) if (isAwaited(pause)) open.push({ executionId, workflow, pause });
    });
    return open.sort((a, b) => a.pause.openedAt - b.pause.openedAt).slice(0, limit);
  }

  /**
   * Answers a prompt. The promise resolves once the answer is kept. Throws `execution_not_found` for strangers too,
   * `answer_invalid` if the response does not fit the prompt, which then stays open, and `idempotency_key_reused` if the
   * key came with another answer before.
   */
  async answer(
    executionId: string,
    interactionId: string,
    response: Response,
    by: Caller,
    idempotencyKey?: string,
  ): Promise<AnswerOutcome> {
    const execution = this.#owned(executionId, by);
    if (execution === undefined) throw notFound(executionId);
    const pause = execution.context.pauses.find(({ id }) => id === interactionId);
    if (pause?.kind !== 'interaction') return this.#closed(execution, interactionId, response, idempotencyKey);
    const answer = readAnswer(pause.prompt, response);
    const answered = { type: 'interaction.answered', id: interactionId, answer, by: by.userId ?? null } as const;
    const fact = idempotencyKey === undefined ? answered : { ...answered, key: idempotencyKey };
    if (await execution.offer(fact)) return 'accepted';
    await execution.keeping; // another answer, which may be this one
    return this.#closed(execution, interactionId, response, idempotencyKey);
  }

  /** Ends an execution as cancelled. Throws `execution_not_found` and `execution_settled`. */
  async cancel(executionId: string, by: Caller): Promise<void> {
    const execution = this.#owned(executionId, by);
    if (execution === undefined) throw notFound(executionId);
    if (!(await execution.fail('cancelled', 'The execution was cancelled.', 'AbortError'))) {
      await execution.keeping; // it has just ended, and is about to be told so
      throw settled(execution);
    }
  }

  /**
   * Lets a blocked execution try again, with the newest version of its workflow if its own is not served. Resolves once that is
   * kept. Throws `execution_not_found`, `execution_settled`, `execution_not_blocked`, and `workflow_not_found` if no version is
   * served.
   */
  async retry(executionId: string, by: Caller): Promise<void> {
    const execution = this.#owned(executionId, by);
    if (execution === undefined) throw notFound(executionId);
    if (execution.context.blocked !== null && (await this.engine.retry(execution))) return;
    await execution.keeping; // something has just happened to it, and is about to be told
    if (execution.isSettled) throw settled(execution);
    const detail = `Execution ${executionId} is not blocked: it is ${execution.status}, and there is nothing to retry.`;
    throw new Failure('execution_not_blocked', { detail });
  }

  /**
   * Asks a user for a consent before a run needs it; undefined if there is a token. Runs that ask meanwhile share it. Rejects
   * as `Context.authorize` does, with a Failure. `name` stands for what waits for it, in the outcome of the callback.
   */
  async askConsent(
    provider: string,
    { userId: user, name, address }: { userId: string; name: string; address: string },
  ): Promise<Begun | undefined> {
    const { oauth } = this.engine;
    const subject = { user, executionId: name };
    if ((await oauth.token(subject, provider)) !== undefined) return undefined;
    return oauth.ask({ ...subject, provider, address });
  }

  /**
   * The browser is back from the provider. Every execution that waited goes on, or is told why not; resolves once that is
   * kept. All of it is appended in one turn, and so is one commit with the end of the flow: no execution can be left waiting
   * for a flow that is over.
   */
  async completeOAuth(url: URL, by: Caller): Promise<CallbackOutcome> {
    const outcome = await this.engine.oauth.complete({ url, user: by.userId });
    if (outcome.outcome === 'unknown_state') return outcome;
    const waiting = [outcome, ...(outcome.also ?? [])];
    const offered = waiting.map(({ executionId, state: id }) => {
      const fact: ConsentEnd =
        outcome.outcome === 'granted'
          ? { type: 'oauth.granted', id }
          : { type: 'oauth.refused', id, reason: refusal(outcome) };
      return this.#offerEnd(executionId, fact);
    });
    await Promise.allSettled(offered);
    await Promise.all(offered);
    return outcome;
  }

  /** Rejects if it cannot be kept now: then it is offered again later. */
  async #offerEnd(executionId: string, fact: ConsentEnd): Promise<void> {
    try {
      await this.engine.executions.get(executionId)?.offer({ ...fact });
    } catch (error) {
      this.#offerAgain(executionId, fact, 1_000);
      throw error;
    }
  }

  /** The provider does not send the browser a second time: what could not be stored is stored later. */
  #offerAgain(executionId: string, fact: ConsentEnd, ms: number): void {
    this.after(ms, () => {
      const retry = (): void => this.#offerAgain(executionId, fact, Math.min(ms * 2, 60_000));
      try {
        const kept = this.engine.executions.get(executionId)?.offer({ ...fact });
        if (kept instanceof Promise) kept.catch(retry);
      } catch {
        retry();
      }
    });
  }

  /** Stops taking work, lets what executes finish for a while, ends the rest, and disposes every builder. */
  stop(): Promise<void> {
    return this.engine.stop();
  }

  #owned(executionId: string, by: Caller): Execution | undefined {
    const execution = this.engine.executions.get(executionId);
    if (execution === undefined || execution.status === 'idle-expiring') return undefined;
    const { owner } = execution.context;
    return owner === null || owner === by.userId || by.isOperator ? execution : undefined;
  }

  /** Why a prompt is not open: it was once (then a repeated answer with its key is no mistake), or it never was. */
  #closed({ id }: Execution, interactionId: string, response: Response, key: string | undefined): AnswerOutcome {
    const page = this.engine.store.read(id);
    const about = page?.entries.filter((entry) => 'id' in entry && entry.id === interactionId) ?? [];
    const [asked, closed] = [about[0], about.at(-1)];
    if (asked?.type !== 'interaction.requested') return 'not_open';
    if (closed?.type !== 'interaction.answered' || key === undefined || closed.key !== key) return 'already_answered';
    if (isDeepStrictEqual(closed.answer, readAnswer(asked.prompt, response))) return 'accepted';
    throw new Failure('idempotency_key_reused', {
      detail: 'This idempotency key was sent before, with another answer.',
    });
  }
}

/** Entries that have none stay the same objects. */
const withoutStack = (entry: JournalEntry): JournalEntry =>
  entry.type === 'execution.failed' ? { ...entry, error: publicError(entry.error) } : entry;

const notFound = (executionId: string): Failure =>
  new Failure('execution_not_found', { detail: `Execution ${executionId} not found` });

const settled = ({ id, status }: Execution): Failure =>
  new Failure('execution_settled', { detail: `Execution ${id} is over: it is ${status}.` });

/** Whose executions somebody may see; undefined: everybody's. */
const ownerOf = ({ isOperator, userId }: Caller): string | undefined => {
  if (isOperator) return undefined;
  if (userId !== undefined) return userId;
  throw new Failure('identity_required', { detail: 'Executions are listed for their owner: say who you are.' });
};

const refusal = (outcome: Extract<CallbackOutcome, { outcome: 'refused' | 'failed' }>): string =>
  outcome.outcome === 'failed'
    ? outcome.reason
    : `Authorization server rejected request: ${outcome.error} (${outcome.description ?? ''})`;
