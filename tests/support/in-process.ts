/** What a runtime has in this process, and its seam does not show. */
import type { Engine } from '../../runtime/engine.ts';
import type { ExecutionView, Runtime } from '../../runtime/index.ts';
import { LocalRuntime } from '../../runtime/local-runtime.ts';

/** A value that memory, or a file, gives at once. Throws if it is a promise. */
export const immediate = <T>(value: T): Exclude<T, Promise<unknown>> => {
  if (value instanceof Promise) throw new Error('expected a value that is there at once, got a promise');
  return value as Exclude<T, Promise<unknown>>;
};

/** Throws for a runtime that has none. */
export const engineOf = (runtime: Runtime): Engine => {
  if (runtime instanceof LocalRuntime) return runtime.engine;
  throw new Error('this runtime has no engine in this process');
};

/** The newest thousand executions, newest first, as their readers see them. */
export const viewsOf = (runtime: Runtime): readonly ExecutionView[] => {
  const by = { userId: undefined, isOperator: true };
  const { executions } = immediate(runtime.list(by, { limit: 1_000 }));
  return executions.flatMap(({ id }) => immediate(runtime.get(id, by)) ?? []);
};
