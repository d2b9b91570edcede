/**
 * The asynchronous threads of a run: which call of `ctx` came before another one, independent of parallel calls.
 *
 * Parallel branches may overtake each other, in another order in each replay. The number of a call then means nothing,
 * but the previous call on the same thread does. `AsyncLocalStorage` follows the thread.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** A branch of the run, begun by `ctx.branch`, `ctx.all` or `ctx.race`. */
export interface Branch {
  /** The number of the call that started it. */
  readonly call: number;
  readonly name: string;
  readonly parent: Branch | undefined;
  /** Aborted when the branch is withdrawn. */
  readonly abort: AbortController;
}

export const isWithin = (branch: Branch | undefined, other: Branch): boolean =>
  branch !== undefined && (branch === other || isWithin(branch.parent, other));

/** The step that is running. */
interface AtWork {
  readonly call: number;
  readonly name: string;
}

/** The position of a thread. A run is the position in which its threads begin. */
export interface Position {
  /** The run that the thread belongs to. */
  readonly run: object;
  /** The last call; -1 at the beginning. */
  readonly after: number | string;
  readonly branch: Branch | undefined;
  readonly step: AtWork | undefined;
  /** The thread does not belong to the run's own threads. */
  readonly isLost?: true;
}

const positions = new AsyncLocalStorage<Position>();

/** The position of a thread outside of the run's own. */
export const LOST = 'lost';

/** Undefined on threads of other code, such as those of a listener that was called from elsewhere. */
export const positionIn = (run: object): Position | undefined => {
  const position = positions.getStore();
  return position?.run === run ? position : undefined;
};

/** The run whose thread this is, running or ended; undefined outside of runs. */
export const currentRun = (): object | undefined => positions.getStore()?.run;

/** The thread continues from this position, in the rest of this turn and after its next `await`. */
export const moveTo = (position: Position): void => positions.enterWith(position);

/** Calls code of an author outside of runs: its uncaught errors are reported to `owner`. */
export const ownedBy = <T>(owner: object, work: () => T): T =>
  positions.run({ run: owner, after: LOST, branch: undefined, step: undefined }, work);

export const runAt = <T>(position: Position, work: () => T): T => positions.run(position, work);

/** The search for a fork ends at functions of these names. */
const ROOTS = new Set<unknown>(['branchRoot', 'runRoot']);

/** Calls `work`, and awaits it under a name that `forkHere` finds on the stack. */
export async function branchRoot<T>(work: () => Promise<T> | T): Promise<T> {
  return await work();
}

/** The function of a run: `call` begins it, and one of the others gets its end. */
export interface Callee<Input> {
  call(input: Input): unknown;
  complete(result: unknown): void;
  fail(error: unknown): void;
}

/**
 * Calls the function of a run and awaits it, under a name that `forkHere` finds on the stack. Code after its end
 * belongs to no run. A parked execution keeps this frame: it is one function, because each further promise would cost a
 * hundred bytes.
 */
async function runRoot<Input>(callee: Callee<Input>, input: Input): Promise<void> {
  try {
    const result = await callee.call(input);
    positions.enterWith(undefined as never);
    callee.complete(result);
  } catch (error) {
    positions.enterWith(undefined as never);
    callee.fail(error);
  }
}

/** Begins the thread of a run. */
export const runFrom = <Input>(run: Position, callee: Callee<Input>, input: Input): void =>
  void positions.run(run, runRoot, callee, input);

/** Maximum depth of a stack that is read. */
const DEEPEST = 200;

/**
 * The positions in `Promise.all`, `Promise.any` and `Promise.allSettled` between the root of the thread and the caller,
 * such as `1.0`; empty if there are none, so that all awaits are sequential. `?` if the stack does not reach the root:
 * then another order of calls is possible. V8 keeps the chain of awaiting functions for stack traces; this function
 * reads it.
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

/** V8's extension, which the types omit. */
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
