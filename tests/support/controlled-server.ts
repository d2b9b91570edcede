/** A server whose workflow does what a test tells it to. */

import type { TestContext } from 'node:test';
import { type Context, type RuntimeOptions, text, type Workflow, workflow } from '../../runtime/index.ts';
import { controlledWorkflow } from './controlled-workflow.ts';
import { given, type ServerWorld, turns } from './given.ts';
import { until } from './http.ts';
import { viewsOf } from './in-process.ts';

export type Headers = Readonly<Record<string, string>>;

export const asUser = (user: string): Headers => ({ 'x-api-key': user });
export const asAlice = asUser('alice');

export const controlledServer = async (t: TestContext, runtime: RuntimeOptions = {}) => {
  const { workflow: served, runs } = controlledWorkflow();
  const world = await given.server(t, { workflow: served, config: { runtime } });
  const start = async (headers: Headers = asAlice, body: unknown = {}) => {
    const reply = await world.call('POST /v1/workflow', { headers: { prefer: 'respond-async', ...headers }, body });
    return { ...reply, id: reply.headers.get('execution-id') ?? '' };
  };
  const ctx = (id: string): Context => runs.get(id)!.ctx;
  const ask = (id: string, question = text({ text: 'Which?' })) => {
    ctx(id)
      .prompt(question)
      .catch(() => {});
  };
  const complete = async (...ids: string[]) => {
    for (const id of ids) runs.get(id)!.complete('done');
    await turns();
  };
  return { ...world, start, ctx, ask, complete, runs };
};

export const serveWorkflow = (t: TestContext, served: Workflow, runtime: RuntimeOptions = {}) =>
  given.server(t, { workflow: served, config: { runtime } });

/** Asks for a text, and gives it back. */
export const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
});

/** Resolves when a client waits for a change of an execution. */
export const untilWatched = ({ runtime }: ServerWorld) =>
  until(() => viewsOf(runtime).some(({ watchers }) => watchers > 0), 'a watcher');
