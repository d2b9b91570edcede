/**
 * The engine: executions come into being here, and whatever is told of them has its consequences here - a settled one
 * rests, an old one is forgotten, a crashed one fails. Who may ask for what is decided in `runtime.ts`.
 */
import type { JournalEntry } from '../machines/facts.ts';
import type { Lease } from './builder.ts';
import { Builders } from './builders.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Log } from './context.ts';
import { Drain, isAwaiting } from './drain.ts';
import { Failure } from './errors.ts';
import { type Driver, Execution, type ExecutionDeps } from './execution.ts';
import { Executions } from './executions.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { newId } from './ids.ts';
import { Inspection } from './inspection.ts';
import { JobIds } from './job-ids.ts';
import { silentLog } from './log.ts';
import { createOAuth, type OAuth } from './oauth/oauth.ts';
import type { OAuthProviderConfig } from './oauth/provider.ts';
import { type ResolvedOptions, type RuntimeOptions, resolveOptions } from './options.ts';
import { Retention } from './retention.ts';
import { Run, type RunDeps, type RunRequest } from './run.ts';
import { MemoryStore } from './store/memory.ts';
import type { Store } from './store/store.ts';
import { ActorTree, foldSettled } from './system.ts';
import type { TimingWheel } from './timing-wheel.ts';
import { toJsonOrNull } from './to-json.ts';
import type { Workflow } from './workflow.ts';

export interface StartRequest extends RunRequest {
  /** Name of a served workflow. */
  readonly workflow: string;
  /** Of the caller's choice. The same key with the same request gives the execution that there is already. */
  readonly idempotencyKey?: string | undefined;
  /** A name of the caller's choice, by which it asks `Runtime.job`. The same one gives the execution that there is already. */
  readonly jobId?: string | undefined;
  /** How long its record is kept once it has settled. Default: the runtime's `retentionMs`. */
  readonly retentionMs?: number | undefined;
  /** How callers are shown the result: a word for whoever shows it. Default: the result as it is. */
  readonly form?: string | undefined;
}

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

