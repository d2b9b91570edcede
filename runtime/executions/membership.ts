/** This process among others that share its store: it joins them, leaves its executions when its lease ends, and lets go at its end. */
import type { Log } from '../authoring/context.ts';
import type { Cluster, ServedVersion } from '../store/cluster.ts';
import type { Store } from '../store/store.ts';
import { type Clock, correctedClock, systemClock } from '../time/clock.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';

/** Clocks of servers that differ more are reported. Milliseconds. */
const MAX_OFFSET_MS = 1_000;

const NOT_LET_GO =
  'other servers take the executions of this one only when its lease has ended: the database cannot be reached';

const LOST =
  'the lease of this server has ended, because the database could not be reached in time or the process was stopped: it leaves its executions to other servers';

export interface MembershipDeps {
  /** Undefined for a store that one process has for itself. */
  readonly cluster: Cluster | undefined;
  readonly executions: Executions;
  readonly log: Log;
  /** The execution leaves memory. */
  drop(execution: Execution): void;
  /** There may be executions to take. */
  lookNow(): void;
}

export class Membership {
  readonly #deps: MembershipDeps;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
    deps.cluster?.onChange((isValid) => this.#leaseChanged(isValid));
    deps.cluster?.onLetGo(() => deps.lookNow());
  }

  /** False while other processes take this one for dead. */
  get isOwner(): boolean {
    return this.#deps.cluster?.isValid ?? true;
  }

  async join(serves: readonly ServedVersion[]): Promise<void> {
    const { cluster, log } = this.#deps;
    if (cluster === undefined) return;
    await cluster.serve(serves);
    const { offsetMs } = cluster;
    if (Math.abs(offsetMs) > MAX_OFFSET_MS)
      log.warn({ offsetMs }, 'the clock of this server differs from that of the database');
  }

  /** What has not finished is left to other processes. */
  async leave(): Promise<void> {
    const { cluster, log } = this.#deps;
    await cluster?.leave().catch((err) => log.warn({ err }, NOT_LET_GO));
  }

  /**
   * Other processes may have taken what this one executes: everything live leaves memory. When the lease is valid again, what they
   * have not taken is recovered.
   */
  #leaseChanged(isValid: boolean): void {
    const { executions, log, drop, lookNow } = this.#deps;
    if (isValid) {
      log.info({}, 'the lease of this server is valid again: it serves');
      lookNow();
      return;
    }
    const live = executions.all().filter(({ isSettled }) => !isSettled);
    log.error({ executions: live.length }, LOST);
    for (const execution of live) {
      execution.dismiss();
      drop(execution);
    }
  }
}

/** The clock of the processes that share a store, the same for all of them. */
export const clockOf = (store: Store | undefined): Clock => {
  const { cluster } = store?.archive ?? {};
  return cluster === undefined ? systemClock : correctedClock(() => cluster.offsetMs);
};
