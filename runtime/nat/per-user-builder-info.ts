import type { Workflow } from '../authoring/workflow.ts';
import type { BuilderView } from '../builders/view.ts';

/** NAT's `PerUserBuilderInfo`: one cached builder, seen from outside. It shows the present state, not a copy. */
export class PerUserBuilderInfo {
  readonly #builder: BuilderView;
  readonly workflow: Workflow;

  constructor(builder: BuilderView, workflow: Workflow) {
    this.#builder = builder;
    this.workflow = workflow;
  }

  /** Null for the builder of a shared workflow. */
  get userId(): string | null {
    return this.#builder.user;
  }

  /** The result of the workflow's `build`, the third argument of `run`. */
  get resources(): unknown {
    return this.#builder.resources;
  }

  /** The slots of this builder only. `limit` is Infinity without a limit. */
  get slots(): { readonly limit: number; readonly held: number; readonly queued: number } {
    return this.#builder.slots;
  }

  /** Open sessions, and runs that have no session or have outlived theirs. */
  get refCount(): number {
    return this.#builder.refCount;
  }

  get createdAt(): Date {
    return new Date(this.#builder.createdAt);
  }

  /** The last beginning or end of a use. */
  get lastActivity(): Date {
    return new Date(this.#builder.lastActivity);
  }

  /** Number of finished requests. */
  get totalRequests(): number {
    return this.#builder.totalRequests;
  }

  /** Number of failed ones among them, including cancelled ones. */
  get errorCount(): number {
    return this.#builder.errorCount;
  }

  get totalLatencyMs(): number {
    return this.#builder.totalLatencyMs;
  }

  /** Counts a request without a session. Milliseconds. */
  recordRequest(latencyMs: number, success: boolean): void {
    this.#builder.recordRequest(latencyMs, success);
  }
}
