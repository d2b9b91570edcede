/**
 * Errors that no one catches, from the asynchronous threads of runs: promises that an author forgot to await, callbacks that
 * throw. They are logged with the id of their execution, and end nothing else; Node would end the process, and with it the
 * executions of all others. What comes from elsewhere in the program has the consequences that it has without a runtime.
 */
import { currentRun } from './thread.ts';

/** A run, as far as its stray errors are concerned. */
export interface Strayed {
  strayed(error: unknown, how: 'rejection' | 'exception'): void;
}

let guards = 0;

/** Until what is returned is called. Any number of runtimes may guard at the same time. */
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
 * Lets no run end the process: `process.exit` throws where a run calls it. For servers, whose process is also that of all other
 * executions. What is returned undoes it.
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
