/**
 * The local runtime: executions of this process, in memory or in a store.
 */
import { isDeepStrictEqual } from 'node:util';
import { publicFact } from '../machines/execution.ts';
import { isAwaited } from '../machines/facts.ts';
import { type Response, readAnswer } from './authoring/prompts.ts';
import type { Workflow } from './authoring/workflow.ts';
import { type Awaitable, andThen } from './awaitable.ts';
import type { Lease } from './builders/builder.ts';
import type { Builders } from './builders/pool.ts';
import type { BuilderLease } from './builders/view.ts';
import { Engine } from './engine.ts';
import { Failure } from './errors.ts';
import type { Driver, Execution, NewFact } from './executions/execution.ts';
import { Oldest } from './executions/oldest.ts';
import type { ExecutionView } from './executions/view.ts';
import { Wait } from './executions/wait.ts';
import type { Inspection } from './inspection/inspection.ts';
import type { Caller } from './journal/caller.ts';
import type { StartRequest } from './journal/start-request.ts';
import type { Begun, CallbackOutcome, OpenedConsent } from './oauth/oauth.ts';
import type { Waiting } from './oauth/stored-flows.ts';
import type { ResolvedOptions } from './options.ts';
import type { AnswerOutcome, AwaitedPause, ExecutionPage, Runtime, WaitOptions } from './runtime.ts';
import type { RuntimeSetup } from './setup.ts';
import { type ClusterCounts, leaseEnded, type NodeView } from './store/cluster.ts';
import type { ExecutionFilter } from './store/query.ts';
import { type JournalPage, Refused } from './store/store.ts';

/** The outcome of a consent for an execution that waits for it. */
type ConsentEnd = Extract<NewFact, { type: 'oauth.granted' | 'oauth.refused' }>;

/** Creates a runtime; `started` resolves when it serves. Throws `options_invalid`. */
export const openRuntime = (setup: RuntimeSetup): LocalRuntime => new LocalRuntime(new Engine(setup));

/** Builds what shared workflows need and starts serving. Rejects with the error of a shared workflow that could not be built. */
export const createRuntime = async (setup: RuntimeSetup): Promise<Runtime> => {
  const runtime = openRuntime(setup);
  await runtime.started;
  return runtime;
};

export class LocalRuntime implements Runtime {
  /** For tests and for the test kit. @internal */
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get options(): ResolvedOptions {
    return this.engine.options;
  }

  get started(): Promise<void> {
    return this.engine.started;
  }

  get isAccepting(): boolean {
    return this.engine.isAccepting;
  }

  get inspection(): Inspection {
    return this.engine.inspection;
  }

  get pendingTimers(): number {
    return this.engine.wheel.size;
  }

  now(): number {
    return this.engine.clock.now();
  }

  get clusterCounts(): ClusterCounts | undefined {
    return this.engine.store.archive?.cluster?.counts;
  }

  nodes(): Promise<readonly NodeView[]> | undefined {
    return this.engine.store.archive?.cluster?.nodes();
  }

  get startedAt(): number {
    return this.engine.startedAt;
  }

  get workflows(): readonly Workflow[] {
    return this.engine.served.workflows;
  }

  get allBuilders(): readonly Builders[] {
    return this.engine.served.builders;
  }

  builders(workflow: string): Builders {
    return this.engine.served.get(workflow);
  }

  start(request: StartRequest, lease?: BuilderLease): Awaitable<{ execution: ExecutionView; isNew: boolean }> {
    return this.engine.starts.begin(request, lease as Lease | undefined);
  }

  get(executionId: string, by: Caller): Awaitable<ExecutionView | undefined> {
    return this.#owned(executionId, by);
  }

