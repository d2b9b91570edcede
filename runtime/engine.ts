/**
 * The engine creates executions and reacts to their facts: it rests settled ones, deletes old ones, and fails crashed
 * ones. `runtime.ts` decides which caller may do what.
 */
import { firstDueAt } from '../machines/deadlines.ts';
import type { ExecutionInput } from '../machines/execution.ts';
import { isLarge, isLast, isLogged } from '../machines/fact-table.ts';
import type { JournalEntry } from '../machines/facts.ts';
import { ActorTree, foldEvent } from './actors/system.ts';
import type { Log } from './authoring/context.ts';
import { Builders } from './builders/pool.ts';
import { Served } from './builders/served.ts';
import { Failure } from './errors.ts';
import { Execution, type ExecutionDeps } from './executions/execution.ts';
import { Executions } from './executions/executions.ts';
import { Followers } from './executions/followers.ts';
import { newId } from './executions/ids.ts';
import { clockOf, Membership } from './executions/membership.ts';
import { Names } from './executions/names.ts';
import { heapBytesOf, RecordBytes } from './executions/record-bytes.ts';
import { Archivist } from './executions/recovery.ts';
import { Retention } from './executions/retention.ts';
import { Drain } from './executions/shutdown.ts';
import { Inspection } from './inspection/inspection.ts';
import { foldJournal } from './journal/fold-journal.ts';
import type { Origin } from './journal/start-request.ts';
import { guardedLog, silentLog } from './log.ts';
import { createOAuth, type OAuth } from './oauth/oauth.ts';
import { type ResolvedOptions, resolveOptions } from './options.ts';
import { ContinuedRuns } from './run/continued-runs.ts';
import type { RunDeps } from './run/run-calls.ts';
import { StartedRuns } from './run/started-runs.ts';
import { guardStrays } from './run/strays.ts';
import { Turns } from './run/turns.ts';
import type { RuntimeSetup } from './setup.ts';
import type { Archived } from './store/archive.ts';
import { leaseEnded } from './store/cluster.ts';
import { MemoryStore } from './store/memory.ts';
import { journalOf, type Store } from './store/store.ts';
import type { Clock } from './time/clock.ts';
import type { TimingWheel } from './time/timing-wheel.ts';

export class Engine {
  readonly options: ResolvedOptions;
  readonly clock: Clock;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly store: Store;
  readonly oauth: OAuth;
  readonly executions: Executions;
  readonly served: Served;
  readonly names: Names;
  /** Starts executions. */
  readonly starts: StartedRuns;
  /** Runs that continue from a journal. */
  readonly continued: ContinuedRuns;
  readonly inspection: Inspection;
  /** The turns in which runs resume. */
  readonly turns: Turns;
  /** Resolves when it serves. Rejects with the error of a shared workflow that could not be built. */
  readonly started: Promise<void>;
  readonly #log: Log;
  readonly #tree: ActorTree;
  /** Retention of settled executions: in memory, or in a durable store. */
  readonly #keeper: Retention | Archivist;
  readonly #records: RecordBytes;
  readonly #drain: Drain;
  readonly #membership: Membership;
  /** With a store that several processes share. */
  readonly #followers: Followers | undefined;
  readonly #deps: ExecutionDeps;
  readonly #runDeps: RunDeps;
  #stopped: Promise<void> | undefined;
  #unguard: (() => void) | undefined;

