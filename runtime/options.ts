/** All options of the runtime, with units and defaults. Unknown keys and invalid values are refused by name. */
import { getHeapStatistics } from 'node:v8';
import { Failure } from './errors.ts';

export interface RuntimeOptions {
  /** Maximum number of concurrent runs per builder: per user of a per-user workflow, else per workflow. Default 8. */
  maxConcurrency?: number;
  /**
   * Maximum number of runs that wait for a slot of one builder. Beyond it a start is refused as `queue_full`. Default
   * 1_000.
   */
  maxQueued?: number;
  /**
   * Maximum number of users with an open builder, per workflow. The one that was idle longest is disposed. Default
   * 10_000.
   */
  maxBuilders?: number;
  /**
   * Retention of settled executions. Default 600_000 in memory (NAT's documented ten minutes), and 604_800_000 (a week)
   * in a durable store.
   */
  retentionMs?: number;
  /** Maximum number of settled executions in memory; beyond it the oldest are deleted early. Default 20_000. */
  maxSettled?: number;
  /**
   * Approximate maximum of heap bytes for records. Beyond it settled ones leave memory early. If that is not enough, a
   * start is refused as `queue_full`. Default: a quarter of Node's heap limit.
   */
  maxRecordBytes?: number;
  /** How long an execution is parked before its actor is stopped. Default 1_000. */
  restAfterMs?: number;
  /** How long an execution is parked before it leaves memory, with a durable store. Default 60_000. */
  hibernateAfterMs?: number;
  /**
   * How often the process may die while an execution is replayed alone, before it fails as `interrupted`. Default 10.
   */
  maxRecoveries?: number;
  /**
   * How long an execution may stay parked before it fails as `abandoned`, if it has no other deadline: of a prompt with
   * a timeout, a consent, or a sleep. Default 604_800_000 (a week).
   */
  parkedTimeoutMs?: number;
  /** How long after a prompt's own timeout an answer is still accepted. Default 5_000, as on NAT. */
  promptGraceMs?: number;
  /** Timeout of a consent. Default 300_000. */
  oauthTimeoutMs?: number;
  /**
   * Maximum number of pending consents; a run without a place waits for one. A caller may have as many as are free, so
   * no caller takes all of them. Default 10_000.
   */
  maxConsents?: number;
  /**
   * How long the token of a consent stays if no run uses it: users may never come back. Then the user is asked for
   * consent again. Default 7_776_000_000 (90 days).
   */
  tokenRetentionMs?: number;
  /** How long an idle builder is kept. Default 1_800_000. */
  builderIdleMs?: number;
  /**
   * Maximum number of facts per execution. Beyond it the oldest output is dropped, and the journal reports `truncated`.
   * Default 10_000.
   */
  maxJournalFacts?: number;
  /** Maximum bytes of facts per execution besides its input, as JSON. Default 4_194_304. */
  maxJournalBytes?: number;
  /** How long `stop()` waits for running executions before it cancels them. Default 5_000. */
  stopTimeoutMs?: number;
  /**
   * With a database: how long other servers wait for a sign of life of this one before they take what it executes. Default
   * 5_000.
   */
  leaseMs?: number;
  /** With a database: how long a step may block the event loop before other servers take over. Default 30_000. */
  stallTimeoutMs?: number;
}

/** The share of the heap for records. The rest is for requests, code and garbage. */
const SHARE_OF_HEAP = 0.25;

export const defaults = {
  maxConcurrency: 8,
  maxQueued: 1_000,
  maxBuilders: 10_000,
  retentionMs: 600_000,
  maxSettled: 20_000,
  maxRecordBytes: Math.floor(getHeapStatistics().heap_size_limit * SHARE_OF_HEAP),
  restAfterMs: 1_000,
  hibernateAfterMs: 60_000,
  maxRecoveries: 10,
  parkedTimeoutMs: 7 * 24 * 3_600_000,
  promptGraceMs: 5_000,
  oauthTimeoutMs: 300_000,
  maxConsents: 10_000,
  tokenRetentionMs: 90 * 24 * 3_600_000,
  builderIdleMs: 1_800_000,
  maxJournalFacts: 10_000,
  maxJournalBytes: 4 * 1024 * 1024,
  stopTimeoutMs: 5_000,
  leaseMs: 5_000,
  stallTimeoutMs: 30_000,
} as const satisfies Required<RuntimeOptions>;

/** Defaults that differ with a durable store. */
const durableDefaults = { retentionMs: 7 * 24 * 3_600_000 };

export type ResolvedOptions = { readonly [Key in keyof Required<RuntimeOptions>]: number };

type Unresolved = { readonly [Key in keyof RuntimeOptions]: number | undefined };

/** Numbers that must be at least 1; all others may be 0. */
const positive: readonly (keyof RuntimeOptions)[] = [
  'maxBuilders',
  'maxConsents',
  'maxJournalFacts',
  'maxJournalBytes',
  'leaseMs',
];

export const resolveOptions = (given: Unresolved = {}, isDurable = false): ResolvedOptions => {
  for (const [key, value] of Object.entries(given)) {
    if (!(key in defaults)) throw new Failure('options_invalid', { detail: `unknown option ${key}` });
    const least = positive.includes(key as keyof RuntimeOptions) ? 1 : 0;
    if (value !== undefined && !(Number.isFinite(value) && value >= least)) {
      throw new Failure('options_invalid', { detail: `${key} must be a number of at least ${least}, got ${value}` });
    }
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(isDurable && durableDefaults), ...Object.fromEntries(set) };
};
