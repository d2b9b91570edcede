/** Who reads the streams of an execution: what ends with its readers ends with the last of them. */
import type { Caller, ExecutionView, Runtime } from '../../runtime/index.ts';
import type { Call } from './route.ts';

interface Readers {
  count: number;
  /** Who has asked that the run ends with its readers. */
  cancelBy: Caller | undefined;
}

const all = new WeakMap<ExecutionView, Readers>();

/**
 * Counts a reader for as long as its stream lasts. `cancelBy`: it asks that the run is cancelled when no reader is left;
 * that holds also if others leave after it.
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
    runtime.cancel(execution.id, by).catch(() => {}); // by then it may have settled
  });
};
