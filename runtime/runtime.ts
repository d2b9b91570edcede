/**
 * The runtime: everything that a server, or a program of your own, may ask of executions.
 *
 * Whoever starts an execution owns it. For everybody else it does not exist: they get what an unknown id gets. An
 * execution started by nobody in particular belongs to whoever knows its id. Operators may do what owners may.
 */

import type { ExecutionStatus, JournalEntry, Pause } from '../machines/execution.ts';
import type { Lease } from './builder.ts';
import { Builders } from './builders.ts';
import type { Caller } from './caller.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Log } from './context.ts';
import { Drain, isAwaiting } from './drain.ts';
import { Failure } from './errors.ts';
import { type Driver, Execution, type ExecutionDeps } from './execution.ts';
import { type ExecutionPage, Executions, type ListFilter } from './executions.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { newId } from './ids.ts';
import { silentLog } from './log.ts';
import { type CallbackOutcome, createOAuth, type OAuth } from './oauth/oauth.ts';
import type { OAuthProviderConfig } from './oauth/provider.ts';
import { type ResolvedOptions, type RuntimeOptions, resolveOptions } from './options.ts';
import { type Response, readAnswer } from './prompts.ts';
import { Retention } from './retention.ts';
import { Run, type RunDeps, type RunRequest } from './run.ts';
import { MemoryStore } from './store/memory.ts';
import type { JournalPage, Store } from './store/store.ts';
import { ActorTree, foldSettled } from './system.ts';
import { Wait } from './wait.ts';
import type { Workflow } from './workflow.ts';

export interface StartRequest extends RunRequest {
  /** Name of a served workflow. */
  readonly workflow: string;
  /** Of the caller's choice. The same key with the same request gives the execution that there is already. */
  readonly idempotencyKey?: string | undefined;
}

export type AnswerOutcome = 'accepted' | 'already_answered' | 'not_open';

/** The part of an execution that callers see. */
export type ExecutionView = Pick<Execution, 'id' | 'context' | 'status' | 'isSettled' | 'watch'>;

export interface RuntimeSetup {
  readonly workflows: readonly Workflow[];
  readonly options?: RuntimeOptions;
  readonly providers?: Readonly<Record<string, OAuthProviderConfig>>;
  readonly store?: Store;
  readonly log?: Log;
  /** Time and randomness are given, so that tests can give others. */
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Builds what shared workflows need and starts serving. Rejects with what kept a shared workflow from being built. */
export const createRuntime = async (setup: RuntimeSetup): Promise<Runtime> => {
  const runtime = new Runtime(setup);
  await runtime.started;
  return runtime;
};

export class Runtime {
  readonly options: ResolvedOptions;
  /** Resolves when it serves. */
  readonly started: Promise<void>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #store: Store;
  readonly #oauth: OAuth;
  readonly #tree: ActorTree;
  readonly #executions = new Executions();
  readonly #retention: Retention;
  readonly #keys = new IdempotencyKeys();
  readonly #builders = new Map<string, Builders>();
  readonly #drain: Drain;
  readonly #deps: ExecutionDeps;
  readonly #runDeps: RunDeps;
  #stopped: Promise<void> | undefined;

