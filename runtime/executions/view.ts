/** An execution as callers see it, in any process. */
import type { ExecutionContext, ExecutionStatus } from '../../machines/execution.ts';
import type { Phase } from '../../machines/standing.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Gone, Watcher } from './execution.ts';

export interface ExecutionView {
  readonly id: string;
  /** The fold of its journal. */
  readonly context: ExecutionContext;
  readonly status: ExecutionStatus;
  readonly phase: Phase;
  readonly isSettled: boolean;
  /** Retention after its end. Milliseconds. */
  readonly retentionMs: number;
  /** Its start request. */
  readonly origin: Origin;
  /** Number of present subscribers. */
  readonly watchers: number;
  /**
   * Calls `watcher` after each fact, and `gone` if no more facts are published here, until the returned function is
   * called.
   */
  watch(watcher: Watcher, gone?: Gone): () => void;
}
