import { type Context, workflow } from '../../runtime/index.ts';

export interface ControlledRun {
  readonly ctx: Context;
  complete(result: unknown): void;
  fail(error: Error): void;
}

/** A workflow without a will of its own: its runs do what a test tells them to, and end when they are told to. */
export const controlledWorkflow = () => {
  const runs = new Map<string, ControlledRun>();
  const served = workflow({
    name: 'controlled',
    run: (_input: unknown, ctx) =>
      new Promise<unknown>((complete, fail) => runs.set(ctx.executionId, { ctx, complete, fail })),
  });
  return { workflow: served, runs };
};
