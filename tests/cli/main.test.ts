import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectRaw, rawRequest } from '../support/http.ts';
import { freePort, loopback } from '../support/loopback.ts';
import { type FermataProcess, fermata } from '../support/process.ts';

const errands = 'tests/support/errands.ts';
const module = fileURLToPath(new URL('../support/errands.ts', import.meta.url));
const runtime = new URL('../../runtime/index.ts', import.meta.url).href;

const given = {
  /** Serves runs that do as they are told. */
  server: async (t: TestContext, variables: Record<string, string> = {}) => {
    const process = fermata(t, ['serve', errands], { FERMATA_PORT: '0', ...variables });
    return { process, url: await process.url() };
  },

  /** A folder outside of the repository, with these files. */
  folder: async (t: TestContext, files: Record<string, string>): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'fermata-main-'));
    t.after(() => rm(folder, { recursive: true }));
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    return folder;
  },

  /** A run that executes until `release` is called. */
  executing: async (t: TestContext, url: string) => {
    const { server, origin } = await loopback(t);
    const reply = start(url, { do: 'fetch', url: origin });
    reply.catch(() => {}); // its connection may be cut
    const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
    return { reply, release: () => response.end('done') };
  },
};

const start = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

type Paused = { status_url: string; response_url: string; auth_url: string; oauth_state: string };
const paused = async (response: Response): Promise<Paused> => {
  assert.equal(response.status, 202);
  return (await response.json()) as Paused;
};

const answer = (url: string, { response_url }: Paused, said: string, headers: Record<string, string> = {}) =>
  fetch(url + response_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ response: { type: 'text', text: said } }),
  });

const failed = async (process: FermataProcess): Promise<{ code: number | null; said: string }> => {
  const code = await process.ended;
  assert.equal(process.stdout, '');
  return { code, said: process.stderr };
};

test('who asks for help gets it, with exit code 0', async (t) => {
  const [general, serve] = [fermata(t, ['--help']), fermata(t, ['serve', '--help'])];

  assert.deepEqual([await general.ended, await serve.ended], [0, 0]);
  assert.match(general.stdout, /^Usage: fermata/);
  assert.match(serve.stdout, /--port <number>/);
  assert.equal(general.stderr + serve.stderr, '');
});

test('who mistypes an option is told what was meant, with exit code 2', async (t) => {
  const { code, said } = await failed(fermata(t, ['serve', errands, '--prot', '80']));

  assert.equal(code, 2);
  assert.match(said, /unknown option '--prot'\s+\(Did you mean --port\?\)/);
});

test('who names a module that is not there, is broken or has no workflow, is told so, with exit code 2', async (t) => {
  const folder = await given.folder(t, {
    'broken.mts': 'const nothing: string | undefined = undefined;\nconsole.log(nothing!.length);\n',
    'other.mts': 'export const answer = 42;\n',
    'notes.md': '# Notes\n',
  });
  const serve = (name: string) => failed(fermata(t, ['serve', join(folder, name)]));

  const [missing, broken, other] = await Promise.all([serve('missing.ts'), serve('broken.mts'), serve('other.mts')]);
  const [notes, directory] = await Promise.all([serve('notes.md'), serve('.')]);

  assert.deepEqual([missing.code, broken.code, other.code], [2, 2, 2]);
  assert.match(notes.said, /notes\.md: expected a TypeScript or JavaScript file, such as approval\.ts\n$/);
  assert.match(directory.said, /: expected a TypeScript or JavaScript file/);
  assert.match(missing.said, /missing\.ts: there is no such file\n$/);
  assert.match(broken.said, /broken\.mts cannot be loaded: Cannot read properties of undefined.*\n.*broken\.mts:2:/);
  assert.match(other.said, /other\.mts: the default export must be a workflow, made by workflow\(\{ name, run \}\)\n$/);
});

test('a module that ends the process, waits for ever or throws something else is named, with exit code 2', async (t) => {
  const folder = await given.folder(t, {
    'never.mjs': 'await new Promise(() => {});\nexport default 1;\n',
    'exits.mjs': 'process.exit(0);\n',
    'object.mjs': 'throw { code: 3 };\n',
  });
  const serve = (name: string) => failed(fermata(t, ['serve', join(folder, name)]));

  const [never, exits, object] = await Promise.all([serve('never.mjs'), serve('exits.mjs'), serve('object.mjs')]);

  assert.deepEqual([never.code, exits.code, object.code], [2, 2, 2]);
  assert.match(never.said, /never\.mjs cannot be loaded: the process ended .* a top-level await never settles\.\n$/);
  assert.match(exits.said, /exits\.mjs cannot be loaded: the process ended .* calls process\.exit/);
  assert.match(object.said, /object\.mjs cannot be loaded: \{ code: 3 \}\n$/);
});