  constructor({
    workflows,
    options,
    providers = {},
    store,
    log: given = silentLog,
    clock = clockOf(store),
    random = Math.random,
    fetch,
    consentLink: link,
  }: RuntimeSetup) {
    const log = guardedLog(given);
    this.options = resolveOptions(options, store?.archive !== undefined);
    this.clock = clock;
    this.startedAt = clock.now();
    this.#records = new RecordBytes(this.options.maxRecordBytes);
    this.#log = log;
    this.store = store ?? new MemoryStore(this.options);
    const { archive } = this.store;
    const now = (): number => clock.now();
    const { oauthTimeoutMs: timeoutMs, maxConsents: maxFlows, tokenRetentionMs } = this.options;
    const limits = { timeoutMs, maxFlows, tokenRetentionMs };
    this.oauth = createOAuth({ providers, now, ...limits, vault: archive?.vault, link, ...(fetch && { fetch }) });
    this.names = new Names((name) => archive?.named(name), archive?.shared !== undefined);
    this.executions = new Executions(
      archive,
      (id, archived) => this.#restore(id, archived),
      (execution) => this.#loaded(execution),
      (execution) => this.#deleted(execution),
      log,
    );
    this.#membership = new Membership({
      cluster: archive?.cluster,
      executions: this.executions,
      log,
      drop: (execution) => this.#drop(execution),
      lookNow: () => this.#lookNow(),
    });
    this.#drain = new Drain({
      clock,
      graceMs: this.options.stopTimeoutMs,
      executions: this.executions,
      outlives: archive !== undefined,
    });
    this.#tree = new ActorTree({
      clock,
      log,
      prepare: () => this.served.prepare(),
      settleExecutions: () => this.#settleExecutions(),
      disposeBuilders: () => this.served.stop(),
    });
    this.turns = new Turns((err) => log.error({ err }, 'a turn of a run failed'));
    const { root, wheel } = this.#tree;
    this.inspection = new Inspection({ root, executions: this.executions, now, log });
    this.#keeper =
      archive === undefined
        ? new Retention({ ...this.options, wheel, now })
        : new Archivist({
            archive,
            executions: this.executions,
            wheel,
            now,
            random,
            maxRecoveries: this.options.maxRecoveries,
            log,
            isAccepting: () => this.isAccepting,
            workflow: (name, version) => this.served.find(name, version)?.workflow,
            leave: (execution) => this.#drop(execution),
            forget: (ids) => this.#forgetAll(ids),
            recoveriesOf: (execution) => this.continued.recoveriesOf(execution),
            retry: (execution) => this.continued.retryServed(execution),
          });
    const { shared } = archive ?? {};
    const { executions } = this;
    const leave = (execution: Execution): void => this.#hibernate(execution);
    const { inspection } = this;
    this.#followers = shared && new Followers({ shared, executions, inspection, wheel, now, log, leave });
    this.#deps = {
      fold: foldEvent,
      respawn: (id, snapshot) => this.#tree.spawnExecution(id, { snapshot }),
      release: (id) => this.#tree.release(id),
      store: this.store,
      clock,
      wheel,
      options: this.options,
      log,
      drive: (execution) => this.continued.drive(execution),
      told: (execution, entry) => this.#told(execution, entry),
      hibernate: (execution) => this.#hibernate(execution),
      overtaken: (execution) => this.#overtaken(execution.id),
      post: (execution, fact) => this.#followers!.post(execution, fact),
    };
    this.#runDeps = {
      oauth: this.oauth,
      promptGraceMs: this.options.promptGraceMs,
      oauthTimeoutMs: this.options.oauthTimeoutMs,
      now,
      random,
      log,
      turns: this.turns,
      isOwner: () => this.isOwner,
      after: (ms, run) => {
        const timer = wheel.schedule(clock.now() + ms, run);
        return () => wheel.cancel(timer);
      },
    };
    const spawn: ActorTree['spawnBuilder'] = (...given) => this.#tree.spawnBuilder(...given);
    const later = (ms: number, run: () => void): void => void wheel.schedule(clock.now() + ms, run);
    const deps = { options: this.options, now, later, log, spawn, vault: archive?.vault };
    this.served = new Served(workflows, (workflow) => new Builders(workflow, deps));
    const { store: journals, served } = this;
    const isAccepting = (): boolean => this.isAccepting;
    this.starts = new StartedRuns({
      retentionMs: this.options.retentionMs,
      served,
      names: this.names,
      executions: this.executions,
      run: this.#runDeps,
      refuseIfDraining: () => this.#refuseIfDraining(),
      reserve: (bytes) => this.#reserve(bytes),
      create: (...given) => this.#create(...given),
      drop: (execution) => this.#drop(execution),
    });
    this.continued = new ContinuedRuns({ store: journals, served, run: this.#runDeps, isAccepting });
    archive?.onMoved?.((id) => this.#moved(id));
    this.started = this.#start();
  }

  async #start(): Promise<void> {
    this.#unguard = guardStrays();
    await this.#tree.start().catch((error) => {
      this.#unguard?.();
      throw error;
    });
    if (this.#keeper instanceof Archivist) {
      await this.#join();
      this.#keeper.start();
    }
    this.#followers?.start();
  }

  async #join(): Promise<void> {
    const versions = this.served.builders.map(({ workflow: { name, version } }) => ({ workflow: name, version }));
    try {
      await this.#membership.join(versions);
    } catch (error) {
      await this.#tree.stop();
      this.#unguard?.();
      throw error;
    }
  }

  /** Whether new work is accepted: not before it serves, and not once it stops. */
  get isAccepting(): boolean {
    return this.#tree.isAccepting && this.isOwner;
  }

  /** False while other processes take this one for dead. */
  get isOwner(): boolean {
    return this.#membership.isOwner;
  }

  get wheel(): TimingWheel {
    return this.#tree.wheel;
  }

  /** Deletes the record of an ended execution before its retention ends. */
  expire(execution: Execution): void {
    if (execution.isSettled) this.#keeper.expire(execution);
  }

  /**
   * Accepts no more work, gives running executions some time to finish, ends or leaves the others, and disposes every
   * builder.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#tree.stop().then(async () => {
      if (this.#keeper instanceof Archivist) this.#keeper.stop();
      this.#followers?.stop();
      this.oauth.stop();
      await this.store.close();
      setImmediate(() => this.#unguard?.()); // a promise that a closer did not await rejects after this turn
    });
    return this.#stopped;
  }

  /** What has not finished is left to other processes, before the resources are closed. */
  async #settleExecutions(): Promise<void> {
    await this.#drain.run();
    await this.#membership.leave();
  }

  #create(started: Pick<ExecutionInput, 'workflow' | 'owner' | 'form'>, origin: Origin, bytes: number): Execution {
    const executionId = newId();
    const { workflow, owner, form } = started;
    const input = { executionId, workflow, owner, form, startedAt: this.clock.now() };
    const execution = new Execution(this.#tree.spawnExecution(executionId, { input }), this.#deps, origin);
    this.executions.add(execution);
    this.names.keep(executionId, origin.names);
    this.#records.add(execution, bytes);
    return execution;
  }

  #restore(executionId: string, { entries, origin, isElsewhere = false }: Archived): Execution {
    const execution = new Execution(foldJournal(executionId, entries), this.#deps, origin);
    if (isElsewhere) execution.beginElsewhere();
    return execution;
  }

  #loaded(execution: Execution): void {
    this.#records.add(execution, heapBytesOf(journalOf(this.store, execution.id)?.entries));
    if (execution.isSettled) this.#keeper.add(execution);
    else execution.attend();
    for (const { kind, id, dueAt } of execution.context.pauses) {
      if (kind === 'oauth' && dueAt !== null && dueAt > this.clock.now()) void this.#endIfOver(execution, id);
    }
  }

  /**
   * A process may have ended a consent, and died before it recorded that for a run which it did not execute. The run then looks
   * for the token.
   */
  async #endIfOver(execution: Execution, id: string): Promise<void> {
    try {
      if (!(await this.oauth.isPending(id))) await execution.request({ type: 'oauth.granted', id });
    } catch {} // it is loaded again, or its deadline ends it
  }

  #refuseIfDraining(): void {
    if (!this.#tree.isAccepting) throw new Failure('draining', { retryAfterMs: this.options.stopTimeoutMs });
    if (!this.isOwner) throw leaseEnded();
  }

  /** Ended executions leave memory for new ones; live ones stay. */
  #reserve(bytes: number): void {
    while (this.#records.isExceededBy(bytes)) {
      if (this.#keeper.makeRoom()) continue;
      const detail = 'The executions in memory use all the memory for them; try again later.';
      throw new Failure('queue_full', { detail, retryAfterMs: 5_000 });
    }
  }

  #told(execution: Execution, entry: JournalEntry): void {
    if (isLarge(entry)) this.#records.add(execution, heapBytesOf(entry));
    if (this.inspection.inspectors > 0) this.inspection.told(execution, entry);
    if (!execution.hasFollowed(entry)) this.#report(execution, entry);
    if (this.#keeper instanceof Archivist) this.#keeper.told(execution, entry);
    if (isLast(entry)) this.#settled(execution);
    if (entry.type === 'retention.elapsed') this.#forget(execution);
    if (!this.#tree.isAccepting) this.#drain.told(execution);
  }

  #settled(execution: Execution): void {
    execution.conclude();
    if (execution.context.owner === null) this.oauth.release(execution.id);
    this.#keeper.add(execution);
  }

  #hibernate(execution: Execution): void {
    this.#drop(execution);
    if (this.#keeper instanceof Archivist)
      this.#keeper.note(firstDueAt(execution.context, this.options.parkedTimeoutMs));
  }

  /** Another process has deleted it. */
  #deleted(execution: Execution): void {
    execution.dismiss();
    this.#drop(execution);
  }

  #overtaken(executionId: string): void {
    this.#log.info({ executionId }, 'taken by another node');
    this.#moved(executionId);
  }

  /** The store has other facts of it than memory has: they are read. */
  #moved(executionId: string): void {
    const execution = this.executions.inMemory(executionId);
    if (execution !== undefined) this.#followers?.look(execution);
    if (this.#keeper instanceof Archivist) this.#keeper.takeUp(executionId);
  }

  #lookNow(): void {
    if (this.#keeper instanceof Archivist) this.#keeper.lookNow();
  }

  /** It has left memory. */
  #drop(execution: Execution): void {
    execution.depart();
    this.executions.remove(execution);
    if (this.#keeper instanceof Archivist) this.#keeper.left(execution);
    this.#records.release(execution);
    this.names.drop(execution.id);
  }

  #forget(execution: Execution): void {
    this.#drop(execution);
    const forgotten = this.#forgetOne(execution.id);
    if (forgotten instanceof Promise) void forgotten.then(() => execution.mention({ type: 'record.forgotten' }));
    else execution.mention({ type: 'record.forgotten' });
  }

  #forgetAll(executionIds: readonly string[]): void {
    for (const executionId of executionIds) void this.#forgetOne(executionId);
  }

  /** Never throws or rejects. */
  #forgetOne(executionId: string): void | Promise<void> {
    try {
      const forgotten = this.store.forget(executionId);
      if (forgotten instanceof Promise) return forgotten.catch((err) => this.#notForgotten(executionId, err));
    } catch (err) {
      this.#notForgotten(executionId, err);
    }
  }

  #notForgotten(executionId: string, err: unknown): void {
    this.#log.error({ executionId, err }, 'a journal could not be dropped');
  }

  #report({ id: executionId, context: { workflow } }: Execution, entry: JournalEntry): void {
    const { type, seq } = entry;
    if (isLogged(entry)) this.#log.info({ executionId, workflow, fact: type, seq }, type);
  }
}
