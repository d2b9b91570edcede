/** The builders of a workflow, as those see them who open sessions and those who look from outside. */
import type { Workflow } from '../authoring/workflow.ts';
import type { Failure } from '../errors.ts';

/** One builder. Times are epoch milliseconds. */
export interface BuilderView {
  readonly id: string;
  /** Null for the builder of a shared workflow. */
  readonly user: string | null;
  /** Of its machine, such as `ready.in_use`. */
  readonly state: string;
  readonly resources: unknown;
  /** How many resources it has to close. */
  readonly openResources: number;
  /** `limit` is Infinity if there is none. */
  readonly slots: { readonly limit: number; readonly held: number; readonly queued: number };
  readonly createdAt: number;
  readonly lastActivity: number;
  /** Open leases. */
  readonly refCount: number;
  readonly totalRequests: number;
  readonly errorCount: number;
  readonly totalLatencyMs: number;
  /** Adds one finished request. */
  recordRequest(latencyMs: number, success: boolean): void;
}

/** A claim on a builder, for one request; runs that are started with it share it. It ends once: ending it twice is harmless. */
export interface BuilderLease {
  readonly builder: BuilderView;
  /** Calls back when the builder is ready, at once if it is, or with the failure of its build. */
  whenReady(ready: (failure: Failure | undefined) => void): void;
  /** Rejects with `build_failed`. */
  ready(): Promise<void>;
  /** The request has ended, and is counted. */
  end(success: boolean): void;
  /** There was no request. */
  cancel(): void;
}

export interface BuilderPool {
  readonly workflow: Workflow;
  /** Oldest first, idle ones included. */
  list(): readonly BuilderView[];
  /** Null: of a shared workflow. */
  get(user: string | null): BuilderView | undefined;
  /** Throws `identity_required` for a per-user workflow without a user, `queue_full` if no more users fit. */
  lease(user: string | undefined): BuilderLease;
  /** Disposes those that were not used for so long; resolves to their number. */
  disposeIdle(idleMs: number): Promise<number>;
}
