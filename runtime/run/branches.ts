/**
 * Branches of a run with their own numbering of calls, so that calls of two branches are never confused, in any order.
 */
import type { Branches } from '../authoring/context.ts';
import { WithdrawnError } from '../authoring/errors.ts';
import type { RunCalls } from './run-calls.ts';
import { type Branch, branchRoot, runAt } from './thread.ts';

type Begun<T> = { readonly branch: Branch; readonly result: Promise<T> };

const begin = <T>(run: RunCalls, name: string, work: (signal: AbortSignal) => Promise<T> | T): Begun<T> => {
  const { position } = run;
  const fact = { type: 'branch.started', call: 0, after: 0, name } as const;
  const made = run.make(fact, position);
  const parent = position.branch;
  const branch: Branch = { call: made?.fact.call ?? -1, name, parent, abort: new AbortController() };
  const start = { run, after: branch.call, branch, step: undefined };
  const result =
    made === undefined ? new Promise<T>(() => {}) : runAt(start, () => branchRoot(() => work(branch.abort.signal)));
  result.catch(() => {});
  return { branch, result };
};

export const branch = <T>(run: RunCalls, name: string, work: (signal: AbortSignal) => Promise<T> | T): Promise<T> =>
  begin(run, name, work).result;

/** Starts all, and withdraws the others when the first of them has decided the outcome. */
const decide = <T>(
  run: RunCalls,
  branches: Branches,
  outcome: (results: readonly (readonly [string, Promise<unknown>])[]) => Promise<T>,
  why: string,
): Promise<T> => {
  const begun = Object.entries(branches).map(([name, work]) => ({ name, ...begin(run, name, work) }));
  const decided = outcome(begun.map(({ name, result }) => [name, result]));
  const withdraw = (): void => {
    for (const { name, branch } of begun) {
      branch.abort.abort(new WithdrawnError(`Branch ${JSON.stringify(name)} was withdrawn: ${why}`));
      run.withdraw(branch);
    }
  };
  decided.then(withdraw, withdraw);
  return decided;
};

export const all = (run: RunCalls, branches: Branches): Promise<Record<string, unknown>> =>
  decide(
    run,
    branches,
    async (results) => {
      const values = await Promise.all(results.map(([, result]) => result));
      return Object.fromEntries(results.map(([name], index) => [name, values[index]]));
    },
    'another branch of ctx.all has failed, or all have ended.',
  );

export const race = (run: RunCalls, branches: Branches): Promise<{ winner: string; value: unknown }> =>
  decide(
    run,
    branches,
    (results) => Promise.race(results.map(async ([winner, result]) => ({ winner, value: await result }))),
    'another branch of ctx.race was first.',
  );
