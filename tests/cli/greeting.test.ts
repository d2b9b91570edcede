import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { greeting } from '../../cli/greeting.ts';
import example from '../../examples/02-approval.ts';
import { text, type Workflow, workflow } from '../../runtime/index.ts';
import { createServer } from '../../server/index.ts';
import { type RoutePaths, serverDefaults } from '../../server/options.ts';

const paths = serverDefaults.workflow;
const shell = promisify(execFile);

const given = {
  echo: (input?: z.ZodType) =>
    workflow({ name: 'echo', ...(input && { input }), run: (value: unknown) => ({ value }) }),

  served: async (t: TestContext, served: Workflow, config: { rootPath?: string; workflow?: RoutePaths } = {}) => {
    const server = await createServer({ workflow: served, config: { port: 0, host: '127.0.0.1', ...config } });
    t.after(() => server.close());
    const shown = await greeting({ url: server.url, workflow: served, paths: config.workflow ?? paths, console: true });
    return { server, lines: shown.split('\n').map((line) => line.trim()) };
  },
};

/** Pastes a line into a shell; gives the status and the body of the reply. */
const paste = async (line = ''): Promise<{ status: number; body: Record<string, unknown> }> => {
  const { stdout } = await shell('sh', ['-c', line.replace('curl ', 'curl -s ')]);
  const [head = '', body = ''] = stdout.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body || '{}') };
};
const curls = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('curl '));

const inputs: [what: string, input: z.ZodType | undefined][] = [
  ['has no schema', undefined],
  ['takes an object', z.object({ amount: z.number().positive(), tags: z.array(z.string()).min(1) })],
  ['takes words that a shell would read', z.object({ mood: z.enum(['it\'s $HOME \\ `id` "!"']) })],
];

for (const [what, input] of inputs) {
  test(`who pastes the first line starts an execution of a workflow that ${what}`, async (t) => {
    const { lines } = await given.served(t, given.echo(input));

    const { status, body } = await paste(curls(lines)[0]);

    assert.equal(status, 200);
    assert.ok(input === undefined || input.safeParse(body.value).success);
  });
}

test('who puts the URLs of the reply into the other lines sees the execution and answers it', async (t) => {
  const ask = workflow({ name: 'ask', run: async (_, ctx) => (await ctx.prompt(text({ text: 'Well?' }))).text });
  const { lines } = await given.served(t, ask, { rootPath: '/api' });
  const [first, look, , answer] = curls(lines);

  const started = await paste(first);
  const filled = (line = ''): string =>
    line
      .replace('STATUS_URL', String(started.body.status_url))
      .replace('RESPONSE_URL', String(started.body.response_url));
  const answered = await paste(filled(answer));
  const end = await paste(filled(look));

  assert.deepEqual([started.status, answered.status, end.status], [202, 204, 200]);
  assert.deepEqual(end.body.result, { value: 'yes' });
});

test('what is shown for the example that `npm start` serves answers it', async (t) => {
  const { lines } = await given.served(t, example);
  const [first, look, answer] = curls(lines);

  const started = await paste(first);
  const answered = await paste(answer?.replace('RESPONSE_URL', String(started.body.response_url)));
  const end = await paste(look?.replace('STATUS_URL', String(started.body.status_url)));

  assert.deepEqual([started.status, answered.status], [202, 204]);
  assert.deepEqual(end.body.result, { approved: true });
});

test('the printed commands of a per-user workflow identify a user', async (t) => {
  const name = workflow({ name: 'name', perUser: { build: (user) => user }, run: (_input, _ctx, user) => ({ user }) });
  const { lines } = await given.served(t, name);

  const { status, body } = await paste(curls(lines)[0]);

  assert.equal(status, 200);
  assert.match(String(body.user), /^[\da-f-]{36}$/);
});

test('a route that takes no body is shown without one, and without what would be waited for', async (t) => {
  const config = { workflow: { method: 'GET', path: '/now', legacyPath: null } } as const;
  const { lines } = await given.served(t, workflow({ name: 'now', run: () => 'now' }), config);

  const [first, ...more] = curls(lines);

  assert.equal((await paste(first)).status, 200);
  assert.deepEqual(more, []);
});

test('a route that never pauses is shown if there is no other', async () => {
  const legacy = { method: 'POST', path: null, legacyPath: '/generate' } as const;

  const shown = await greeting({ url: 'http://localhost:8000', workflow: given.echo(), paths: legacy, console: false });

  assert.match(shown, /localhost:8000\/generate -H .* -d '\{\}'\n/);
  assert.doesNotMatch(shown, /STATUS_URL/);
});

test('a workflow without a route is not shown how to start', async () => {
  const none = { method: 'POST', path: null, legacyPath: null } as const;

  const shown = await greeting({ url: 'http://localhost:8000', workflow: given.echo(), paths: none, console: false });

  assert.match(shown, /echo has no route of its own/);
  assert.doesNotMatch(shown, /curl/);
});

test('where no sample fits, the body is a file that is yet to be written', async () => {
  const picky = given.echo(z.object({ code: z.string().regex(/^[A-Z]{3}\d{4}$/) }));

  const shown = await greeting({ url: 'http://localhost:8000', workflow: picky, paths, console: false });

  assert.match(shown, /-d @input\.json\n\n {2}No generated sample fits/);
});

test('the greeting is printed although a schema throws', async () => {
  const broken = given.echo(z.unknown().refine(() => assert.fail('a schema with a defect')));

  const shown = await greeting({ url: 'http://localhost:8000', workflow: broken, paths, console: false });

  assert.match(shown, /-d @input\.json/);
});

test('where there is a console, its address is told, and else not', async () => {
  const greeted = { url: 'http://localhost:8000/api', workflow: given.echo(), paths };

  assert.match(await greeting({ ...greeted, console: true }), / http:\/\/localhost:8000\/api\/console\n/);
  assert.doesNotMatch(await greeting({ ...greeted, console: false }), /console/);
});
