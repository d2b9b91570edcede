/**
 * The processes that share a store, as one of them sees them. A store that one process has for itself has no cluster.
 *
 * No process works because it believes that it may: what counts is decided by the store with each append (S6). The cluster only
 * says who should work.
 */
import { Failure } from '../errors.ts';

export interface Cluster {
  /** Whether this process may work, and may show what it has in memory: the others take it for alive. */
  readonly isValid: boolean;
  /** How much the clock of the store is ahead of that of this process. Deadlines are by the former: they mean the same everywhere. */
  readonly offsetMs: number;
  /** Calls back when `isValid` has changed. What was in memory before is not current any more: others may have taken it. */
  onChange(changed: (isValid: boolean) => void): void;
  /** Tells the others what it serves. Until then it takes nothing. */
  serve(workflows: readonly ServedVersion[]): Promise<void>;
  /** Takes executions that were running or queued, and whose process has ended or let them go: their ids, at most so many. */
  take(limit: number): Promise<readonly string[]>;
  /**
   * Lets an execution go that this process does not serve in its version: true if another process does, or if this one does not
   * serve the workflow at all.
   */
  handOver(executionId: string, version: ServedVersion, isServed: boolean): Promise<boolean>;
  /** Calls back when another process has let executions go, if that is reported. */
  onLetGo(letGo: () => void): void;
  /** All of them that have a lease, or had one within the last hour; the oldest first. */
  nodes(): Promise<readonly NodeView[]>;
  /** Of this process, since its start. */
  readonly counts: ClusterCounts;
  /** Whether an execution belongs to this process, by the store. */
  owns(executionId: string): Promise<boolean>;
  /** Lets go of everything that it owns, and takes nothing any more: the others take it at once. */
  leave(): Promise<void>;
}

/** Callers may try again: at another server, or at this one when its lease is valid again. */
export const leaseEnded = (): Failure =>
  new Failure('store_unavailable', {
    detail:
      'This server could not reach the database in time, and has left its executions to others; send the request again.',
    retryAfterMs: 1_000,
  });

export interface ClusterCounts {
  /** Writes that were refused, because another process had changed the execution. */
  readonly lostWrites: number;
  /** How often its lease has ended. */
  readonly leaseLosses: number;
  /** Executions that it has taken from others. */
  readonly taken: number;
}

/** A process that shares the store. Times are epoch milliseconds, by the clock of the database. */
export interface NodeView {
  readonly id: string;
  /** For people: its machine, and the number of the process there. */
  readonly address: string;
  readonly startedAt: number;
  /** Milliseconds until its lease ends; negative after that: the others take what it executes. */
  readonly leaseMs: number;
  /** Empty until it serves. */
  readonly serves: readonly ServedVersion[];
  /** Number of executions that it executes. */
  readonly executions: number;
  /** It is this process. */
  readonly isThis: boolean;
}

export interface ServedVersion {
  readonly workflow: string;
  readonly version: string;
}
