/** A server with everything on it, and executions of its owner in every state. */

import type { TestContext } from 'node:test';
import { z } from 'zod';
import { text, workflow } from '../../../../runtime/index.ts';
import { given, operator, turns } from '../../../support/given.ts';
import { immediate } from '../../../support/in-process.ts';
import { isPrompt, userMessage } from '../../../support/socket-server.ts';
import { openSocket } from '../../../support/web-socket.ts';
import { ask, type Sent } from './asking.ts';
import { type Kind, operatorKey } from './callers.ts';

const states = ['executing', 'asking', 'consenting', 'sleeping', 'completed', 'failed'] as const;
export type State = (typeof states)[number];

const jobInput = z.object({ state: z.enum(states).default('completed') });
type Context = Parameters<Parameters<typeof workflow>[0]['run']>[1];

/** What was asked for: in a body, or as a word on a socket. */
const stateIn = (input: unknown): State => {
  const word = typeof input === 'string' ? input : (input as { state?: unknown } | null)?.state;
  return states.find((state) => state === word) ?? 'completed';
};

const run = async (input: unknown, ctx: Context): Promise<string> => {
  switch (stateIn(input)) {
    case 'executing':
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      return 'cancelled';
    case 'asking':
      return (await ctx.prompt(text({ text: 'Which?' }))).text;
    case 'consenting':
      return (await ctx.authorize('bank')).value;
    case 'sleeping':
      await ctx.sleep(3_600_000);
      return 'woken';
    case 'completed':
      return 'done';
    case 'failed':
      throw new Error('It did not work.');
  }
};

export interface Owned {
  readonly execution: string;
  /** What it asks, or has asked; another word where it does not. */
  readonly interaction: string;
}

const LONG = 100 * 24 * 3_600_000;

export const matrixWorld = async (t: TestContext, { config, owner, guest }: Kind) => {
  let end = (): Promise<void> => Promise.resolve();
  t.after(() => end());
  const world = await given.server(t, {
    workflow: workflow({ name: 'shared', run }),
    workflows: [
      workflow({ name: 'personal', perUser: { build: () => null }, run }),
      workflow({ name: 'work', input: jobInput, run }),
    ],
    config: {
      asyncJobs: true,
      monitorUsers: true,
      objectStore: 'memory',
      providers: { bank },
      runtime: { maxConcurrency: 0, oauthTimeoutMs: LONG, retentionMs: LONG },
      endpoints: [
        {
          functionName: 'personal',
          method: 'POST',
          path: '/personal',
          legacyPath: '/own',
          websocketPath: '/personal/socket',
        },
        { functionName: 'work', method: 'POST', path: '/work', legacyPath: '/old-work' },
      ],
      ...config,
    },
  });
  const { server, runtime } = world;
  const origin = server.url;
  const signedIn = await fetch(`${server.url}/operator`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': 'nobody' },
    body: JSON.stringify({ key: operatorKey }),
  });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const browser = { cookie, origin };
  const ownHeaders = (await owner(browser)) as Record<string, string>;

  const send = (line: string, headers: Sent, body?: unknown) => ask(server.url, line, headers, body);
  const start = async (state: State): Promise<Owned> => {
    const { headers } = await world.call('POST /v1/workflow', {
      headers: { ...ownHeaders, prefer: 'respond-async' },
      body: { state },
    });
    const execution = headers.get('execution-id')!;
    const found = immediate(runtime.get(execution, operator))!;
    const stand = () => found.context.pauses[0]?.kind ?? (found.isSettled ? 'over' : found.status);
    const wanted = {
      executing: 'running',
      asking: 'interaction',
      consenting: 'oauth',
      sleeping: 'sleep',
      completed: 'over',
      failed: 'over',
    };
    await runtime.waitUntil(found, () => stand() === wanted[state]);
    await turns(1);
    return { execution, interaction: found.context.pauses[0]?.id ?? 'i' };
  };

  /** Conversations of the owner's in which a prompt is open, by path. */
  const conversations = new Map<string, string>();
  let begun = 0;
  const conversation = async (path: string): Promise<string> => {
    const known = conversations.get(path);
    if (known !== undefined) return known;
    const { client } = await openSocket(server.url + path, ownHeaders);
    const id = `conversation-${(begun += 1)}`;
    client!.send(userMessage('asking', { conversation_id: id }));
    await client!.until(isPrompt);
    client!.drop();
    conversations.set(path, id);
    return id;
  };
  const isOver = (path: string) => conversations.delete(path);

  const guestHeaders = guest === undefined ? ownHeaders : ((await guest(browser)) as Record<string, string>);
  await world.call('POST /work/async', { headers: guestHeaders, body: { job_id: 'job-1', sync_timeout: 5 } });

  end = async () => {
    const live = immediate(runtime.list(operator, { limit: 100_000 })).executions.filter(({ isSettled }) => !isSettled);
    for (const { id } of live) await runtime.cancel(id, operator).catch(() => {});
  };
  return { ...world, browser, ownHeaders, send, start, conversation, isOver, end };
};

export type MatrixWorld = Awaited<ReturnType<typeof matrixWorld>>;

const bank = {
  clientId: 'lab-client',
  authorizationUrl: 'http://127.0.0.1:9/authorize',
  tokenUrl: 'http://127.0.0.1:9/token',
  redirectUri: 'http://127.0.0.1:8000/auth/redirect',
};
