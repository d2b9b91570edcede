/**
 * When the facts of a plan happen. All plays of a round share the clock, and are stopped in the same moment: each begins as
 * late as it takes to have come as far as all others by then.
 */

import { FACT_INTERVAL_MS, isTimed } from '../plan-driver.ts';
import { isStable, type Plan } from '../plans.ts';

/** A consent lasts that many acts: the runtime has one time for all of them. */
export const CONSENT_ACTS = 12;
/** Longer than any play. */
export const FAR_ACTS = 45;

/** From one fact of a group to the next; prompts are timed in whole seconds. */
export const TICK_MS = 1_000;
/** The tick of an act in which something begins to happen, unless a consent needs another. */
const FIRST_TICK = 20;

/** Facts that happen one after the other in one turn of the event loop. */
export type Group = { readonly act: number; readonly tick: number; readonly first: number; readonly last: number };

/** Acts are counted from the one in which the plan has come to its first `stop` facts: that is number 0. */
export const scheduleOf = (plan: Plan, stop: number): Group[] => {
  const { facts } = plan;
  const groups: Group[] = [];
  let act = 0;
  let first = 0;
  for (const [index] of facts.entries()) {
    const ends =
      index + 1 === facts.length ||
      index + 1 === stop ||
      facts[index + 1]!.type === 'execution.parked' ||
      isStable({ ...plan, facts: facts.slice(0, index + 1) });
    if (!ends) continue;
    act += 1;
    let tick = FIRST_TICK;
    const expiry = facts.findIndex((fact, at) => at >= first && at <= index && fact.type === 'oauth.expired');
    if (expiry >= 0) {
      const request = facts.findLastIndex((fact, at) => at < expiry && fact.type === 'oauth.requested');
      const asked = groups.find(({ last }) => request <= last)!;
      act = asked.act + CONSENT_ACTS;
      tick = asked.tick + (request - asked.first) - (expiry - first) - 1;
    }
    groups.push({ act, tick, first, last: index });
    first = index + 1;
  }
  const stopped = groups.findLast(({ last }) => last < stop)?.act ?? 0;
  return groups.map((group) => ({ ...group, act: group.act - stopped }));
};

/** How long the pause lasts that a fact opens, if time ends it on this plan; a sleep always ends by itself. */
export const lastsMs = ({ facts }: Plan, groups: readonly Group[], index: number): number | undefined => {
  const fact = facts[index]!;
  const id = 'id' in fact ? fact.id : undefined;
  const end = facts.findIndex((later, at) => at > index && 'id' in later && later.id === id);
  if (end >= 0 && isTimed(facts[end]!)) return momentOf(groups, end) + TICK_MS - momentOf(groups, index);
  return fact.type === 'sleep.started' ? FAR_ACTS * FACT_INTERVAL_MS : undefined;
};

/** Milliseconds from act 0. */
const momentOf = (groups: readonly Group[], index: number): number => {
  const { act, tick, first } = groups.find(({ last }) => index <= last)!;
  return act * FACT_INTERVAL_MS + (tick + index - first) * TICK_MS;
};
