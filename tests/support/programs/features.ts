/** Calls that the runtime has or will have: programs are made of those that it has. */
import type { Context } from '../../../runtime/index.ts';
import * as fermata from '../../../runtime/index.ts';
import { RunContext } from '../../../runtime/run-context.ts';

const has = (name: string): boolean => name in RunContext.prototype;

export const features = {
  /** `ctx.branch`, `ctx.all`, `ctx.race`. */
  branches: has('branch') && has('all') && has('race'),
  /** A `signal` of a call that waits. */
  withdrawal: 'WithdrawnError' in fermata,
  /** What `ctx.step` gives to its work. */
  stepHandle: 'StepContextError' in fermata,
};

type Signalled = { readonly signal?: AbortSignal };

/** What an author may call, with what is not there everywhere. */
export type Wide = Omit<Context, 'prompt' | 'sleep' | 'authorize' | 'step'> & {
  // biome-ignore lint/suspicious/noExplicitAny: a question of any kind
  prompt(question: any, options?: Signalled & { readonly key?: string }): Promise<any>;
  sleep(ms: number, options?: Signalled): Promise<void>;
  authorize(
    provider: string,
    options?: Signalled & { readonly scopes?: readonly string[] },
  ): Promise<{ value: string }>;
  step(name: string, work: (step: StepHandle | undefined) => unknown): Promise<unknown>;
  branch<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  all<T>(branches: Record<string, (signal: AbortSignal) => Promise<T>>): Promise<Record<string, T>>;
  race<T>(branches: Record<string, (signal: AbortSignal) => Promise<T>>): Promise<{ winner: string; value: T }>;
};

export interface StepHandle {
  emit(value: unknown): void;
  span(kind: 'TOOL', name: string): { end(output?: unknown): void };
}
