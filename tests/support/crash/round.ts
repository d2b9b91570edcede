/** Plans that are played side by side, in one runtime, to be stopped after as many facts each. */
import { after, begun, type Expected } from '../execution-model.ts';
import type { Plan } from '../plans.ts';
import { isOwn, Part } from './part.ts';
import { type Group, lastsMs, timetable } from './timetable.ts';

/** One plan of a round. */
export interface Cue {
  /** Also the user, and the idempotency key. */
  readonly name: string;
  readonly plan: Plan;
  readonly groups: readonly Group[];
  readonly part: Part;
}

/** Stops after so many facts; `end`: when what takes longest has ended it. */
export const roundOf = (plans: readonly Plan[], stop: number, file: string): Cue[] =>
  plans.flatMap((whole, index) => {
    const plan = { ...whole, facts: whole.facts.filter((fact) => !isLate(fact.type, whole)) };
    if (!canStop(plan, stop)) return [];
    const groups = timetable(plan, stop);
    const name = `${stop}-${index}`;
    return { name, plan: whole, groups, part: new Part(plan, name, file, (at) => lastsMs(plan, groups, at)) };
  });

/** It comes when so much time has passed that all plays are over. */
const isLate = (type: string, { failing }: Plan): boolean =>
  type === 'retention.elapsed' ||
  type === 'record.forgotten' ||
  (type === 'execution.failed' && failing === 'abandoned');

/**
 * A run that has parked is gone with its process until something wakes it. What it would do meanwhile by itself, which is not
 * due to any call of `ctx`, cannot be expected.
 */
const canStop = (plan: Plan, stop: number): boolean => {
  const next = plan.facts[stop];
  if (stop > plan.facts.length) return false;
  return next === undefined || !isOwn(next, plan) || !isParked(standAfter(plan, stop));
};

export const standAfter = ({ facts }: Plan, count: number): Expected =>
  facts.slice(0, count).reduce((now, fact) => after(now, fact)!, begun);

/** It is, or will be before anything else happens. */
export const isParked = ({ parked, slot, steps, open, end }: Expected): boolean =>
  end === 'live' && (parked || (slot && steps === 0 && open.length > 0));