  job(jobId: string, by: Caller): Awaitable<ExecutionView | undefined> {
    return andThen(this.engine.names.job(by, jobId), (id) => this.#owned(id ?? jobId, by));
  }

  conversation(workflow: string, conversation: string, by: Caller): Awaitable<ExecutionView | undefined> {
    const found = this.engine.names.conversation(by, workflow, conversation);
    return andThen(found, (id) => (id === undefined ? undefined : this.#owned(id, by)));
  }

  waitUntil(
    execution: ExecutionView,
    holds: (execution: ExecutionView) => boolean,
    { timeoutMs, client }: WaitOptions = {},
  ): Awaitable<boolean> {
    if (holds(execution)) return true;
    return new Promise((resolve, reject) => {
      const wait = new Wait(resolve, this.engine.wheel);
      wait.unwatch = execution.watch(
        () => holds(execution) && wait.end(true),
        () => {
          if (!this.engine.isOwner) reject(leaseEnded());
          wait.end(false);
        },
      );
      if (timeoutMs !== undefined) wait.timer = wait.wheel.schedule(this.now() + timeoutMs, () => wait.end(false));
      client?.onGone(() => wait.end(false));
    });
  }

  async facts(executionId: string, after: number, by: Caller): Promise<JournalPage | undefined> {
    const found = this.#owned(executionId, by);
    const execution = found instanceof Promise ? await found : found; // a synchronous value needs no turn
    if (execution === undefined) return undefined;
    return by.isOperator ? this.wholeJournal(execution, after) : this.journal(execution, after);
  }

  journal(execution: ExecutionView, after: number): Awaitable<JournalPage | undefined> {
    const page = this.engine.store.read(execution.id, after);
    return execution.context.error === null ? page : andThen(page, publicPage);
  }

  wholeJournal(execution: ExecutionView, after: number): Awaitable<JournalPage | undefined> {
    return this.engine.store.read(execution.id, after);
  }

  after(ms: number, run: () => void): () => void {
    const { wheel } = this.engine;
    const timer = wheel.schedule(this.now() + ms, run);
    return () => wheel.cancel(timer);
  }

  list(by: Caller, filter: ExecutionFilter): Awaitable<ExecutionPage> {
    const owner = ownerOf(by) ?? filter.owner;
    if (filter.owner !== undefined && filter.owner !== owner) return { executions: [], next: undefined };
    return this.engine.executions.page(owner, filter);
  }

  async inbox(by: Caller, limit: number): Promise<readonly AwaitedPause[]> {
    const open = new Oldest<AwaitedPause>(limit, ({ pause }) => pause.openedAt);
    await this.engine.executions.awaiting(ownerOf(by), limit, ({ context: { executionId, workflow, pauses } }) => {
      for (const pause of pauses) if (isAwaited(pause)) open.add({ executionId, workflow, pause });
    });
    return open.first();
  }

  answer(
    executionId: string,
    interactionId: string,
    response: Response,
    by: Caller,
    idempotencyKey?: string,
  ): Promise<AnswerOutcome> {
    return this.#answer(executionId, interactionId, response, by, idempotencyKey, 1);
  }

  async #answer(
    executionId: string,
    interactionId: string,
    response: Response,
    by: Caller,
    idempotencyKey: string | undefined,
    attempt: number,
  ): Promise<AnswerOutcome> {
    const found = this.#owned(executionId, by);
    const execution = found instanceof Promise ? await found : found;
    if (execution === undefined) throw notFound(executionId);
    const pause = execution.context.pauses.find(({ id }) => id === interactionId);
    if (pause?.kind !== 'interaction') return this.#closed(execution, interactionId, response, idempotencyKey);
    const answer = readAnswer(pause.prompt, response);
    const answered = { type: 'interaction.answered', id: interactionId, answer, by: by.userId ?? null } as const;
    const fact = idempotencyKey === undefined ? answered : { ...answered, key: idempotencyKey };
    try {
      const accepted = execution.request(fact);
      if (accepted instanceof Promise ? await accepted : accepted) return 'accepted';
      await execution.keeping; // another answer, or this one
    } catch (error) {
      if (!isWorthAnother(error, attempt)) throw error;
      return this.#answer(executionId, interactionId, response, by, idempotencyKey, attempt + 1);
    }
    return this.#closed(execution, interactionId, response, idempotencyKey);
  }

  cancel(executionId: string, by: Caller): Promise<void> {
    return this.#cancel(executionId, by, 1);
  }

  async #cancel(executionId: string, by: Caller, attempt: number): Promise<void> {
    const found = this.#owned(executionId, by);
    const execution = found instanceof Promise ? await found : found;
    if (execution === undefined) throw notFound(executionId);
    try {
      if (await execution.request({ type: 'execution.failed', error: { ...CANCELLED } })) return;
      await execution.keeping; // its end is about to be published
    } catch (error) {
      if (!isWorthAnother(error, attempt)) throw error;
      return this.#cancel(executionId, by, attempt + 1);
    }
    throw settled(execution);
  }

  async retry(executionId: string, by: Caller): Promise<void> {
    const found = this.#owned(executionId, by);
    const execution = found instanceof Promise ? await found : found;
    if (execution === undefined) throw notFound(executionId);
    if (execution.context.blocked !== null && (await this.engine.continued.retry(execution))) return;
    await execution.keeping; // its last fact is about to be published
    if (execution.isSettled) throw settled(execution);
    const detail = `Execution ${executionId} is not blocked: it is ${execution.status}, and there is nothing to retry.`;
    throw new Failure('execution_not_blocked', { detail });
  }

  async askConsent(
    provider: string,
    { userId: user, name, address }: { readonly userId: string; readonly name: string; readonly address: string },
  ): Promise<Begun | undefined> {
    const { oauth } = this.engine;
    const subject = { user, executionId: name };
    if ((await oauth.token(subject, provider)) !== undefined) return undefined;
    return oauth.ask({ ...subject, provider, address });
  }

  async openConsent(state: string, { userId }: Caller): Promise<OpenedConsent | undefined> {
    return userId === undefined ? undefined : this.engine.oauth.open(state, userId);
  }

  /**
   * All facts are appended in one turn, and share a commit with the end of the flow: no execution can wait for a
   * finished flow.
   */
  async completeOAuth(url: URL, by: Caller, proof?: string): Promise<CallbackOutcome> {
    const { oauth, executions } = this.engine;
    this.#refuseWithoutLease(); // the code would be used up
    const loaded = new Map<string, Execution | undefined>();
    const load = async (ids: readonly string[]): Promise<void> => {
      this.#refuseWithoutLease();
      const all = await Promise.allSettled(ids.map(async (id) => executions.get(id)));
      for (const [index, found] of all.entries())
        if (found.status === 'fulfilled') loaded.set(ids[index]!, found.value);
    };
    const outcome = await oauth.complete({ url, user: by.userId, proof, load });
    if (outcome.outcome === 'unknown_state') return outcome;
    const end = ({ executionId, state: id }: Waiting): Promise<void> => {
      const fact: ConsentEnd =
        outcome.outcome === 'granted'
          ? { type: 'oauth.granted', id }
          : { type: 'oauth.refused', id, reason: refusal(outcome) };
      return this.#offerEnd(executionId, fact, loaded.get(executionId));
    };
    const offered = [outcome, ...(outcome.also ?? [])].map(end);
    await Promise.allSettled(offered);
    await Promise.all(offered);
    const late = oauth.late(outcome.state); // none without other processes
    if (late !== undefined) await Promise.all((await late).map(end));
    return outcome;
  }

  /** No fact could be stored together with a token. */
  #refuseWithoutLease(): void {
    if (this.engine.store.archive?.cluster?.isValid === false) throw leaseEnded();
  }