  constructor({
    workflows,
    options,
    providers = {},
    store,
    log = silentLog,
    clock = systemClock,
    random = Math.random,
  }: RuntimeSetup) {
    this.options = resolveOptions(options);
    this.#clock = clock;
    this.#log = log;
    this.#store = store ?? new MemoryStore(this.options);
    this.#oauth = createOAuth({ providers, now: () => clock.now(), timeoutMs: this.options.oauthTimeoutMs });
    this.#drain = new Drain({
      clock,
      graceMs: this.options.stopTimeoutMs,
      live: () => this.#executions.live(),
      liveCount: () => this.#executions.size - this.#retention.size,
    });
    this.#tree = new ActorTree({
      clock,
      log,
      prepare: () => this.#prepare(),
      settleExecutions: () => this.#drain.run(),
      disposeBuilders: async () => void (await Promise.all([...this.#builders.values()].map((all) => all.stop()))),
      executionCrashed: (id, error) => this.#crashed(id, error),
    });
    const { wheel } = this.#tree;
    this.#retention = new Retention({ ...this.options, wheel, now: () => clock.now() });
    this.#deps = {
      fold: foldSettled,
      store: this.#store,
      clock,
      wheel,
      options: this.options,
      log,
      told: (execution, entry) => this.#told(execution, entry),
    };
    this.#runDeps = {
      oauth: this.#oauth,
      promptGraceMs: this.options.promptGraceMs,
      now: () => clock.now(),
      random,
      log,
    };
    for (const workflow of workflows) {
      if (this.#builders.has(workflow.name)) {
        throw new Failure('options_invalid', { detail: `two workflows have the name ${workflow.name}` });
      }
      const spawn: ActorTree['spawnBuilder'] = (...given) => this.#tree.spawnBuilder(...given);
      const later = (run: () => void): void => void wheel.schedule(clock.now(), run);
      const deps = { options: this.options, now: () => clock.now(), later, log, spawn };
      this.#builders.set(workflow.name, new Builders(workflow, deps));
    }
    this.started = this.#tree.start();
  }

  /** Whether new work is taken: not before it serves, and not once it stops. */
  get isAccepting(): boolean {
    return this.#tree.isAccepting;
  }

  /** Timers under way: deadlines, waits, retention, idle builders. */
  get pendingTimers(): number {
    return this.#tree.wheel.size;
  }

  /** Epoch milliseconds, by the clock that was given. */
  now(): number {
    return this.#clock.now();
  }

  get workflows(): readonly Workflow[] {
    return [...this.#builders.values()].map(({ workflow }) => workflow);
  }

  /** The builders of a workflow: for sessions and for whoever watches. Throws `workflow_not_found`. */
  builders(workflow: string): Builders {
    const builders = this.#builders.get(workflow);
    if (builders === undefined) {
      const detail = `No workflow is named ${workflow}; there are ${[...this.#builders.keys()].join(', ')}.`;
      throw new Failure('workflow_not_found', { detail });
    }
    return builders;
  }

  /**
   * Starts an execution; resolves once that is kept. Rejects with `draining`, `queue_full`, `identity_required`, `workflow_not_found`,
   * `idempotency_key_reused`. `isNew` is false if the idempotency key had started it before.
   */
  start(request: StartRequest): Promise<{ execution: ExecutionView; isNew: boolean }> {
    return this.begin(request);
  }

  /** As `start`, for those who may offer facts themselves. A run of a session shares the session's lease. */
  async begin(request: StartRequest, session?: Lease): Promise<{ execution: Execution; isNew: boolean }> {
    const { by, idempotencyKey } = request;
    const known = idempotencyKey === undefined ? undefined : this.#keys.find(by.userId, idempotencyKey, request);
    const present = known === undefined ? undefined : this.#executions.get(known);
    if (present !== undefined) return { execution: present, isNew: false };
    this.#refuseIfDraining();

    const builders = this.builders(request.workflow);
    const lease = session?.share() ?? builders.lease(by.userId);
    try {
      lease.builder.slots.refuseIfFull();
    } catch (error) {
      lease.cancel();
      throw error;
    }
    const owner = by.userId ?? null;
    const execution = this.#create(request.workflow, owner);
    execution.driver = new Run(execution, request, builders.workflow, lease, this.#runDeps);
    if (idempotencyKey !== undefined) this.#keys.keep(by.userId, idempotencyKey, request, execution.id);
    const { workflow, input } = request;
    const kept = execution.begin({ type: 'execution.started', workflow, owner, input });
    lease.whenReady((failure) => {
      if (failure !== undefined) execution.fail('build_failed', failure.message, failure.name);
    });
    if (kept !== true) await kept;
    return { execution, isNew: true };
  }

  /** An execution without a workflow, whose driver does its work; resolves once it is kept. Rejects with `draining`. */
  async adopt(owner: string | null, drivenBy: (execution: Execution) => Driver): Promise<Execution> {
    this.#refuseIfDraining();
    const execution = this.#create('external', owner);
    execution.driver = drivenBy(execution);
    await execution.begin({ type: 'execution.started', workflow: 'external', owner, input: null });
    return execution;
  }

  /** The execution, if there is one and the caller may know. */
  get(executionId: string, by: Caller): ExecutionView | undefined {
    return this.#owned(executionId, by);
  }

  /**
   * Waits until something holds of an execution; at once if it does. Resolves to false if that took longer than
   * `timeoutMs`, or if `client` has gone: then nobody is interested any more.
   */
  waitUntil(
    execution: ExecutionView,
    holds: (execution: ExecutionView) => boolean,
    { timeoutMs, client }: { timeoutMs?: number | undefined; client?: { onGone(listener: () => void): void } } = {},
  ): Promise<boolean> {
    if (holds(execution)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const wait = new Wait(resolve, this.#tree.wheel);
      wait.unwatch = execution.watch(() => holds(execution) && wait.end(true));
      if (timeoutMs !== undefined)
        wait.timer = wait.wheel.schedule(this.#clock.now() + timeoutMs, () => wait.end(false));
      client?.onGone(() => wait.end(false));
    });
  }

  /** What was recorded after a number, as far back as the journal reaches. */
  async facts(executionId: string, after: number, by: Caller): Promise<JournalPage | undefined> {
    return this.#owned(executionId, by) && (await this.#store.read(executionId, after));
  }

  /** The caller's executions; an operator's are everybody's. Throws `identity_required`. */
  list(by: Caller, filter: ListFilter): ExecutionPage {
    if (by.isOperator) return this.#executions.page(undefined, filter);
    if (by.userId === undefined) {
      throw new Failure('identity_required', { detail: 'Executions are listed for their owner: say who you are.' });
    }
    return this.#executions.page(by.userId, filter);
  }

  /** What waits for the caller, in all executions, the longest waiting first. Throws `identity_required`. */
  inbox(by: Caller, limit: number): readonly { executionId: string; workflow: string; pause: Pause }[] {
    const statuses: readonly ExecutionStatus[] = ['awaiting_interaction', 'awaiting_oauth', 'running'];
    const open = statuses.flatMap((status) => this.list(by, { status, limit: Number.POSITIVE_INFINITY }).executions);
    return open
      .flatMap(({ context: { executionId, workflow, pauses } }) =>
        pauses.filter(({ kind }) => kind !== 'sleep').map((pause) => ({ executionId, workflow, pause })),
      )
      .sort((a, b) => a.pause.openedAt - b.pause.openedAt)
      .slice(0, limit);
  }

  /**
   * Answers a prompt. The promise resolves once the answer is kept. Throws `execution_not_found` for strangers too,
   * and `answer_invalid` if the response does not fit the prompt, which then stays open.
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
    if (pause?.kind !== 'interaction') return this.#closed(execution, interactionId, idempotencyKey);
    const answer = readAnswer(pause.prompt, response);
    const answered = { type: 'interaction.answered', id: interactionId, answer, by: by.userId ?? null } as const;
    const isKept = await execution.offer(
      idempotencyKey === undefined ? answered : { ...answered, key: idempotencyKey },
    );
    return isKept ? 'accepted' : 'already_answered';
  }

  /** Ends an execution as cancelled. Throws `execution_not_found` and `execution_settled`. */
  async cancel(executionId: string, by: Caller): Promise<void> {
    const execution = this.#owned(executionId, by);
    if (execution === undefined) throw notFound(executionId);
    if (!(await execution.fail('cancelled', 'The execution was cancelled.', 'AbortError'))) {
      throw new Failure('execution_settled', {
        detail: `Execution ${executionId} is over: it is ${execution.status}.`,
      });
    }
  }

  /** Drops the record of an execution that is over, before its time. */
  expire(execution: Execution): void {
    if (execution.isSettled) this.#retention.expire(execution);
  }

  /** The browser is back from the provider. The execution goes on, or is told why not; resolves once that is kept. */
  async completeOAuth(url: URL, by: Caller): Promise<CallbackOutcome> {
    const outcome = await this.#oauth.complete({ url, user: by.userId });
    if (outcome.outcome === 'unknown_state') return outcome;
    const execution = this.#executions.get(outcome.executionId);
    const { state: id } = outcome;
    if (outcome.outcome === 'granted') await execution?.offer({ type: 'oauth.granted', id });
    else await execution?.offer({ type: 'oauth.refused', id, reason: refusal(outcome) });
    return outcome;
  }

  /** Stops taking work, lets what executes finish for a while, ends the rest, and disposes every builder. */
  stop(): Promise<void> {
    this.#stopped ??= this.#tree.stop().then(async () => {
      this.#oauth.stop();
      await this.#store.close();
    });
    return this.#stopped;
  }

  #create(workflow: string, owner: string | null): Execution {
    const executionId = newId();
    const input = { executionId, workflow, owner, startedAt: this.#clock.now() };
    const execution = new Execution(this.#tree.spawnExecution(executionId, { input }), this.#deps);
    this.#executions.add(execution);
    return execution;
  }

  #refuseIfDraining(): void {
    if (!this.isAccepting) throw new Failure('draining', { retryAfterMs: this.options.stopTimeoutMs });
  }

  #owned(executionId: string, by: Caller): Execution | undefined {
    const execution = this.#executions.get(executionId);
    if (execution === undefined || execution.status === 'idle-expiring') return undefined;
    const { owner } = execution.context;
    return owner === null || owner === by.userId || by.isOperator ? execution : undefined;
  }

  /** Why a prompt is not open: it was once (then a repeated answer with its key is no mistake), or it never was. */
  async #closed({ id }: Execution, interactionId: string, key: string | undefined): Promise<AnswerOutcome> {
    const page = await this.#store.read(id);
    const about = page?.entries.filter((entry) => 'id' in entry && entry.id === interactionId) ?? [];
    const last = about.at(-1);
    if (last?.type === 'interaction.answered' && key !== undefined && last.key === key) return 'accepted';
    return last?.type.startsWith('interaction.') ? 'already_answered' : 'not_open';
  }

  #told(execution: Execution, entry: JournalEntry): void {
    this.#report(execution, entry);
    if (entry.type === 'execution.completed' || entry.type === 'execution.failed') this.#settled(execution);
    if (entry.type === 'retention.elapsed') void this.#forget(execution);
    if (!this.isAccepting && isAwaiting(execution)) this.#drain.interrupt(execution);
  }

  #settled(execution: Execution): void {
    execution.rest();
    this.#tree.release(execution.id);
    this.#retention.add(execution);
    this.#drain.settled();
  }

  async #forget(execution: Execution): Promise<void> {
    this.#executions.remove(execution);
    this.#keys.drop(execution.id);
    await this.#store.forget(execution.id);
    execution.offer({ type: 'record.forgotten' });
  }

  #crashed(executionId: string, error: unknown): void {
    this.#log.error({ executionId, err: error }, 'the actor of an execution crashed');
    const execution = this.#executions.get(executionId);
    execution?.replaceActor((snapshot) => this.#tree.spawnExecution(executionId, { snapshot }));
  }

  #report({ id: executionId, context: { workflow } }: Execution, { type, seq }: JournalEntry): void {
    if (REPORTED.has(type)) this.#log.info({ executionId, workflow, fact: type, seq }, type);
  }

  async #prepare(): Promise<void> {
    await Promise.all(
      [...this.#builders.values()].map(async (builders) => {
        if (!builders.workflow.isPerUser) await builders.prepare();
      }),
    );
  }
}

/** Facts that are worth a line in the log. */
const REPORTED: ReadonlySet<string> = new Set<JournalEntry['type']>([
  'execution.started',
  'interaction.requested',
  'interaction.answered',
  'interaction.expired',
  'oauth.requested',
  'oauth.granted',
  'oauth.refused',
  'oauth.expired',
  'execution.completed',
  'execution.failed',
  'retention.elapsed',
]);

const notFound = (executionId: string): Failure =>
  new Failure('execution_not_found', { detail: `Execution ${executionId} not found` });

const refusal = (outcome: Extract<CallbackOutcome, { outcome: 'refused' | 'failed' }>): string =>
  outcome.outcome === 'failed'
    ? outcome.reason
    : `Authorization server rejected request: ${outcome.error} (${outcome.description ?? ''})`;
