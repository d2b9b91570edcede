import type { TestContext } from 'node:test';
import { ExecutionStore, type ExecutionStoreOptions, Failure, type FailureCode, text } from '../../runtime/index.ts';
import { SimulatedClock } from './simulated-clock.ts';

/** A store whose time passes when the test says so, and which ends with it. */
export const executionStore = (t: TestContext, options: ExecutionStoreOptions = {}) => {
  const clock = new SimulatedClock();
  const store = new ExecutionStore({ clock, ...options });
  t.after(async () => {
    const closed = store.close();
    clock.advance(5_000); // what runs is given that long
    await closed;
  });
  return { store, clock };
};

/** It expires after 60 s, and 5 s in which an answer is still taken. */
export const question = text({ text: 'Your name?', timeoutS: 60 });
export const reply = { kind: 'text', text: 'Ada' } as const;

export const refusal = (code: FailureCode) => (thrown: unknown) => thrown instanceof Failure && thrown.code === code;
