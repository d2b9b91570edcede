/** Which plays there are: what can be brought about in each state of the model, and how. */
import { createActor } from 'xstate';
import { type ExecutionSnapshot, executionMachine } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/facts.ts';
import { afterFact, executionPaths, factsToTry, input, startedExecution } from './execution-model.ts';
import { Coverage } from './machine-model.ts';
import { BEYOND_PLAN_MS, FACT_INTERVAL_MS, type Failing, isTimed } from './plan-driver.ts';

/** What happens, one after the other; a failure comes about in this way. */
export type Plan = { readonly facts: readonly ExecutionEvent[]; readonly failing: Failing };
/** What only a run that is executed again brings about: crashes and changed workflows have suites of their own. */
const REPLAYED: ReadonlySet<string> = new Set([
  'execution.recovered',
  'execution.resumed',
  'execution.blocked',
  'execution.unblocked',
  'execution.continued',
  'output.restarted',
]);

export const isReplayed = (transition: string): boolean =>
  transition.includes('running.blocked') || [...REPLAYED].some((fact) => transition.includes(fact));

type Performable = (state: ExecutionSnapshot) => ExecutionEvent[];

/** What can be brought about in a state: no fact that only a run could report which has not begun, and so on. */
export const performable: Performable = (state) => {
  const { context, tags } = state;
  return factsToTry(state).filter((fact) => {
    if (!state.can(fact) || REPLAYED.has(fact.type)) return false;
    if ('dueAt' in fact && isWorkingBeside(state) !== (fact.working === true)) return false;
    if (context.seq === 1) return fact.type === 'slot.granted' || fact.type === 'execution.failed';
    // The work of a step begins with a slot.
    if (fact.type === 'step.completed' || fact.type === 'step.failed') return tags.has('slot');
    // The provider takes its time, and until then the run has parked.
    return fact.type !== 'oauth.granted' || !isAboutToPark(state);
  });
};

/** It was woken and has no slot yet, so another branch has work. */
const isWorkingBeside = ({ context: { steps }, tags }: ExecutionSnapshot): boolean => tags.has('queued') && steps === 0;

/** The same for parts that know no signals and no branches. */
export const performableByParts: Performable = (state) =>
  performable(state).filter(({ type }) => !type.endsWith('.withdrawn') && type !== 'branch.started');

/** The same where everything takes a while; the second prompt would only make it take longer. */
export const performableOverHttp: Performable = (state) =>
  performable(state).filter((fact) => {
    if (('id' in fact && fact.id === 'p2') || fact.type.endsWith('.withdrawn')) return false;
    return !isAboutToPark(state) || fact.type === 'execution.parked';
  });

/** A run without anything to do parks by itself, in the next turn of the event loop. */
const isAboutToPark = ({ context: { steps, pauses }, tags }: ExecutionSnapshot): boolean =>
  tags.has('slot') && steps === 0 && pauses.length > 0;

/** Whether it stands there until something else happens. */
export const isStable = ({ facts }: Plan): boolean => {
  const { slot, steps, open } = facts.reduce((now, fact) => afterFact(now, fact)!, startedExecution);
  return !slot || steps > 0 || open.length === 0;
};

/** From every state each fact by itself, but those that lead nowhere else in one go. */
export const plansForEveryFact = (can: Performable): Plan[] =>
  executionPaths(can).flatMap(({ events, state }) => {
    const [notes, others] = [can(state).filter(isNote), can(state).filter((fact) => !isNote(fact))];
    const next = [notes, ...others.map((fact) => [fact])];
    return next.flatMap((facts) => {
      const failings = facts[0]?.type === 'execution.failed' ? waysToFail(state) : (['cancelled'] as const);
      return failings.map((failing) => ({ facts: [...events, ...facts], failing }));
    });
  });

const isNote = ({ type }: ExecutionEvent): boolean =>
  type === 'value.recorded' ||
  type === 'branch.started' ||
  type === 'notification.sent' ||
  type === 'output.emitted' ||
  type.startsWith('trace.');

const waysToFail = ({ context, tags }: ExecutionSnapshot): Failing[] => {
  const isBegun = context.seq > 1;
  // A sleep and a consent end by themselves at some time.
  const isAwaited = tags.has('waiting') && context.pauses.every(({ kind }) => kind === 'interaction');
  return ['cancelled', ...(isBegun ? (['thrown'] as const) : []), ...(isAwaited ? (['abandoned'] as const) : [])];
};

/** To every state, and to the end of those in which something is open. */
export const plansForEveryState = (can: Performable): Plan[] =>
  executionPaths(can).flatMap(({ events, state }) => {
    const ends = state.context.pauses.length > 0 ? can(state).filter(isEnd) : [];
    return [events, ...ends.map((end) => [...events, end])].map((facts) => ({ facts, failing: 'cancelled' }));
  });

const isEnd = ({ type }: ExecutionEvent): boolean => type === 'execution.completed' || type === 'execution.failed';

/** What of the machine happens in these plays. */
export const coverageOf = (plans: readonly Plan[]): Coverage => {
  const coverage = new Coverage(executionMachine);
  for (const { facts } of plans) {
    const actor = createActor(executionMachine, { input, inspect: coverage.inspect }).start();
    for (const fact of facts) actor.send(fact);
  }
  return coverage;
};

/** A way as long as the choices. Consents do not expire on it: all of them would have to at the same age. */
export const randomPlan = (choices: readonly number[]): Plan => {
  const actor = createActor(executionMachine, { input }).start();
  const facts = choices.map((choice) => {
    const possible = performable(actor.getSnapshot()).filter((fact) => !isEnd(fact) && fact.type !== 'oauth.expired');
    const fact = possible[choice % possible.length]!;
    actor.send(fact);
    return fact;
  });
  return { facts, failing: 'cancelled' };
};

/** How long a consent has to last; it is the same for all consents of a runtime. */
export const oauthTimeoutFor = ({ facts }: Plan): number => {
  const expiry = facts.findIndex(({ type }) => type === 'oauth.expired');
  if (expiry < 0) return BEYOND_PLAN_MS;
  const request = facts.findLastIndex(({ type }, index) => index < expiry && type === 'oauth.requested');
  const before = facts.findLastIndex((fact, index) => index < request && isTimed(fact));
  return (expiry - before) * FACT_INTERVAL_MS;
};
