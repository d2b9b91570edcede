/** Every option of the runtime, with its unit and default. Unknown keys and bad values are refused by name. */
import { getHeapStatistics } from 'node:v8';
import { Failure } from './errors.ts';

export interface RuntimeOptions {
  /** Runs that may execute at once per builder: per user of a per-user workflow, else per workflow. Default 8. */
  maxConcurrency?: number;
  /** Runs that may wait for a slot of one builder; beyond it a start is refused as `queue_full`. Default 1_000. */
  maxQueued?: number;
  /** Users whose builders may be open at once, per workflow; the longest idle one makes room. Default 10_000. */
  maxBuilders?: number;
  /**
   * How long the record of a settled execution is kept. Default 600_000 in memory (NAT's documented ten minutes), and
   * 604_800_000 (a week) in a store that outlives the process.
   */
  retentionMs?: number;
  /** Settled executions kept in memory at most; beyond it the oldest are forgotten before their time. Default 20_000. */
  maxSettled?: number;
  /**
   * Bytes of the heap that records may take, about. Beyond it settled ones leave memory before their time, and if that is not
   * enough a start is refused as `queue_full`. Default: a quarter of the heap that Node allows itself.
   */
  maxRecordBytes?: number;
  /** How long an execution is parked before its actor is let go until there is news. Default 1_000. */
  restAfterMs?: number;
  /** How long an execution is parked before it leaves memory, if its store outlives the process. Default 60_000. */
  hibernateAfterMs?: number;
  /** How often the process may die while an execution is executed again, alone, before it fails as `interrupted`. Default 10. */
  maxRecoveries?: number;
  /**
   * How long an execution may stay parked before it fails as `abandoned`, if nothing it waits for ends at a time of its own: a
   * prompt with a timeout, a consent, a sleep. Default 604_800_000 (a week).
   */
  parkedTimeoutMs?: number;
  /** How long after a prompt's own timeout an answer is still taken. Default 5_000, as NAT does. */
  promptGraceMs?: number;
  /** How long a consent may take before it expires. Default 300_000. */
  oauthTimeoutMs?: number;
  /**
   * Consents that may be pending at once; a run that finds no place waits for one. A caller may have as many as are free, so
   * no caller takes all of them. Default 10_000.
   */
  maxConsents?: number;
  /** How long a builder nobody uses is kept. Default 1_800_000. */
  builderIdleMs?: number;
  /** Facts kept per execution; beyond it the oldest output goes, and the journal says `truncated`. Default 10_000. */
  maxJournalFacts?: number;
  /** Bytes of facts kept per execution beside its input, as JSON. Default 4_194_304. */
  maxJournalBytes?: number;
  /** How long `stop()` waits for executing runs before it cancels them. Default 5_000. */
  stopTimeoutMs?: number;
}

/** Of the heap, for records. The rest is for requests under way, code and garbage. */
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
  builderIdleMs: 1_800_000,
  maxJournalFacts: 10_000,
  maxJournalBytes: 4 * 1024 * 1024,
  stopTimeoutMs: 5_000,
} as const satisfies Required<RuntimeOptions>;

/** What is otherwise in a store that outlives the process. */
const durableDefaults = { retentionMs: 7 * 24 * 3_600_000 };

export type ResolvedOptions = { readonly [Key in keyof Required<RuntimeOptions>]: number };

type Unresolved = { readonly [Key in keyof RuntimeOptions]: number | undefined };

/** Counts that must be at least 1; everything else may be 0. */
const positive: readonly (keyof RuntimeOptions)[] = [
  'maxBuilders',
  'maxConsents',
  'maxJournalFacts',
  'maxJournalBytes',
];

/** `outlives`: executions are in a store that outlives the process. */
export const resolveOptions = (given: Unresolved = {}, outlives = false): ResolvedOptions => {
  for (const [key, value] of Object.entries(given)) {
    if (!(key in defaults)) throw new Failure('options_invalid', { detail: `unknown option ${key}` });
    const least = positive.includes(key as keyof RuntimeOptions) ? 1 : 0;
    if (value !== undefined && !(Number.isFinite(value) && value >= least)) {
      throw new Failure('options_invalid', { detail: `${key} must be a number of at least ${least}, got ${value}` });
    }
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(outlives && durableDefaults), ...Object.fromEntries(set) };
};
