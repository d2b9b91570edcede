/** Deadlines of an execution: those of its prompts, consents and sleeps, and the limit for waiting. */
import type { ExecutionContext } from './execution.ts';
import { isAwaited } from './facts.ts';

export const NEVER = Number.POSITIVE_INFINITY;

/** The limit for waiting for people. An execution with a deadline or a sleep resumes by itself and is not abandoned. */
export const abandonedAt = ({ parkedAt, pauses }: ExecutionContext, parkedTimeoutMs: number): number =>
  parkedAt !== null && pauses.some(isAwaited) && pauses.every(({ dueAt }) => dueAt === null)
    ? parkedAt + parkedTimeoutMs
    : NEVER;

/** The next deadline of a live execution. `NEVER` without one. */
export const firstDueAt = (context: ExecutionContext, parkedTimeoutMs: number): number => {
  let dueAt = abandonedAt(context, parkedTimeoutMs);
  for (const pause of context.pauses) if (pause.dueAt !== null && pause.dueAt < dueAt) dueAt = pause.dueAt;
  return dueAt;
};
