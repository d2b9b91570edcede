/**
 * Uncaught errors in the asynchronous threads of runs: promises that an author did not await, callbacks that throw.
 * They are logged with the id of their execution, and end nothing else. Node would end the process, and with it all
 * other executions. Errors of other code have their usual consequences.
 */
import { currentRun } from './thread.ts';

/** A run, for its uncaught errors. */
export interface Strayed {
  strayed(error: unknown, how: 'rejection' | 'exception'): void;
}

let guards = 0;

/** Guards until the returned function is called. Several runtimes may guard at the same time. */
export const guardStrays = (): (() => void) => {
  guards += 1;
  if (guards === 1) {
    process.on('unhandledRejection', onRejection);
    process.on('uncaughtException', onException);
  }
  let isOn = true;
  return () => {
    if (!isOn) return;
    isOn = false;
    guards -= 1;
    if (guards === 0) stopGuarding();
  };
};

const stopGuarding = (): void => {
  process.off('unhandledRejection', onRejection);
  process.off('uncaughtException', onException);
};

const onRejection = (error: unknown): void => {
  const run = currentRun() as Strayed | undefined;
  if (run !== undefined) run.strayed(error, 'rejection');
  else if (process.listenerCount('unhandledRejection') === 1) asUsual(error);
};

const onException = (error: unknown): void => {
  const run = currentRun() as Strayed | undefined;
  if (run !== undefined) run.strayed(error, 'exception');
  else if (process.listenerCount('uncaughtException') === 1) asUsual(error);
};

/**
 * Prevents runs from ending the process: `process.exit` throws in a run. For servers, whose process all executions
 * share. The returned function undoes it.
 */
export const refuseExit = (): (() => void) => {
  const { exit } = process;
  process.exit = (code) => {
    if (currentRun() === undefined) return exit.call(process, code);
    throw new Error(
      'A workflow called process.exit, which would end all other executions too: return or throw instead.',
    );
  };
  return () => {
    process.exit = exit;
  };
};

/** There is no other listener: Node prints the error, and ends the process. */
const asUsual = (error: unknown): void => {
  stopGuarding();
  process.nextTick(() => {
    throw error;
  });
};