  /** Rejects if it cannot be committed now; it is then offered again later. */
  async #offerEnd(executionId: string, fact: ConsentEnd, loaded?: Execution, attempt = 1): Promise<void> {
    try {
      if (loaded?.isElsewhere) await this.engine.oauth.stored; // that process reads the token from the store
      await (loaded === undefined ? this.offer(executionId, { ...fact }) : loaded.request({ ...fact }));
    } catch (error) {
      if (isWorthAnother(error, attempt)) return this.#offerEnd(executionId, fact, undefined, attempt + 1);
      this.#offerAgain(executionId, fact, 1_000);
      throw error;
    }
  }

  /** The provider does not send the browser a second time, so a fact that could not be stored is stored later. */
  #offerAgain(executionId: string, fact: ConsentEnd, ms: number): void {
    this.after(ms, () => {
      this.#offerEndOnce(executionId, fact).catch(() => this.#offerAgain(executionId, fact, Math.min(ms * 2, 60_000)));
    });
  }

  async #offerEndOnce(executionId: string, fact: ConsentEnd): Promise<void> {
    const { executions, oauth } = this.engine;
    const execution = await executions.get(executionId);
    if (execution === undefined) return;
    const subject = { user: execution.context.owner ?? undefined, executionId };
    if (fact.type === 'oauth.granted') oauth.storeAgain(subject, fact.id);
    if (execution.isElsewhere) await oauth.stored;
    await execution.request({ ...fact });
  }

  async adopt(owner: string | null, drivenBy: (executionId: string) => Driver): Promise<ExecutionView> {
    return this.engine.starts.adopt(owner, ({ id }) => drivenBy(id));
  }

  offer(executionId: string, fact: NewFact): Awaitable<boolean> {
    return andThen(this.engine.executions.get(executionId), (execution) => execution?.request(fact) ?? false);
  }

  expire(executionId: string): void {
    const execution = this.engine.executions.inMemory(executionId);
    if (execution !== undefined) this.engine.expire(execution);
  }

  stop(): Promise<void> {
    return this.engine.stop();
  }

  #owned(executionId: string, by: Caller): Awaitable<Execution | undefined> {
    const found = this.engine.executions.get(executionId);
    if (found instanceof Promise) return found.then((execution) => (isVisible(execution, by) ? execution : undefined));
    return isVisible(found, by) ? found : undefined;
  }

  /**
   * Why a prompt is not open: it was answered or closed before (a repeated answer with its key is then accepted), or it
   * never existed.
   */
  async #closed(
    { id }: Execution,
    interactionId: string,
    response: Response,
    key: string | undefined,
  ): Promise<AnswerOutcome> {
    const page = await this.engine.store.read(id);
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

const CANCELLED = { code: 'cancelled', message: 'The execution was cancelled.', name: 'AbortError' } as const;

/** Attempts to apply a request to an execution that other processes change meanwhile. */
const MAX_ATTEMPTS = 5;

/** The execution has left memory: the next attempt applies the request to what the store has. */
const isWorthAnother = (error: unknown, attempt: number): boolean => error instanceof Refused && attempt < MAX_ATTEMPTS;

const isVisible = (execution: Execution | undefined, by: Caller): boolean => {
  if (execution === undefined || execution.status === 'idle-expiring') return false;
  const { owner } = execution.context;
  return owner === null || owner === by.userId || by.isOperator === true;
};

const publicPage = (page: JournalPage | undefined): JournalPage | undefined =>
  page && { ...page, entries: page.entries.map(publicFact) };

const notFound = (executionId: string): Failure =>
  new Failure('execution_not_found', { detail: `Execution ${executionId} not found` });

const settled = ({ id, status }: Execution): Failure =>
  new Failure('execution_settled', { detail: `Execution ${id} is over: it is ${status}.` });

/** The owner whose executions the caller may see; undefined: all owners. */
const ownerOf = ({ isOperator, userId }: Caller): string | undefined => {
  if (isOperator) return undefined;
  if (userId !== undefined) return userId;
  throw new Failure('identity_required', { detail: 'Only an owner can list executions: send a credential.' });
};

const refusal = (outcome: Extract<CallbackOutcome, { outcome: 'refused' | 'failed' }>): string =>
  outcome.outcome === 'failed'
    ? outcome.reason
    : `Authorization server rejected request: ${outcome.error} (${outcome.description ?? ''})`;
