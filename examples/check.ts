/** `npm run examples`: serves every example and drives it over HTTP to its end. One line each; exit code 1 if one fails. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer as createSocket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import type { Workflow } from 'fermata';
import { createServer, type Handler, type ServerOptions } from 'fermata/server';
import { readConfig } from '../cli/config/read.ts';
import { consent } from './support/browser.ts';

type Body = Record<string, unknown>;
type Client = {
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: Body }>;
  get(path: string): Promise<Body>;
};

/** Serves a workflow on a free port while `drive` runs. */
const served = async <T>(
  workflow: Workflow,
  drive: (client: Client) => Promise<T>,
  config?: Partial<ServerOptions>,
): Promise<T> => {
  const server = await createServer({ workflow, config: { port: 0, ...config } });
  const read = async (response: Response): Promise<Body> => JSON.parse((await response.text()) || '{}') as Body;
  try {
    return await drive({
      post: async (path, body, headers = {}) => {
        const response = await fetch(server.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: await read(response) };
      },
      get: async (path) => read(await fetch(server.url + path)),
    });
  } finally {
    await server.close();
  }
};

const workflowOf = async (name: string): Promise<Workflow> =>
  ((await import(`./${name}.ts`)) as { default: Workflow }).default;

const picked = (type: string, id: string) => ({ response: { type, selected_option: { id } } });

const freePort = async (): Promise<number> => {
  const probe = createSocket();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address() as { port: number };
  await new Promise((closed) => probe.close(closed));
  return port;
};

/** Runs an approval to its end, and reads its events as a stream. `ask` sends requests below `/workflows`. */
const approve = async (ask: (path: string, init?: RequestInit) => Promise<Response>): Promise<void> => {
  const post = (path: string, body: unknown) =>
    ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const started = await post('/workflows/v1/workflow', { amount: 1200 });
  assert.equal(started.status, 202);
  const { status_url: status, response_url: response } = (await started.json()) as Record<string, string>;
  assert.equal((await post(response!, picked('binary_choice', 'yes'))).status, 204);
  const events = await (await ask(`${status}/stream`)).text();
  assert.match(events, /event: execution\.completed\n.*"approved":true/);
};

