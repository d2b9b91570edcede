/**
 * The builders of one workflow: a cache by user, whose entries are actors, and the leases that keep them in use.
 *
 * B1  One build per user at a time. Callers that arrive meanwhile share it, and other users do not wait for it.
 * B2  A lease counts as use until its execution ends. A builder in use is neither idle nor disposed.
 * B3  A caller that arrives while a builder is being disposed gets a new one, which is built after the disposal.
 * B4  A failed build is not cached: its leases get the error, and the next lease builds again.
 * B5  With a vault, a builder continues the counters of the previous builders of the same user, unless these are older
 *     than the retention. Its counts are added to those of other processes.
 */
import type { ActorRefFrom } from 'xstate';
import type { BuilderInput, BuilderSnapshot, builderMachine } from '../../machines/builder.ts';
import type { Log } from '../authoring/context.ts';
import { legible } from '../authoring/errors.ts';
import type { Workflow } from '../authoring/workflow.ts';
import { andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Strayed } from '../run/strays.ts';
import { ownedBy } from '../run/thread.ts';
import type { Counts } from '../store/counts.ts';
import type { Vault } from '../store/vault.ts';
import { Builder, Lease } from './builder.ts';
import { DisposalScope } from './disposal-scope.ts';
import { Slots } from './slots.ts';
import type { BuilderPool } from './view.ts';

/** A shared builder does not expire, so its actor does not need every idle period. */
const LINGER_MS = 1_000;

/** Counters are saved at this interval, while they change. */
const SAVE_MS = 1_000;

/** Rows of the vault that are checked for each row that is written. */
const SWEPT = 2;

/** @internal */
export interface BuildersDeps {
  readonly options: ResolvedOptions;
  readonly now: () => number;
  /** Calls back after this delay, in a later turn. */
  readonly later: (ms: number, run: () => void) => void;
  readonly log: Log;
  /** The store for counters beyond the end of the process. */
  readonly vault?: Vault | undefined;
  /** Starts the actor of a builder under its supervisor. The actor calls `build` and `dispose` below. */
  spawn(builder: Builder, builders: Builders, input: BuilderInput): ActorRefFrom<typeof builderMachine>;
}

export class Builders implements BuilderPool {
  readonly workflow: Workflow;
  readonly #deps: BuildersDeps;
  readonly #byUser = new Map<string | null, Builder>();
  /** Builders without a lease, in the order in which their last lease ended. */
  readonly #unused = new Set<Builder>();
  /** Resolves when the last save is over. */
  #saving: Promise<void> | undefined;
  /** Name of the row that was checked last. */
  #sweptTo = '';
  /** Builders that make room for another user, until they are disposed. */
  readonly #leaving = new Map<string | null, Builder>();

  /** @internal */
  constructor(workflow: Workflow, deps: BuildersDeps) {
    this.workflow = workflow;
    this.#deps = deps;
  }

  /** Throws `identity_required` for a per-user workflow without a user, `queue_full` at the limit of users. */
  lease(user: string | undefined): Lease {
    const builder = this.#builder(this.#key(user));
    builder.refCount += 1;
    this.#unused.delete(builder);
    if (builder.refCount === 1) this.#tell(builder);
    const now = this.#deps.now();
    builder.lastActivity = now;
    return new Lease(builder, this, now);
  }

  /** Builds the resources of a shared workflow before the first request. Throws the error of the build. */
  async prepare(): Promise<void> {
    const lease = this.lease(undefined);
    try {
      await lease.ready();
    } catch (error) {
      // The operator who starts the server reads it; clients do not.
      const { code, cause } = Failure.from(error);
      throw code === 'build_failed' && cause instanceof Error
        ? new Failure(code, { detail: cause.message, cause })
        : error;
    } finally {
      lease.cancel();
    }
  }

