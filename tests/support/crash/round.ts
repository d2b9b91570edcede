/** Plans that are played side by side in one runtime, to be stopped in the same moment, after as many facts each. */
import type { ExecutionEvent } from '../../../machines/facts.ts';
import { afterFact, type Expected, startedExecution } from '../execution-model.ts';
import type { Plan } from '../plans.ts';
import { isByRun, PlannedRun } from './planned-run.ts';
import { type Group, lastsMs, scheduleOf } from './schedule.ts';

/** One plan of a round. */
export interface PlannedExecution {
  /** Also its user, and its idempotency key. */
  readonly name: string;
  /** Without what happens when all plays are over. */
  readonly plan: Plan;
  readonly groups: readonly Group[];
  readonly run: PlannedRun;
  /** The outcome when no caller comes any more. */
  readonly isAbandoned: boolean;
  /** How many facts there are before the process ends. */
  readonly stop: number;
}

/** `stop` undefined: all that there is, and those that are abandoned have been. */
export const roundOf = (plans: readonly Plan[], stop: number | undefined, file: string): PlannedExecution[] =>
  plans.flatMap((whole, index) => {
    const plan = { ...whole, facts: whole.facts.filter((fact) => !isLate(fact, whole)) };
    const stand = expectedAfter(plan, plan.facts.length);
    // A consent is over long before.
    const isAbandoned = whole.failing === 'abandoned' && stand.open.some(({ kind }) => kind === 'interaction');
    const stopsAt = stop ?? plan.facts.length;
    if (stop === undefined ? !isAbandoned : !canStop(plan, stop)) return [];
    const groups = scheduleOf(plan, stopsAt);
    const name = `${stop}-${index}`;
    const run = new PlannedRun(plan, name, file, (at) => lastsMs(plan, groups, at));
    return { name, plan, groups, run, isAbandoned, stop: stopsAt };
  });

/** It comes when so much time has passed that all plays are over. */
const isLate = ({ type }: ExecutionEvent, { failing }: Plan): boolean =>
  type.startsWith('retention.') ||
  type.startsWith('record.') ||
  (type === 'execution.failed' && failing === 'abandoned');

/**
 * A run that has parked is gone with its process until something wakes it. What it would do meanwhile by itself, which is not
 * due to any call of `ctx`, cannot be expected.
 */
const canStop = (plan: Plan, stop: number): boolean => {
  if (stop > plan.facts.length) return false;
  const next = plan.facts[stop];
  return next === undefined || !isByRun(next, plan) || !isParked(expectedAfter(plan, stop));
};

export const expectedAfter = ({ facts }: Plan, count: number): Expected =>
  facts.slice(0, count).reduce((now, fact) => afterFact(now, fact)!, startedExecution);

/** It is, or will be before anything else happens. */
export const isParked = ({ parked, slot, steps, open, end }: Expected): boolean =>
  end === 'live' && (parked || (slot && steps === 0 && open.length > 0));
