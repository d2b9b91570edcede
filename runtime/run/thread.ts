/**
 * Asynchronous threads of a run: which call of `ctx` came before another one, whatever happens beside them.
 *
 * Branches that run side by side may overtake each other, and do so differently in each life of an execution. The number of a
 * call says nothing then; the call before it on the same thread does. `AsyncLocalStorage` follows the thread.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** A branch of the run, begun by `ctx.branch`, `ctx.all` or `ctx.race`. */
export interface Branch {
  /** The number of the call that began it. */
  readonly call: number;
  readonly name: string;
  readonly parent: Branch | undefined;
  /** Aborted when the branch is withdrawn. */
  readonly abort: AbortController;
}

export const isWithin = (branch: Branch | undefined, other: Branch): boolean =>
  branch !== undefined && (branch === other || isWithin(branch.parent, other));

/** The step that is at work. */
export interface AtWork {
  readonly call: number;
  readonly name: string;
}

/** What a thread has reached. A run is the position in which its threads begin. */
export interface Position {
  /** The run that the thread belongs to. */
  readonly run: object;
  /** The call that was made last; -1 at the beginning. */
  readonly after: number | string;
  readonly branch: Branch | undefined;
  readonly step: AtWork | undefined;
  /** The thread is not one of the run's own. */
  readonly isLost?: true;
}

const positions = new AsyncLocalStorage<Position>();

/** What a thread has reached that is not one of the run's own. */
export const LOST = 'lost';

/** Undefined on threads that are not of this run, such as those of a listener that was called from elsewhere. */
export const positionIn = (run: object): Position | undefined => {
  const position = positions.getStore();
  return position?.run === run ? position : undefined;
};

/** The run on whose thread this is called, be it over or not; undefined outside of runs. */
export const currentRun = (): object | undefined => positions.getStore()?.run;

/** The thread goes on from there, in what is left of this turn and behind its next `await`. */
export const moveTo = (position: Position): void => positions.enterWith(position);

/** Calls code of an author that belongs to no run: its stray errors are reported to `owner`. */
export const ownedBy = <T>(owner: object, work: () => T): T =>
  positions.run({ run: owner, after: LOST, branch: undefined, step: undefined }, work);

export const runAt = <T>(position: Position, work: () => T): T => positions.run(position, work);

/** Functions of these names are where the search for a fork ends. */
const ROOTS = new Set<unknown>(['branchRoot', 'runRoot']);

/** Calls `work`, and awaits it under a name that `forkHere` finds on the stack. */
export async function branchRoot<T>(work: () => Promise<T> | T): Promise<T> {
  return await work();
}

/** A run, as its thread sees it. */
export interface Root<Input> extends Position {
  call(input: Input): unknown;
  complete(result: unknown): void;
  fail(error: unknown): void;
}

/**
 * Calls the function of a run and awaits it, under a name that `forkHere` finds on the stack. What follows from its end belongs to no run.
 * A parked execution keeps this frame: it is one function, since each promise more would cost it a hundred bytes.
 */
async function runRoot<Input>(run: Root<Input>, input: Input): Promise<void> {
  try {
    const result = await run.call(input);
    positions.enterWith(undefined as never);
    run.complete(result);
  } catch (error) {
    positions.enterWith(undefined as never);
    run.fail(error);
  }
}

/** Begins the thread of a run. */
export const runFrom = <Input>(run: Root<Input>, input: Input): void => void positions.run(run, runRoot, run, input);

/** As deep as a stack is read. */
const DEEPEST = 200;

/**
 * The places in `Promise.all`, `Promise.any` and `Promise.allSettled` that lead from the root of the thread to the caller, such as
 * `1.0`; empty if there are none, so that everything is awaited in a row. `?` if the stack does not lead to the root: then
 * another order of calls is possible. V8 keeps the chain of awaiting functions for stack traces, which is where this
 * is from.
 */
export const forkHere = (): string => {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = DEEPEST;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, forkHere);
    return forkOf(holder.stack as readonly CallSite[]);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
};

/** What V8 has and the types do not know. */
type CallSite = NodeJS.CallSite & { isAsync?(): boolean; getPromiseIndex?(): number | null };

const forkOf = (sites: readonly CallSite[]): string => {
  const places: number[] = [];
  for (const site of sites) {
    const index = site.isAsync?.() ? site.getPromiseIndex?.() : null;
    if (index !== null && index !== undefined) places.unshift(index);
    if (ROOTS.has(site.getFunctionName())) return places.join('.');
  }
  return '?';
};
