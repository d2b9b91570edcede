/** The builders of a workflow, as sessions and monitoring see them. */
import type { Workflow } from '../authoring/workflow.ts';
import type { Failure } from '../errors.ts';

/** One builder. Times are epoch milliseconds. */
export interface BuilderView {
  readonly id: string;
  /** Null for the builder of a shared workflow. */
  readonly user: string | null;
  /** The state of its machine, such as `ready.in_use`. */
  readonly state: string;
  readonly resources: unknown;
  /** Number of resources to close. */
  readonly openResources: number;
  /** `limit` is Infinity without a limit. */
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

/**
 * A claim on a builder, for one request. Runs that are started with it share it. It ends once; ending it again has no
 * effect.
 */
export interface BuilderLease {
  readonly builder: BuilderView;
  /** Calls back when the builder is ready, or with the failure of its build; synchronously if it is ready. */
  whenReady(ready: (failure: Failure | undefined) => void): void;
  /** Rejects with `build_failed`. */
  ready(): Promise<void>;
  /** The request has ended, and is counted. */
  end(success: boolean): void;
  /** There was no request, so nothing is counted. */
  cancel(): void;
}

export interface BuilderPool {
  readonly workflow: Workflow;
  /** Oldest first, idle ones included. */
  list(): readonly BuilderView[];
  /** Null: the builder of a shared workflow. */
  get(user: string | null): BuilderView | undefined;
  /** Throws `identity_required` for a per-user workflow without a user, `queue_full` at the limit of users. */
  lease(user: string | undefined): BuilderLease;
  /** Disposes builders that were idle this long. Resolves to their number. */
  disposeIdle(idleMs: number): Promise<number>;
}
