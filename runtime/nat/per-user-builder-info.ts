import type { Workflow } from '../authoring/workflow.ts';
import type { BuilderView } from '../builders/view.ts';

/** NAT's `PerUserBuilderInfo`: one cached builder, seen from outside. It shows the present, not a copy of the past. */
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

  /** What the workflow's `build` has made: what `run` gets as its third argument. */
  get resources(): unknown {
    return this.#builder.resources;
  }

  /** The slots of this builder, which no other shares. `limit` is Infinity if there is none. */
  get slots(): { readonly limit: number; readonly held: number; readonly queued: number } {
    return this.#builder.slots;
  }

  /** Open sessions, and runs outside of sessions or that have outlived theirs. */
  get refCount(): number {
    return this.#builder.refCount;
  }

  get createdAt(): Date {
    return new Date(this.#builder.createdAt);
  }

  /** When somebody last began or ended to use it. */
  get lastActivity(): Date {
    return new Date(this.#builder.lastActivity);
  }

  /** Requests that are over. */
  get totalRequests(): number {
    return this.#builder.totalRequests;
  }

  /** Those of them that did not do what was asked, which includes the cancelled. */
  get errorCount(): number {
    return this.#builder.errorCount;
  }

  get totalLatencyMs(): number {
    return this.#builder.totalLatencyMs;
  }

  /** Counts a request that was not a session. Milliseconds. */
  recordRequest(latencyMs: number, success: boolean): void {
    this.#builder.recordRequest(latencyMs, success);
  }
}
