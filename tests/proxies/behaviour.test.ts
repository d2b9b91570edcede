/** What happens between a proxy and the server: addresses, large bodies, idle streams, prefixes, TLS with HTTP/2, old connections. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { text, workflow } from '../../runtime/index.ts';
import type { ServerOptions } from '../../server/index.ts';
import { openStream } from '../support/event-reader.ts';
import { given } from '../support/given.ts';
import { call, type RequestOptions } from '../support/http-client.ts';
import { freePort } from '../support/loopback.ts';
import { readPage } from '../support/markdown.ts';
import { caddy, haproxy, nginx, type ProxyKind, type RunningProxy } from '../support/proxy.ts';
import { openSocket, type SocketClient } from '../support/web-socket.ts';

const asking = workflow({
  name: 'asking',
  run: async (_, ctx) => ({ answer: (await ctx.prompt(text({ text: 'Who?' }))).text }),
});
const mirror = workflow({
  name: 'mirror',
  run: (input: { text?: string } | undefined, { request }) => ({
    client: request?.client?.host,
    length: input?.text?.length,
    cookie: request?.headers.cookie?.length,
  }),
});

/** A server as the docs say, and the proxy in front of it. */
const behind = async (
  t: TestContext,
  kind: ProxyKind,
  config: Partial<ServerOptions> = {},
  change?: (settings: string) => string,
) => {
  const clients: SocketClient[] = [];
  t.after(() => {
    for (const client of clients) client.drop();
  });
  const world = await given.server(t, {
    workflow: asking,
    workflows: [mirror],
    config: {
      endpoints: [{ functionName: 'mirror', method: 'POST', path: '/mirror', legacyPath: null }],
      trustProxy: ['loopback'],
      ...config,
    },
  });
  const proxy = await started(t, kind, world.server.port, change);
  const socket = async (path: string): Promise<SocketClient> => {
    const { status, client } = await openSocket(proxy.url + path);
    assert.ok(client, `the handshake was answered with ${status}`);
    clients.push(client);
    return client;
  };
  return { ...world, proxy, socket, ask: (line: string, options?: RequestOptions) => call(proxy.url, line, options) };
};

const started = async (
  t: TestContext,
  kind: ProxyKind,
  port: number,
  change?: (settings: string) => string,
): Promise<RunningProxy> => {
  const proxy = await kind.start(port, change);
  t.after(() => proxy.stop());
  return proxy;
};

const startOne = async (ask: (line: string, options?: RequestOptions) => ReturnType<typeof call>) =>
  (await ask('POST /v1/workflow', { body: {} })).body as Record<
    'execution_id' | 'status_url' | 'response_url' | 'interaction_id',
    string
  >;

const TIME_OUT_S = 3;
const withShortTimeOuts = (settings: string): string =>
  settings
    .replace('location / {', `location / {\n proxy_read_timeout ${TIME_OUT_S}s; proxy_send_timeout ${TIME_OUT_S}s;`)
    .replaceAll(/timeout (client|server) 60s/g, `timeout $1 ${TIME_OUT_S}s`);

