/** Counters of a builder. Several processes count for the same user, so stored counters are added, not replaced. */

/** Times are epoch milliseconds. */
export interface Counts {
  readonly createdAt: number;
  readonly lastActivity: number;
  readonly totalRequests: number;
  readonly errorCount: number;
  readonly totalLatencyMs: number;
}

export const sumOf = (a: Counts, b: Counts): Counts => ({
  createdAt: Math.min(a.createdAt, b.createdAt),
  lastActivity: Math.max(a.lastActivity, b.lastActivity),
  totalRequests: a.totalRequests + b.totalRequests,
  errorCount: a.errorCount + b.errorCount,
  totalLatencyMs: a.totalLatencyMs + b.totalLatencyMs,
});
