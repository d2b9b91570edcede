/** Counts the subscribers of an execution's streams. Some executions end with their last subscriber. */
import type { Caller, ExecutionView, Runtime } from '../../runtime/index.ts';
import type { Call } from './route.ts';

interface Readers {
  count: number;
  /** Executions that end with their subscribers, and who asked for that. */
  cancelBy: Caller | undefined;
}

const all = new WeakMap<ExecutionView, Readers>();

/**
 * Counts a subscriber until its stream ends. `cancelBy`: the run is cancelled when no subscriber is left, also if
 * others disconnect later.
 */
export const countReader = (
  runtime: Pick<Runtime, 'cancel'>,
  execution: ExecutionView,
  call: Pick<Call, 'onGone'>,
  cancelBy?: Caller,
): void => {
  const readers = all.get(execution) ?? { count: 0, cancelBy: undefined };
  all.set(execution, readers);
  readers.count += 1;
  readers.cancelBy ??= cancelBy;
  call.onGone(() => {
    readers.count -= 1;
    const { count, cancelBy: by } = readers;
    if (count > 0 || by === undefined || execution.isSettled) return;
    runtime.cancel(execution.id, by).catch(() => {}); // it may have settled meanwhile
  });
};
