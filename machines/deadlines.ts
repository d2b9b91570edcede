/** When something becomes due for an execution: what it waits for has a time of its own, and so has its waiting. */
import type { ExecutionContext } from './execution.ts';
import { isAwaited } from './facts.ts';

export const NEVER = Number.POSITIVE_INFINITY;

/** When waiting for people becomes too long. One that goes on by itself at some time, by a deadline or a sleep, is not abandoned. */
export const abandonedAt = ({ parkedAt, pauses }: ExecutionContext, parkedTimeoutMs: number): number =>
  parkedAt !== null && pauses.some(isAwaited) && pauses.every(({ dueAt }) => dueAt === null)
    ? parkedAt + parkedTimeoutMs
    : NEVER;

/** Of a live execution. `NEVER` if nothing will happen to it by itself. */
export const firstDueAt = (context: ExecutionContext, parkedTimeoutMs: number): number => {
  let dueAt = abandonedAt(context, parkedTimeoutMs);
  for (const pause of context.pauses) if (pause.dueAt !== null && pause.dueAt < dueAt) dueAt = pause.dueAt;
  return dueAt;
};