test('a module is an ES module, whatever its package says', async (t) => {
  const folder = await given.folder(t, {
    'package.json': '{ "type": "commonjs" }',
    'hello.ts': `import { workflow } from '${runtime}';\nexport default workflow({ name: 'hi', run: () => 'hello' });\n`,
  });

  const url = await fermata(t, ['serve', join(folder, 'hello.ts'), '--port', '0']).url();

  assert.deepEqual(await (await start(url, {})).json(), { value: 'hello' });
});

test('who configures it badly is told everything that is wrong, except for secrets, with exit code 2', async (t) => {
  const folder = await given.folder(t, {
    'fermata.yaml': 'general:\n  front_end:\n    port: many\nfermata:\n  retantion: PT1H\n  operator_key: hunter2\n',
  });

  const { code, said } = await failed(fermata(t, ['serve', errands, '--config', join(folder, 'fermata.yaml')]));

  assert.equal(code, 2);
  for (const setting of ['general.front_end.port', 'fermata.retantion', 'fermata.operator_key']) {
    assert.ok(said.includes(setting), said);
  }
  assert.doesNotMatch(said, /hunter2/);
});

test('who takes a port in use is told in one line, with exit code 1', async (t) => {
  const { origin } = await loopback(t);
  const { port } = new URL(origin);

  const { code, said } = await failed(fermata(t, ['serve', errands, '--host', '127.0.0.1', '--port', port]));

  assert.equal(code, 1);
  assert.equal(said, `cannot listen on 127.0.0.1, port ${port}: EADDRINUSE\n`);
});

test('who serves a workflow whose resources cannot be opened is told why, and finds the place in the log', async (t) => {
  const source = `export default workflow({ name: 'hi', build: () => { throw new Error('no database'); }, run: () => 1 });`;
  const folder = await given.folder(t, { 'hi.ts': `import { workflow } from '${runtime}';\n${source}\n` });

  const process = fermata(t, ['serve', join(folder, 'hi.ts'), '--port', '0']);

  assert.equal(await process.ended, 1);
  assert.equal(process.stderr, 'no database\n');
  assert.match(process.stdout, /"message":"no database".*hi\.ts:2:/s);
  assert.equal(process.log.at(-1)?.msg, 'builder failed');
});

test('who starts it is greeted, unless only warnings are logged', async (t) => {
  const port = String(await freePort());
  const talkative = fermata(t, ['serve', errands, '--port', '0']);
  const quiet = fermata(t, ['serve', errands, '--port', port, '--log-level', 'warn']);

  await talkative.printed(/errands is served at http:\/\/localhost:\d+\./, 'stderr');
  await quiet.reached(`http://localhost:${port}/health`);
  quiet.signal('SIGTERM');

  assert.equal(await quiet.ended, 0);
  assert.equal(quiet.stderr + quiet.stdout, '');
});

test('a server that is told to stop lets runs finish and interrupts those that wait for people', async (t) => {
  const { process, url } = await given.server(t);
  const { reply, release } = await given.executing(t, url);
  const parked = await paused(await start(url, { do: 'ask' }));
  const watcher = await connectRaw(t, Number(new URL(url).port));
  watcher.send(rawRequest('GET /health'));
  await watcher.answer();
  watcher.send(rawRequest(`GET ${parked.status_url}?wait=60`));
  await fetch(`${url}/health`); // sent on an open connection after the line before, and so answered after that was read

  process.signal('SIGTERM');
  const interrupted = JSON.parse((await watcher.answer()).body) as { status: string; error: string };
  release();
  const finished = await reply;

  assert.equal(interrupted.status, 'failed');
  assert.match(interrupted.error, /server stopped/);
  assert.deepEqual([finished.status, await finished.json()], [200, { value: 'done' }]);
  assert.equal(await process.ended, 0);
  assert.deepEqual(process.log.at(-1)?.msg, 'stopped');
});

