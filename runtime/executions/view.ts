/** An execution as callers see it, wherever it is executed. */
import type { ExecutionContext, ExecutionStatus } from '../../machines/execution.ts';
import type { Origin } from '../journal/start-request.ts';
import type { Gone, Phase, Watcher } from './execution.ts';

export interface ExecutionView {
  readonly id: string;
  /** The fold of its journal. */
  readonly context: ExecutionContext;
  readonly status: ExecutionStatus;
  readonly phase: Phase;
  readonly isSettled: boolean;
  /** How long its record is kept once it has settled. Milliseconds. */
  readonly retentionMs: number;
  /** What it was started with. */
  readonly origin: Origin;
  /** How many watch it at the moment. */
  readonly watchers: number;
  /** Calls `watcher` after each fact, and `gone` if no more facts are told here, until the returned function is called. */
  watch(watcher: Watcher, gone?: Gone): () => void;
}