  returned(builder: Builder): void {
    builder.refCount -= 1;
    builder.lastActivity = this.now();
    if (builder.refCount === 0) this.#unused.add(builder);
    if (!builder.isSavePending && this.#deps.vault !== undefined) this.#saveSoon(builder);
    if (builder.refCount > 0 || builder.isTellPending) return;
    builder.isTellPending = true;
    this.#deps.later(builder.user === null ? LINGER_MS : 0, () => {
      builder.isTellPending = false;
      this.#tell(builder);
    });
  }

  now(): number {
    return this.#deps.now();
  }

  /** All builders, idle ones included, oldest first. */
  list(): Builder[] {
    return [...this.#byUser.values()];
  }

  get(user: string | null): Builder | undefined {
    return this.#byUser.get(user);
  }

  /** Disposes builders that were idle this long, before their own timer. Resolves to their number. */
  async disposeIdle(idleMs: number): Promise<number> {
    const latest = this.now() - idleMs;
    const idle = this.list().filter((builder) => builder.isIdle && builder.lastActivity <= latest);
    for (const { actor } of idle) actor?.send({ type: 'builder.stop' });
    await Promise.all(idle.map(({ ended }) => ended));
    return idle.length;
  }

  /** Disposes all builders, also those in use: the executions have to end first. */
  async stop(): Promise<void> {
    const all = [...this.#byUser.values(), ...this.#leaving.values()];
    for (const { actor } of all) actor?.send({ type: 'builder.stop' });
    await Promise.all(all.map(({ ended }) => ended));
  }

  #key(user: string | undefined): string | null {
    if (!this.workflow.isPerUser) return null;
    if (user !== undefined && user !== '') return user;
    throw new Failure('identity_required', {
      detail:
        'user_id is required for per-user workflow but could not be determined. Send a Bearer token in the ' +
        'Authorization header, an X-API-Key header or a nat-session cookie, or pass a userId.',
    });
  }

  #builder(key: string | null): Builder {
    const present = this.#byUser.get(key);
    if (present?.isOpen) return present; // B1
    if (present === undefined) this.#makeRoom();
    const { options, now, spawn } = this.#deps;
    const slots = new Slots(options.maxConcurrency, options.maxQueued);
    const builder = new Builder(key, slots, new DisposalScope((error) => this.#report(key, error)), now());
    const before = present ?? this.#leaving.get(key);
    builder.predecessor = before?.ended; // B3
    if (before !== undefined) this.#save(before);
    void this.#restore(builder);
    this.#byUser.set(key, builder);
    const idleMs = key === null ? null : options.builderIdleMs;
    const actor = spawn(builder, this, { builderId: builder.id, workflow: this.workflow.name, user: key, idleMs });
    builder.actor = actor;
    actor.subscribe({
      next: (snapshot) => this.#changed(builder, snapshot),
      error: (error) => void this.#crashed(builder, error),
    });
    return builder;
  }

  /** At the limit of users, the builder that was idle longest is disposed. */
  #makeRoom(): void {
    if (this.#byUser.size < this.#deps.options.maxBuilders) return;
    let oldest: Builder | undefined;
    for (const builder of this.#unused) {
      if (!builder.isIdle) continue;
      oldest = builder;
      break;
    }
    if (oldest === undefined) {
      const detail = `${this.#byUser.size} users have open resources, which is the limit; try again later.`;
      throw new Failure('queue_full', { detail, retryAfterMs: 5_000 });
    }
    this.#unused.delete(oldest);
    this.#byUser.delete(oldest.user);
    this.#leaving.set(oldest.user, oldest);
    oldest.actor?.send({ type: 'builder.stop' });
  }

  /** The build, called by the machine. */
  async build(builder: Builder, signal: AbortSignal): Promise<void> {
    try {
      await builder.predecessor;
      if (signal.aborted) throw new Failure('draining');
      const { user, scope } = builder;
      builder.resources = await ownedBy(this.#owner(user), async () => this.workflow.build?.(user, scope));
      if (signal.aborted) throw new Error('The build was aborted.');
    } catch (error) {
      await this.dispose(builder);
      throw legible(error);
    }
  }

  /** The disposal, called by the machine. A closer that fails is reported and does not stop the disposal. */
  dispose(builder: Builder): Promise<void> {
    this.#save(builder);
    builder.disposal ??= this.#dispose(builder);
    return builder.disposal;
  }

  async #dispose({ user, predecessor, scope }: Builder): Promise<void> {
    await predecessor;
    await ownedBy(this.#owner(user), () => scope.close()).catch((error) => this.#report(user, error));
  }

  #changed(builder: Builder, snapshot: BuilderSnapshot): void {
    if (snapshot.matches('ready')) this.#built(builder);
    else if (snapshot.matches('failed')) this.#failed(builder, snapshot.context.error);
    else if (!snapshot.matches('building')) this.#built(builder, new Failure('draining'));
    if (snapshot.status === 'done') this.#ended(builder);
  }

  /** B4 */
  #failed(builder: Builder, error: unknown): void {
    this.#report(builder.user, error);
    // An error of a build concerns the operator: it goes to the log and not to callers.
    const failure = error instanceof Failure ? error : new Failure('build_failed', { cause: error });
    this.#built(builder, failure);
  }

  /** The actor has ended, so its work is done here. */
  async #crashed(builder: Builder, error: unknown): Promise<void> {
    this.#built(builder, Failure.from(error));
    await this.dispose(builder);
    this.#ended(builder);
  }

  /**
   * Under load, the last lease is followed by the next first one. The actor gets only the state at the end of a turn.
   */
  #tell(builder: Builder): void {
    const isUsed = builder.refCount > 0;
    if (builder.isToldUsed === isUsed || builder.waiting !== undefined) return;
    builder.isToldUsed = isUsed;
    builder.actor?.send({ type: isUsed ? 'use.began' : 'use.ended' });
  }

  /** Reports the end of the build to the callers that wait for it. */
  #built(builder: Builder, failure?: Failure): void {
    const { waiting } = builder;
    if (waiting === undefined) return;
    builder.waiting = undefined;
    if (failure === undefined) {
      builder.readyAt = this.now();
      this.#tell(builder);
      builder.slots.open();
    }
    for (const ready of waiting) ready(failure);
  }

  #ended(builder: Builder): void {
    for (const place of [this.#byUser, this.#leaving])
      if (place.get(builder.user) === builder) place.delete(builder.user);
    this.#unused.delete(builder);
    builder.onEnded();
  }

  #saveSoon(builder: Builder): void {
    builder.isSavePending = true;
    this.#deps.later(SAVE_MS, () => {
      if (builder.isSavePending) this.#save(builder);
    });
  }

  /** Adds what it has counted to the stored counters. */
  #save(builder: Builder): void {
    builder.isSavePending = false;
    const { vault } = this.#deps;
    if (vault === undefined) return;
    const counts = builder.toSave();
    if (counts.totalRequests === 0) return;
    this.#saving = this.#saveCounts(vault, builder, counts);
  }

  /** A later save has what cannot be stored now. The store reports errors to callers that start something. */
  async #saveCounts(vault: Vault, builder: Builder, counts: Counts): Promise<void> {
    try {
      const saved = vault.count(this.#nameOf(builder.user), counts);
      this.#sweep(vault);
      await saved;
    } catch {
      builder.unsave(counts);
    }
  }

  /**
   * Removes the counters of users that were idle longer than the retention. Two rows are checked for each one that is
   * written, so the rows of former users do not accumulate.
   */
  #sweep(vault: Vault): void {
    const isOver = (counts: string | undefined): boolean => {
      const { lastActivity } = JSON.parse(counts ?? '{"lastActivity":0}') as Pick<Counts, 'lastActivity'>;
      return lastActivity + this.#deps.options.retentionMs <= this.now();
    };
    const swept = andThen(vault.entries('builder', '', this.#sweptTo, SWEPT), (rows) => {
      this.#sweptTo = rows.length < SWEPT ? '' : rows.at(-1)![0];
      const over = rows.filter(([, counts]) => isOver(counts));
      const removed = over.map(([name]) =>
        vault.change('builder', name, (counts) => (isOver(counts) ? undefined : counts)),
      );
      return removed.some((one) => one instanceof Promise) ? Promise.all(removed).then(() => {}) : undefined;
    });
    if (swept instanceof Promise) swept.catch(() => {}); // the next save sweeps again
  }

  /** B5. Counters that cannot be read now go on without the earlier ones; none is lost. */
  async #restore(builder: Builder): Promise<void> {
    const { vault } = this.#deps;
    if (vault === undefined) return;
    try {
      if (vault.isShared) await this.#saving;
      const found = vault.get('builder', this.#nameOf(builder.user));
      const counts = found instanceof Promise ? await found : found;
      if (counts !== undefined) builder.restore(JSON.parse(counts) as Counts);
    } catch {}
  }

  /** The name in the vault. It is ASCII for any user. */
  #nameOf(user: string | null): string {
    return encodeURIComponent(JSON.stringify([this.workflow.name, user]));
  }

  /** For promises that a build or a closer did not await. */
  #owner(user: string | null): Strayed {
    return { strayed: (error) => this.#report(user, error) };
  }

  #report(user: string | null, error: unknown): void {
    this.#deps.log.error({ workflow: this.workflow.name, user, err: error }, 'builder failed');
  }
}