for (const kind of [nginx, haproxy, caddy]) {
  const behindIt = (what: string, run: (t: TestContext) => Promise<void>) =>
    test(`behind ${kind.name}, ${what}`, { skip: kind.missing }, run);

  behindIt('a workflow sees the address of its client', async (t) => {
    const { ask } = await behind(t, kind, { trustProxy: ['127.0.0.1'] });

    const { body } = await ask('POST /mirror', { body: {} });

    assert.equal((body as { client: string }).client, '127.0.0.1');
  });

  behindIt('a server that trusts no proxy takes no client for this machine', async (t) => {
    const { ask } = await behind(t, kind, { trustProxy: [], monitorUsers: true, allowedHosts: ['127.0.0.1'] });

    assert.equal((await ask('GET /monitor/users')).status, 403);
  });

  behindIt('a body that is too large is refused as such, and the next request is answered', async (t) => {
    const { ask } = await behind(t, kind, {}, (settings) => settings.replace('body_size 16m', 'body_size 64m'));

    for (const size of [3_000_000, 15_000_000]) {
      const refused = await ask('POST /mirror', { body: { text: 'x'.repeat(size) } });
      assert.equal(refused.status, 413);
      assert.match(JSON.stringify(refused.body), /1048576 bytes/);
      assert.equal((await ask('POST /mirror', { body: {} })).status, 200);
    }
  });

  behindIt('a body in chunks and a header of 7 kB arrive', async (t) => {
    const { proxy } = await behind(t, kind);
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `a=${'y'.repeat(7_000)}` },
      body: new Blob([JSON.stringify({ text: 'x'.repeat(300_000) })]).stream(),
      duplex: 'half',
    } as RequestInit;

    const seen = (await (await fetch(`${proxy.url}/mirror`, init)).json()) as { length: number; cookie: number };

    assert.deepEqual([seen.length, seen.cookie], [300_000, 7_002]);
  });

  behindIt('streams and sockets outlive its time-outs while nothing happens', async (t) => {
    const { proxy, ask, socket, clock } = await behind(t, kind, {}, withShortTimeOuts);
    const { execution_id: id } = await startOne(ask);
    const stream = await openStream(t, `${proxy.url}/executions/${id}/stream`);
    const client = await socket('/websocket');
    await stream.frames(2);

    for (const until = Date.now() + 1.5 * TIME_OUT_S * 1_000; Date.now() < until; ) {
      await wait(100);
      clock.advance(30_000); // a heartbeat, and a ping
    }

    assert.equal(client.code, undefined);
    await ask(`DELETE /executions/${id}`);
    await stream.ended;
    assert.ok(stream.isComplete);
    assert.match(stream.text, /event: execution.failed/);
  });

  behindIt('requests are answered after the server was replaced', async (t) => {
    const config = { trustProxy: ['loopback'], port: await freePort() };
    const first = await given.server(t, { workflow: mirror, config });
    const proxy = await started(t, kind, config.port);
    const ask = async () => (await call(proxy.url, 'POST /v1/workflow', { body: {} })).status;
    const before = await Promise.all(Array.from({ length: 8 }, ask));
    await first.server.close();

    await given.server(t, { workflow: mirror, config });
    const after = [];
    for (let count = 0; count < 8; count += 1) after.push(await ask());

    assert.deepEqual([...before, ...after], Array(16).fill(200));
  });
}

const prefixes: Readonly<Record<string, string>> = { 'passes on': '', 'takes away': '/' };
for (const [what, end] of Object.entries(prefixes)) {
  test(`behind a proxy that ${what} its prefix, every address in a reply leads back`, {
    skip: nginx.missing,
  }, async (t) => {
    const block = (await readPage('docs/deploying.md')).blocks.find(({ info }) => info === 'nginx prefix');
    const { proxy, ask, socket } = await behind(t, nginx, { rootPath: '/agents' }, (settings) =>
      settings
        .replace('location / {', /^location .*$/m.exec(block?.code ?? '')?.[0] ?? 'no block')
        .replace('proxy_pass http://fermata;', `proxy_pass http://fermata${end};`),
    );
    const under = (line: string, options?: RequestOptions) => ask(line.replace(' ', ' /agents'), options);

    const { status_url, response_url } = await startOne(under);
    const body = { response: { type: 'text', text: 'Ada' } };
    const answered = await ask(`POST ${response_url}`, { body });
    const standing = await ask(`GET ${status_url}?wait=5`);
    const stream = await openStream(t, `${proxy.url}${status_url}/stream`);
    await stream.ended;
    const moved = await under('POST /v1/workflow/?a=1', { body: {} });
    const location = new URL(moved.headers.get('location') ?? '', proxy.url);
    await socket('/agents/websocket');

    assert.equal(answered.status, 204);
    assert.deepEqual((standing.body as { result: unknown }).result, { answer: 'Ada' });
    assert.match(stream.text, /event: execution.completed/);
    assert.equal(moved.status, 307);
    assert.equal(location.href, `${proxy.url}/agents/v1/workflow?a=1`);
  });
}