test('a server keeps its executions where it is started, says so, and is followed by one that has them', async (t) => {
  const folder = await given.folder(t, {});
  const serve = () => fermata(t, ['serve', module, '--port', '0'], { FERMATA_MEMORY: '' }, '', folder);
  const killed = serve();
  const parked = await paused(await start(await killed.url(), { do: 'ask' }));
  killed.signal('SIGKILL');
  await killed.ended;

  const next = serve();
  const url = await next.url();
  const status = (await answer(url, parked, 'yes')).status;

  assert.equal(status, 204);
  assert.deepEqual(
    next.log.slice(0, 2).map(({ directory, msg }) => [directory, msg]),
    [
      [join(folder, '.fermata'), 'executions are stored in a directory'],
      [undefined, 'tokens and credentials are in memory only, because FERMATA_DATA_SECRET is not set'],
    ],
  );
  next.signal('SIGTERM');
  assert.equal(await next.ended, 0);
});

test('a server that keeps executions in memory says so', async (t) => {
  const { process } = await given.server(t);

  assert.deepEqual(process.log.map(({ msg }) => msg).slice(0, 1), [
    'executions are in memory, and end with this process',
  ]);
});

test('a Ctrl-C that npm passes on a second time does not end what executes', async (t) => {
  const { process, url } = await given.server(t);
  const { reply, release } = await given.executing(t, url);

  process.signal('SIGINT');
  await process.printed(/"msg":"stopping"/);
  process.signal('SIGINT');
  await assert.rejects(fetch(`${url}/health`));
  release();

  assert.equal((await reply).status, 200);
  assert.equal(await process.ended, 0);
});

test('who presses Ctrl-C again while it stops ends it at once', async (t) => {
  const { process, url } = await given.server(t, { FERMATA_STOP_TIMEOUT: 'PT1H' });
  await given.executing(t, url);

  const pressing = setInterval(() => process.signal('SIGINT'), 20);
  t.after(() => clearInterval(pressing));

  assert.equal(await process.ended, 1);
  assert.doesNotMatch(process.stdout, /"msg":"stopped"/);
});

test('the log is one JSON object a line, and contains no secrets', async (t) => {
  const folder = await given.folder(t, { 'fermata.yaml': BANK });
  const file = join(folder, 'fermata.yaml');
  const { process, url } = await given.server(t, {
    FERMATA_CONFIG: file,
    FERMATA_LOG_LEVEL: 'trace',
    FERMATA_JWT_ALLOW_UNVERIFIED: 'true',
  });
  const jwt = [{ alg: 'none' }, { sub: 'ada', name: 'Ada' }].map((part) => base64(JSON.stringify(part))).join('.');
  const secrets = { jwt: `${jwt}.c2lnbmF0dXJl`, cookie: 'cookie-secret', key: 'key-secret', said: 'said-secret' };
  const callers = [
    { authorization: `Bearer ${secrets.jwt}` },
    { cookie: `nat-session=${secrets.cookie}` },
    { 'x-api-key': secrets.key },
  ];
  for (const headers of callers) {
    await answer(url, await paused(await start(url, { do: 'ask' }, headers)), secrets.said, headers);
    // It throws what it was told: the log has the errors of workflows.
    await answer(url, await paused(await start(url, { do: 'fail' }, headers)), 'said aloud', headers);
  }
  const { oauth_state: state } = await paused(await start(url, { do: 'authorize' }));
  await fetch(`${url}/auth/redirect?state=another-${state}&code=code-secret`);
  const callback = await fetch(`${url}/auth/redirect?state=${state}&code=code-secret`);
  process.signal('SIGTERM');
  await process.ended;

  assert.equal(callback.status, 502);
  const facts = process.log.map(({ fact }) => fact);
  for (const fact of ['interaction.answered', 'execution.completed', 'execution.failed', 'oauth.refused']) {
    assert.ok(facts.includes(fact), fact);
  }
  for (const secret of [...Object.values(secrets), state, 'code-secret', 'client-secret', jwt.split('.')[1]!]) {
    assert.ok(!process.stdout.includes(secret) && !process.stderr.includes(secret), secret);
  }
});

const base64 = (text: string): string => Buffer.from(text).toString('base64url');

/** No server listens at port 1. */
const BANK = `authentication:
  bank:
    _type: oauth2_auth_code_flow
    client_id: errands
    client_secret: client-secret
    authorization_url: http://127.0.0.1:1/authorize
    token_url: http://127.0.0.1:1/token
    redirect_uri: http://127.0.0.1:1/auth/redirect
`;
