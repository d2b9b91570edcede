import { type Context, workflow } from '../../runtime/index.ts';

export interface Puppet {
  readonly ctx: Context;
  complete(result: unknown): void;
  fail(error: Error): void;
}

/** A workflow without a will of its own: its runs do what a test tells them to, and end when they are told to. */
export const puppetry = () => {
  const puppets = new Map<string, Puppet>();
  const served = workflow({
    name: 'puppet',
    run: (_input: unknown, ctx) =>
      new Promise<unknown>((complete, fail) => puppets.set(ctx.executionId, { ctx, complete, fail })),
  });
  return { workflow: served, puppets };
};
