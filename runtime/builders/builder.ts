/** One cached builder, and the leases that keep it in use. */

import type { ActorRefFrom } from 'xstate';
import type { builderMachine } from '../../machines/builder.ts';
import type { Failure } from '../errors.ts';
import { newId } from '../executions/ids.ts';
import type { Counts } from '../store/counts.ts';
import type { DisposalScope } from './disposal-scope.ts';
import type { Slots } from './slots.ts';
import type { BuilderLease, BuilderView } from './view.ts';

/** The resources, the slots and the counters. Times are epoch milliseconds. */
export class Builder implements BuilderView {
  readonly id = newId();
  readonly user: string | null;
  readonly slots: Slots;
  readonly scope: DisposalScope;
  createdAt: number;
  /** The end of a successful build; until then, its beginning. */
  readyAt: number;
  lastActivity: number;
  refCount = 0;
  /** The last event that its actor got. */
  isToldUsed = false;
  isTellPending = false;
  /** Its counters are about to be saved. */
  isSavePending = false;
  totalRequests = 0;
  errorCount = 0;
  totalLatencyMs = 0;
  /** How much of its counters is stored, or about to be. */
  #savedRequests = 0;
  #savedErrors = 0;
  #savedLatencyMs = 0;
  resources: unknown;
  /** @internal */
  actor: ActorRefFrom<typeof builderMachine> | undefined;
  /** Resolves when the previous builder of this user is disposed (B3). */
  predecessor: Promise<void> | undefined;
  disposal: Promise<void> | undefined;
  /** Resolves when it has been disposed or has failed. */
  readonly ended: Promise<void>;
  onEnded!: () => void;
  /** Called when the build succeeds (undefined) or fails. Undefined once the result is known. */
  waiting: ((failure: Failure | undefined) => void)[] | undefined = [];

  constructor(user: string | null, slots: Slots, scope: DisposalScope, now: number) {
    this.user = user;
    this.slots = slots;
    this.scope = scope;
    this.createdAt = now;
    this.readyAt = now;
    this.lastActivity = now;
    this.ended = new Promise((resolve) => {
      this.onEnded = resolve;
    });
  }

  /** Building or ready, and not expiring. */
  get isOpen(): boolean {
    const snapshot = this.actor?.getSnapshot();
    return snapshot?.status === 'active' && snapshot.hasTag('open');
  }

  /** Ready, without leases, and no caller waits for it. */
  get isIdle(): boolean {
    return this.isOpen && this.refCount === 0 && this.waiting === undefined;
  }

  get openResources(): number {
    return this.scope.size;
  }

  /** The state of its machine, such as `ready.in_use`. Without an actor, it is still to be built. */
  get state(): string {
    return stateOf(this.actor?.getSnapshot().value);
  }

  /** Adds one finished request. Milliseconds. */
  recordRequest(latencyMs: number, success: boolean): void {
    this.totalRequests += 1;
    this.totalLatencyMs += latencyMs;
    if (!success) this.errorCount += 1;
  }

  /** Continues the counters of earlier builders of its user, in this process and in others. */
  restore(counts: Counts): void {
    this.totalRequests += counts.totalRequests;
    this.errorCount += counts.errorCount;
    this.totalLatencyMs += counts.totalLatencyMs;
    this.createdAt = Math.min(this.createdAt, counts.createdAt);
    this.#saved(counts, 1);
  }

  /** What was counted since the last call. `unsave` takes it back. */
  toSave(): Counts {
    const counts = {
      createdAt: this.createdAt,
      lastActivity: this.lastActivity,
      totalRequests: this.totalRequests - this.#savedRequests,
      errorCount: this.errorCount - this.#savedErrors,
      totalLatencyMs: this.totalLatencyMs - this.#savedLatencyMs,
    };
    this.#saved(counts, 1);
    return counts;
  }

  unsave(counts: Counts): void {
    this.#saved(counts, -1);
  }

  #saved({ totalRequests, errorCount, totalLatencyMs }: Counts, sign: 1 | -1): void {
    this.#savedRequests += sign * totalRequests;
    this.#savedErrors += sign * errorCount;
    this.#savedLatencyMs += sign * totalLatencyMs;
  }
}

const stateOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return 'building';
  return Object.entries(value)
    .map(([state, inner]) => `${state}.${stateOf(inner)}`)
    .join(' ');
};

/** Creates leases, and takes them back. */
export interface Lessor {
  now(): number;
  returned(builder: Builder): void;
}

/**
 * A claim on a builder, for one request. It ends once; ending it again has no effect.
 *
 * A session and its runs share a claim. It ends with the last of them, and counts as one request, which has succeeded
 * if all of them have.
 */
export class Lease implements BuilderLease {
  readonly builder: Builder;
  readonly #lessor: Lessor;
  readonly #openedAt: number;
  /** The lease whose claim this one shares. */
  readonly #of: Lease | undefined;
  #isOpen = true;
  #holders = 1;
  /** Undefined while there is nothing to count. */
  #success: boolean | undefined;

  constructor(builder: Builder, lessor: Lessor, now: number, of?: Lease) {
    this.builder = builder;
    this.#lessor = lessor;
    this.#openedAt = now;
    this.#of = of;
  }

  /** Calls back when the builder is ready, or with the failure of its build; synchronously if it is ready. */
  whenReady(ready: (failure: Failure | undefined) => void): void {
    if (this.builder.waiting === undefined) ready(undefined);
    else this.builder.waiting.push(ready);
  }

  /** Resolves when the builder is ready; rejects with the failure of its build. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => this.whenReady((failure) => (failure ? reject(failure) : resolve())));
  }

  /** Another lease on the same claim, which ends separately. */
  share(): Lease {
    const whole = this.#of ?? this;
    whole.#holders += 1;
    return new Lease(this.builder, this.#lessor, this.#openedAt, whole);
  }

  /** Ends the lease and counts the request. The latency includes the wait for a slot, not the build. */
  end(success: boolean): void {
    this.#leave(success);
  }

  /** Ends the lease without a request. */
  cancel(): void {
    this.#leave(undefined);
  }

  #leave(success: boolean | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    (this.#of ?? this).#left(success);
  }

  #left(success: boolean | undefined): void {
    if (success !== undefined) this.#success = success && this.#success !== false;
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const { builder } = this;
    if (this.#success !== undefined) {
      const latencyMs = Math.max(0, this.#lessor.now() - Math.max(this.#openedAt, builder.readyAt));
      builder.recordRequest(latencyMs, this.#success);
    }
    this.#lessor.returned(builder);
  }
}