export class Engine {
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  readonly store: Store;
  readonly oauth: OAuth;
  readonly executions = new Executions();
  readonly inspection: Inspection;
  /** Resolves when it serves; rejects with what kept a shared workflow from being built. */
  readonly started: Promise<void>;
  readonly #log: Log;
  readonly #tree: ActorTree;
  readonly #retention: Retention;
  readonly #keys = new IdempotencyKeys();
  readonly #jobs = new JobIds();
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
    this.clock = clock;
    this.#log = log;
    this.store = store ?? new MemoryStore(this.options);
    this.oauth = createOAuth({ providers, now: () => clock.now(), timeoutMs: this.options.oauthTimeoutMs });
    this.#drain = new Drain({
      clock,
      graceMs: this.options.stopTimeoutMs,
      live: () => this.executions.live(),
      liveCount: () => this.executions.size - this.#retention.size,
    });
    this.#tree = new ActorTree({
      clock,
      log,
      prepare: () => this.#prepare(),
      settleExecutions: () => this.#drain.run(),
      disposeBuilders: async () => void (await Promise.all([...this.#builders.values()].map((all) => all.stop()))),
    });
    const { root, wheel } = this.#tree;
    this.inspection = new Inspection({ root, executions: this.executions, now: () => clock.now(), log });
    this.#retention = new Retention({ ...this.options, wheel, now: () => clock.now() });
    this.#deps = {
      fold: foldSettled,
      respawn: (id, snapshot) => this.#tree.spawnExecution(id, { snapshot }),
      release: (id) => this.#tree.release(id),
      store: this.store,
      clock,
      wheel,
      options: this.options,
      log,
      told: (execution, entry) => this.#told(execution, entry),
    };
    this.#runDeps = {
      oauth: this.oauth,
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
      const later = (ms: number, run: () => void): void => void wheel.schedule(clock.now() + ms, run);
      const deps = { options: this.options, now: () => clock.now(), later, log, spawn };
      this.#builders.set(workflow.name, new Builders(workflow, deps));
    }
    this.started = this.#tree.start();
  }

  /** Whether new work is taken: not before it serves, and not once it stops. */
  get isAccepting(): boolean {
    return this.#tree.isAccepting;
  }

  get wheel(): TimingWheel {
    return this.#tree.wheel;
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
   * Starts an execution; resolves once that is kept. A run of a session shares the session's lease. For what it rejects
   * with see `Runtime.start`.
   */
  async begin(request: StartRequest, session?: Lease): Promise<{ execution: Execution; isNew: boolean }> {
    const { by, idempotencyKey, jobId } = request;
    const known = this.#startedBefore(request);
    const present = known === undefined ? undefined : this.executions.get(known);
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
    const form = request.form ?? null;
    const execution = this.#create(request.workflow, owner, form, request.retentionMs);
    execution.driver = new Run(execution, request, builders.workflow, lease, this.#runDeps);
    if (idempotencyKey !== undefined) this.#keys.keep(by.userId, idempotencyKey, request, execution.id);
    if (jobId !== undefined) this.#jobs.keep(by.userId, jobId, execution.id);
    const { workflow } = request;
    // A schema may have made of an input what cannot be written; the run gets it all the same.
    const input = toJsonOrNull(request.input);
    try {
      const kept = execution.begin({ type: 'execution.started', workflow, owner, form, input });
      lease.whenReady((failure) => {
        if (failure !== undefined) execution.fail('build_failed', failure.message, failure.name);
      });
      if (kept !== true) await kept;
    } catch (error) {
      lease.cancel();
      this.#drop(execution);
      throw error;
    }
    return { execution, isNew: true };
  }

  /** An execution without a workflow, whose driver does its work; resolves once it is kept. Rejects with `draining`. */
  async adopt(owner: string | null, drivenBy: (execution: Execution) => Driver): Promise<Execution> {
    this.#refuseIfDraining();
    const execution = this.#create('external', owner, null);
    execution.driver = drivenBy(execution);
    await execution.begin({ type: 'execution.started', workflow: 'external', owner, form: null, input: null });
    return execution;
  }

  /** Id of the execution that a job id stands for: the caller's own, else one of nobody in particular. */
  jobOf(user: string | undefined, jobId: string): string | undefined {
    return this.#jobs.find(user, jobId) ?? this.#jobs.find(undefined, jobId);
  }

  /** Drops the record of an execution that is over, before its time. */
  expire(execution: Execution): void {
    if (execution.isSettled) this.#retention.expire(execution);
  }

  /** Stops taking work, lets what executes finish for a while, ends the rest, and disposes every builder. */
  stop(): Promise<void> {
    this.#stopped ??= this.#tree.stop().then(async () => {
      this.oauth.stop();
      await this.store.close();
    });
    return this.#stopped;
  }

  #startedBefore(request: StartRequest): string | undefined {
    const { by, idempotencyKey, jobId } = request;
    const job = jobId === undefined ? undefined : this.#jobs.find(by.userId, jobId);
    if (job !== undefined || idempotencyKey === undefined) return job;
    return this.#keys.find(by.userId, idempotencyKey, request);
  }

  #create(
    workflow: string,
    owner: string | null,
    form: string | null,
    retentionMs = this.options.retentionMs,
  ): Execution {
    const executionId = newId();
    const input = { executionId, workflow, owner, form, startedAt: this.clock.now() };
    const execution = new Execution(this.#tree.spawnExecution(executionId, { input }), this.#deps, retentionMs);
    this.executions.add(execution);
    return execution;
  }

  #refuseIfDraining(): void {
    if (!this.isAccepting) throw new Failure('draining', { retryAfterMs: this.options.stopTimeoutMs });
  }

  #told(execution: Execution, entry: JournalEntry): void {
    if (this.inspection.inspectors > 0) this.inspection.told(execution, entry);
    this.#report(execution, entry);
    if (entry.type === 'execution.completed' || entry.type === 'execution.failed') this.#settled(execution);
    if (entry.type === 'retention.elapsed') void this.#forget(execution);
    if (!this.isAccepting && isAwaiting(execution)) this.#drain.interrupt(execution);
  }

  #settled(execution: Execution): void {
    execution.driver = undefined;
    execution.rest();
    this.#retention.add(execution);
    this.#drain.settled();
  }

  /** Nobody finds it any more. */
  #drop(execution: Execution): void {
    execution.rest();
    this.executions.remove(execution);
    this.#keys.drop(execution.id);
    this.#jobs.drop(execution.id);
  }

  async #forget(execution: Execution): Promise<void> {
    const executionId = execution.id;
    this.#drop(execution);
    try {
      await this.store.forget(executionId);
      execution.offer({ type: 'record.forgotten' });
    } catch (err) {
      this.#log.error({ executionId, err }, 'a journal could not be dropped');
    }
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
