/** A server whose workflow does what a test tells it to. */

import type { TestContext } from 'node:test';
import { type Context, type RuntimeOptions, text, type Workflow, workflow } from '../../runtime/index.ts';
import { given, type ServerWorld, turns } from './given.ts';
import { viewsOf } from './here.ts';
import { until } from './http.ts';
import { puppetry } from './puppet.ts';

export type Headers = Readonly<Record<string, string>>;

export const as = (user: string): Headers => ({ 'x-api-key': user });
export const alice = as('alice');

export const puppetServer = async (t: TestContext, runtime: RuntimeOptions = {}) => {
  const { workflow: served, puppets } = puppetry();
  const world = await given.server(t, { workflow: served, config: { runtime } });
  const start = async (headers: Headers = alice, body: unknown = {}) => {
    const reply = await world.call('POST /v1/workflow', { headers: { prefer: 'respond-async', ...headers }, body });
    return { ...reply, id: reply.headers.get('execution-id') ?? '' };
  };
  const ctx = (id: string): Context => puppets.get(id)!.ctx;
  const ask = (id: string, question = text({ text: 'Which?' })) => {
    ctx(id)
      .prompt(question)
      .catch(() => {});
  };
  const complete = async (...ids: string[]) => {
    for (const id of ids) puppets.get(id)!.complete('done');
    await turns();
  };
  return { ...world, start, ctx, ask, complete, puppets };
};

export const serve = (t: TestContext, served: Workflow, runtime: RuntimeOptions = {}) =>
  given.server(t, { workflow: served, config: { runtime } });

/** Asks for a text, and gives it back. */
export const asking = workflow({
  name: 'asking',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
});

/** Resolves when a client waits for a change of an execution. */
export const watched = ({ runtime }: ServerWorld) =>
  until(() => viewsOf(runtime).some(({ watchers }) => watchers > 0), 'a watcher');