/** By the name of the example. Each returns a line about what it saw. */
const checks: Readonly<Record<string, (workflow: Workflow) => Promise<string>>> = {
  '01-hello': (workflow) =>
    served(workflow, async ({ post }) => {
      const hello = await post('/v1/workflow', { name: 'Ada' });
      const refused = await post('/v1/workflow', { name: '' });
      assert.deepEqual([hello.status, hello.body], [200, { greeting: 'Hello, Ada!' }]);
      assert.equal(refused.status, 422);
      return 'greets, and refuses an empty name';
    }),

  '02-approval': (workflow) =>
    served(workflow, async ({ post, get }) => {
      const { status, body } = await post('/v1/workflow', { amount: 1200 });
      assert.deepEqual([status, body.status], [202, 'interaction_required']);
      const answered = await post(String(body.response_url), picked('binary_choice', 'yes'));
      assert.equal(answered.status, 204);
      const { status: end, result } = await get(`${body.status_url}?wait=5`);
      assert.deepEqual([end, result], ['completed', { approved: true }]);
      return 'waits for a person, and goes on with the answer';
    }),

  '03-parallel-prompts': (workflow) =>
    served(workflow, async ({ post, get }) => {
      const { body } = await post('/v1/workflow', { title: 'On waiting' });
      const { pending } = (await get(String(body.status_url))) as { pending: Body[] };
      assert.equal(pending.length, 2);
      const [legal, marketing] = pending.map(({ response_url }) => String(response_url));
      await post(marketing!, picked('radio', 'mail'));
      assert.equal((await get(String(body.status_url))).status, 'interaction_required');
      await post(legal!, picked('binary_choice', 'yes'));
      const { result } = await get(`${body.status_url}?wait=5`);
      assert.deepEqual(result, { published: true, channel: 'newsletter' });
      return 'asks two people at once, who answer in the other order';
    }),

  '04-oauth': async (workflow) => {
    const [port, identityPort] = [await freePort(), await freePort()];
    process.env.IDENTITY_PORT = String(identityPort);
    const file = fileURLToPath(new URL('04-oauth.yaml', import.meta.url));
    const env = { PUBLIC_URL: `http://localhost:${port}`, IDENTITY_PORT: String(identityPort) };
    const drive = async ({ post, get }: Client): Promise<string> => {
      const { status, body } = await post('/v1/workflow', {});
      assert.deepEqual([status, body.status], [202, 'oauth_required']);
      const page = await consent(String(body.auth_url), 'ada');
      assert.equal(page.status, 200, page.text);
      assert.match(page.text, /Authentication complete/);
      const { result } = await get(`${body.status_url}?wait=5`);
      assert.deepEqual(result, { signedInAs: 'ada' });
      return 'sends a browser through a consent, and calls an API with the token';
    };
    return served(workflow, drive, { ...readConfig({ file, env }), port, data: null });
  },

  '05-per-user': async (workflow) => {
    const files = await served(workflow, async ({ post }) => {
      const note = async (user: string) => {
        const { body } = await post('/v1/workflow', { note: `of ${user}` }, { 'x-api-key': user });
        return body as { notes: number; file: string };
      };
      const [ada, bob, again] = [await note('ada'), await note('bob'), await note('ada')];
      assert.deepEqual([ada.notes, bob.notes, again.notes], [1, 1, 2]);
      assert.equal(again.file, ada.file);
      assert.equal(await readFile(ada.file, 'utf8'), 'of ada\nof ada\n');
      assert.equal(await readFile(bob.file, 'utf8'), 'of bob\n');
      assert.equal((await post('/v1/workflow', { note: 'without a user' })).status, 422);
      return [ada.file, bob.file];
    });
    assert.deepEqual(files.map(existsSync), [false, false]);
    return 'keeps a notebook for each user, and deletes it in the end';
  },

  '06-hono': async () => {
    const { default: app, workflows } = await import('./06-hono.ts');
    const server = serve({ fetch: app.fetch, port: 0 });
    await once(server, 'listening');
    try {
      const base = `http://localhost:${(server.address() as { port: number }).port}`;
      await approve((path, init) => fetch(base + path, init));
      assert.equal(await (await fetch(base)).text(), 'The rest of the app.');
      return 'serves a workflow and its streams beside other routes';
    } finally {
      await workflows.close();
      server.close();
    }
  },

  '07-next-route': async () => {
    const route = await import('./07-next-route.ts');
    const context = { params: Promise.resolve({ path: ['workflows'] }) }; // as Next.js passes it
    const ask = (path: string, init?: RequestInit) => {
      const request = new Request(`https://app.example${path}`, init);
      const handle: (request: Request, of: unknown) => Promise<Response> = route[request.method as 'GET' | 'POST'];
      return handle(request, context);
    };
    const shared = globalThis as { workflow?: unknown; workflows?: Promise<Handler> };
    try {
      await approve(ask);
      const before = await shared.workflows!;
      shared.workflow = 'as it was before its module changed';
      await approve(ask);
      assert.equal((await before(new Request('https://app.example/workflows/health'))).status, 503);
      return 'serves a workflow and its streams as a route of Next.js, also after a change';
    } finally {
      await (await shared.workflows)?.close();
    }
  },

  '08-report': (workflow) =>
    served(workflow, async ({ post, get }) => {
      const { body } = await post('/v1/workflow', { topics: ['rain', 'snow'] });
      const { pending } = (await get(String(body.status_url))) as { pending: Body[] };
      const [rain, snow] = pending.map(({ response_url }) => String(response_url));
      await post(snow!, picked('binary_choice', 'yes'));
      await post(rain!, picked('binary_choice', 'no'));
      const { result } = await get(`${body.status_url}?wait=5`);
      assert.deepEqual(result, { sent: 'All about snow.' });
      return 'sends the parts that may go out';
    }),
};

const report = async (name: string): Promise<boolean> => {
  const start = performance.now();
  const print = (mark: string, what: string): void => {
    process.stdout.write(`${mark} ${name}: ${what} (${Math.round(performance.now() - start)} ms)\n`);
  };
  try {
    const check = checks[name];
    assert.ok(check, 'nothing checks this example');
    print('ok  ', await check(await workflowOf(name)));
    return true;
  } catch (error) {
    print('FAIL', error instanceof Error ? `${error.stack}` : String(error));
    return false;
  }
};

console.warn = () => {}; // the provider of the example warns about each development default
const files = await readdir(new URL('.', import.meta.url));
const names = files.filter((file) => /^\d\d-[^.]*\.ts$/.test(file)).map((file) => file.slice(0, -'.ts'.length));
let passed = 0;
for (const name of names.sort()) if (await report(name)) passed += 1;
process.exitCode = passed === names.length && passed > 0 ? 0 : 1;