const plain = (lines: string) => (settings: string) =>
  settings.replace(/proxy_pass [^}]*\}/, `proxy_pass http://127.0.0.1:8000; ${lines} }`);

test('nginx that sends on no addresses makes no operators', { skip: nginx.missing }, async (t) => {
  const config = { trustProxy: [], monitorUsers: true };
  const { ask, call: askDirectly } = await behind(t, nginx, config, plain('proxy_http_version 1.1;'));

  assert.equal((await askDirectly('GET /monitor/users')).status, 200);
  assert.equal((await ask('GET /monitor/users')).status, 403);
});

const silences: readonly Partial<ServerOptions>[] = [
  { trustProxy: ['loopback'] },
  { trustProxy: [], identity: { operatorKey: 'a key for the operator' } },
];
for (const config of silences) {
  test(`nginx that sends on no addresses makes no operators with ${Object.keys(config).at(-1)} as the docs say`, {
    skip: nginx.missing,
  }, async (t) => {
    const silent = plain('proxy_http_version 1.1;');
    const { ask } = await behind(t, nginx, { ...config, monitorUsers: true }, silent);

    assert.equal((await ask('GET /monitor/users')).status, 403);
  });
}

/** A certificate for this machine, in a directory that goes with the test. */
const certified = async (t: TestContext): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'fermata-tls-'));
  t.after(() => rm(directory, { recursive: true }));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'tls.key'];
  const made = ['req', '-x509', ...key, '-out', 'tls.crt', '-days', '2', '-subj', '/CN=localhost'];
  execFileSync('openssl', made, { cwd: directory, stdio: 'ignore' });
  execFileSync('sh', ['-c', 'cat tls.crt tls.key > tls.pem'], { cwd: directory });
  return directory;
};

const overHttp2 = (session: ClientHttp2Session, method: string, path: string, body?: string) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const stream = session.request({ ':method': method, ':path': path, 'content-type': 'application/json' });
    let status = 0;
    let received = '';
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.setEncoding('utf8').on('data', (piece: string) => {
      received += piece;
    });
    stream.on('end', () => resolve({ status, body: received })).on('error', reject);
    stream.end(body);
  });

const withTls: readonly [ProxyKind, (settings: string, directory: string) => string][] = [
  [
    nginx,
    (settings, tls) =>
      settings.replace(
        'listen 80;',
        `listen 80 ssl http2; ssl_certificate ${tls}/tls.crt; ssl_certificate_key ${tls}/tls.key;`,
      ),
  ],
  [haproxy, (settings, tls) => settings.replace('bind :80', `bind :80 ssl crt ${tls}/tls.pem alpn h2,http/1.1`)],
];
for (const [kind, change] of withTls) {
  test(`${kind.name} speaks HTTP/2 and TLS for the server`, { skip: kind.missing }, async (t) => {
    const tls = await certified(t);
    const { proxy } = await behind(t, kind, { allowedHosts: ['127.0.0.1'] }, (settings) => change(settings, tls));
    const session = connectHttp2(proxy.url.replace('http:', 'https:'), { rejectUnauthorized: false });
    t.after(() => session.close());

    const begun = await overHttp2(session, 'POST', '/v1/workflow', '{}');
    const { status_url, response_url } = JSON.parse(begun.body) as Record<string, string>;
    const following = overHttp2(session, 'GET', `${status_url}/stream`);
    const body = JSON.stringify({ response: { type: 'text', text: 'Ada' } });
    const answered = await overHttp2(session, 'POST', response_url!, body);

    assert.equal(begun.status, 202);
    assert.equal(answered.status, 204);
    assert.match((await following).body, /event: execution.completed/);
  });
}
