/** HTTP as clients, browsers and proxies speak it: slow bodies, large ones, HEAD, redirects, headers that are not ASCII. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { text, workflow } from '../../../runtime/index.ts';
import type { Route } from '../../../server/http/route.ts';
import { isOnWeb, isParsedByNode } from '../../support/adapter.ts';
import { given } from '../../support/given.ts';
import { connectRaw, rawRequest, sendRaw, startServer, until } from '../../support/http.ts';
import { immediate } from '../../support/in-process.ts';
import { givenSocketServer, isComplete, isError, textsOf } from '../../support/socket-server.ts';

const echo = workflow({ name: 'echo', run: (input: unknown) => input });
const asker = workflow({ name: 'asker', run: async (_, ctx) => (await ctx.prompt(text({ text: 'Go on?' }))).text });
const length: Route = {
  method: 'POST',
  path: '/length',
  handle: ({ body }) => ({ status: 200, body: String(body?.length ?? 0) }),
};

test('a body that takes longer than the adapter likes arrives', async (t) => {
  const server = await startServer(t, {
    routes: [length],
    // The clock of the adapter is put forward every four seconds; here that happens at once, again and again.
    after: (ms, run) => {
      const timer = globalThis.setTimeout(run, ms / 100);
      return () => clearTimeout(timer);
    },
    requestTimeoutMs: 2_000_000,
  });
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('POST /length', ['Content-Length: 10']));
  for (let byte = 0; byte < 10; byte += 1) {
    client.send('x');
    await setTimeout(60);
  }

  assert.equal((await client.answer()).body, '10');
});

test('a client that still sends is told that its body is too large, and may go on', async (t) => {
  const server = await startServer(t, { routes: [length], maxBodyBytes: 1_000 });

  for (let round = 0; round < 5; round += 1) {
    const refused = await fetch(`${server.url}/length`, { method: 'POST', body: 'x'.repeat(8_000_000) });
    assert.equal(refused.status, 413);
    assert.match(((await refused.json()) as { detail: string }).detail, /1000 bytes/);
  }
  const stream = new Blob(['x'.repeat(4_000_000)]).stream();
  const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
  assert.equal((await fetch(`${server.url}/length`, init)).status, 413);

  const client = await connectRaw(t, server.port);
  client.send(rawRequest('POST /length', ['Content-Length: 2000'], 'x'.repeat(2_000)));
  assert.equal((await client.answer()).status, 413);
  client.send(rawRequest('POST /length', ['Content-Length: 2'], 'xx'));
  assert.equal((await client.answer()).body, '2');
});

test('a chat may be larger than other bodies, unless a smaller limit is set for all', async (t) => {
  const content = 'x'.repeat(3_000_000);
  const body = { messages: [{ role: 'user', content }] };
  const roomy = await given.server(t, { workflow: echo });
  const tight = await given.server(t, {
    workflow: echo,
    config: { limits: { maxBodyBytes: 1_000, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 } },
  });

  assert.equal((await roomy.call('POST /v1/chat/completions', { body })).status, 200);
  assert.equal((await roomy.call('POST /v1/workflow', { body })).status, 413);
  assert.equal((await tight.call('POST /v1/chat/completions', { body })).status, 413);
});

test('a workflow that takes chats gets an image of ten megabytes, on every chat route and on a socket', async (t) => {
  const size = workflow({
    name: 'size',
    run: async (chat: unknown) => String(JSON.stringify(chat).length > 10_000_000),
  });
  const { call, connect } = await givenSocketServer(t, { workflow: size });
  const image = { type: 'image_url', image_url: { url: `data:,${'A'.repeat(10_000_000)}` } };
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'look' }, image] }];

  for (const path of ['/v1/chat', '/chat', '/v1/chat/completions']) {
    const { status, body } = await call(`POST ${path}`, { body: { messages } });
    assert.deepEqual([status, contentIn(body)], [200, 'true'], path);
  }
  if (isOnWeb()) return; // it has no sockets
  const client = await connect();
  client.send({ type: 'user_message', schema_type: 'chat', id: 'm', content: { messages } });
  const shown = await client.until(isComplete);
  assert.deepEqual(textsOf(shown), ['true']);
  assert.deepEqual(shown.filter(isError), [], 'steps that the journal has no room for are no output');
});

const contentIn = (body: unknown) =>
  (body as { choices: { message: { content: string } }[] }).choices[0]?.message.content;

test('HEAD is answered wherever GET is, without a body, and starts nothing', async (t) => {
  const { call, runtime } = await given.server(t, {
    workflow: echo,
    config: { workflow: { method: 'GET', path: '/v1/workflow', legacyPath: '/generate' } },
  });

  for (const path of ['/health', '/openapi.json', '/workflows', '/console', '/']) {
    const { status, body } = await call(`HEAD ${path}`);
    assert.deepEqual([path, status, body], [path, 200, undefined]);
  }
  for (const path of ['/v1/workflow', '/generate', '/v1/workflow/stream', '/generate/full', '/auth/redirect']) {
    assert.equal((await call(`HEAD ${path}`)).status, 405, path);
  }
  assert.equal(immediate(runtime.list({ userId: undefined, isOperator: true }, { limit: 1 })).executions.length, 0);
});

test('the root says where things are', async (t) => {
  const { call } = await given.server(t, { workflow: echo, config: { rootPath: '/api' } });

  const { status, body } = await call('GET /');
  const { version, ...places } = body as Record<string, unknown>;
  const path = (place: string): string => String((body as Record<string, unknown>)[place]).slice('/api'.length);

  assert.equal(status, 200);
  assert.match(String(version), /^\d+\.\d+\.\d+/);
  assert.deepEqual(places, {
    name: 'fermata',
    workflows: { echo: 'POST /api/v1/workflow' },
    health: '/api/health',
    docs: '/api/docs',
    openapi: '/api/openapi.json',
    console: '/api/console',
  });
  for (const place of ['health', 'docs', 'openapi', 'console']) {
    assert.equal((await call(`GET ${path(place)}`)).status, 200, place);
  }
});

test('a redirect names a path of this server, whatever the client and the path are', async (t) => {
  const server = await startServer(t, {
    routes: [
      { ...length, method: 'GET', path: '/a/b' },
      { ...length, method: 'GET', path: '//evil.example' },
    ],
  });

  for (const [target, location] of [
    ['/a/b/', '/a/b'],
    ['/a/b//?x=1', '/a/b?x=1'],
    ['//evil.example/', '/evil.example'],
  ] as const) {
    const { status, headers } = await sendRaw(t, server.port, rawRequest(`GET ${target}`));
    assert.deepEqual([status, headers.location], [307, location]);
  }
});

test('a client on this machine that no proxy stands before is sent to a whole URL, as NAT sends it', async (t) => {
  const server = await startServer(t, { routes: [{ ...length, method: 'GET', path: '/a' }] });
  const locationFor = async (more: string) =>
    (await sendRaw(t, server.port, `GET /a/?x=1 HTTP/1.1\r\n${more}\r\n\r\n`)).headers.location;
  const own = `127.0.0.1:${server.port}`;

  assert.equal(await locationFor(`host: ${own}`), `http://${own}/a?x=1`);
  assert.equal(await locationFor(`host: localhost:${server.port}`), `http://localhost:${server.port}/a?x=1`);
  for (const proxied of [
    'host: app.example',
    'host: 127.0.0.1',
    `host: app.example:${server.port}`,
    `host: ${own}\r\nx-forwarded-proto: https`,
    `host: ${own}\r\nvia: 1.1 proxy`,
  ]) {
    assert.equal(await locationFor(proxied), '/a?x=1', proxied);
  }
});

test('a header that is not ASCII is read as Latin-1; a credential of which bytes would be lost is refused by name', async (t) => {
  const seen: Record<string, string | undefined>[] = [];
  const server = await startServer(t, {
    routes: [
      {
        method: 'GET',
        path: '/',
        handle: ({ headers }) => {
          seen.push({ key: headers['x-api-key'], other: headers['x-other'] });
          return { status: 200 };
        },
      },
    ],
  });
  const utf8 = Buffer.from('müller-x').toString('latin1');

  assert.equal(
    (await sendRaw(t, server.port, rawRequest('GET /', [`X-API-Key: ${utf8}`, 'X-Other: m\xfcller']))).status,
    200,
  );
  assert.equal(seen[0]?.key, utf8);
  for (const name of ['X-API-Key', 'Authorization', 'Cookie', 'X-Operator-Key']) {
    const { status, body } = await sendRaw(t, server.port, rawRequest('GET /', [`${name}: a=m\xfcller`]));
    assert.equal(status, isParsedByNode() ? 200 : 400); // it loses no bytes
    if (!isParsedByNode()) assert.match(body, new RegExp(name, 'i'));
  }
  assert.equal(seen.length, isParsedByNode() ? 5 : 1);
});

test('a page of an allowed origin needs no other setting to use what is ours', async (t) => {
  const { call } = await given.server(t, {
    workflow: asker,
    config: { cors: { allowOrigins: ['http://app.example'] } },
  });
  const origin = { origin: 'http://app.example' };

  const asked = { ...origin, 'access-control-request-method': 'POST' };
  const own = 'authorization, content-type, idempotency-key, prefer, x-api-key, conversation-id, last-event-id';
  const preflight = await call('OPTIONS /v1/workflow', {
    headers: { ...asked, 'access-control-request-headers': own },
  });
  const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase().split(', ');
  assert.equal(preflight.status, 200);
  for (const name of own.split(', ')) assert.ok(allowed?.includes(name), name);
  const reply = await call('POST /v1/workflow', { headers: { ...origin, prefer: 'respond-async' }, body: {} });
  const exposed = reply.headers.get('access-control-expose-headers')?.split(', ');
  for (const name of ['execution-id', 'location', 'preference-applied']) assert.ok(exposed?.includes(name), name);
  const foreign = { origin: 'http://evil.example' };
  const refused = await call('OPTIONS /v1/workflow', {
    headers: { ...asked, ...foreign, 'access-control-request-headers': 'prefer' },
  });
  assert.equal(refused.status, 400);
  const unread = await call('POST /v1/workflow', { headers: { ...foreign, prefer: 'respond-async' }, body: {} });
  assert.equal(unread.headers.get('access-control-expose-headers'), null);
});

test('where a configuration lists what pages may read, only clients that know ours read the id of an execution', async (t) => {
  const cors = { allowOrigins: ['http://app.example'], exposeHeaders: ['Observability-Trace-Id'] };
  const { call } = await given.server(t, { workflow: echo, config: { cors } });
  const exposed = async (headers: Record<string, string>) => {
    const all = { origin: 'http://app.example', ...headers };
    const reply = await call('POST /v1/workflow', { headers: all, body: {} });
    return reply.headers.get('access-control-expose-headers');
  };

  assert.equal(await exposed({}), 'Observability-Trace-Id');
  assert.match(String(await exposed({ prefer: 'wait=5' })), /^Observability-Trace-Id, execution-id/);
  assert.match(String(await exposed({ 'idempotency-key': 'k', 'x-api-key': 'ada' })), /execution-id/);
  const id = (await call('POST /v1/workflow', { body: {} })).headers.get('execution-id');
  const polled = await call(`GET /executions/${id}`, { headers: { origin: 'http://app.example' } });
  assert.match(String(polled.headers.get('access-control-expose-headers')), /execution-seq/);
});

test('a stream says that no proxy may gather or compress it', async (t) => {
  const { server } = await given.server(t, { workflow: echo });
  const body = JSON.stringify({ a: 1 });
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };

  for (const path of ['/v1/workflow/stream', '/v1/workflow/full', '/generate/stream']) {
    const reply = await fetch(server.url + path, init);
    await reply.text();
    assert.equal(reply.headers.get('x-accel-buffering'), 'no');
    assert.match(reply.headers.get('cache-control') ?? '', /no-transform/);
  }
});

test('a stream that ends because the server stops is whole', async (t) => {
  const sinks: { end(): void; write(piece: string): boolean }[] = [];
  const server = await startServer(t, {
    routes: [
      {
        method: 'GET',
        path: '/stream',
        handle: () => ({
          status: 200,
          stream: (sink) => {
            sinks.push(sink);
            sink.write('begun ');
          },
        }),
      },
    ],
  });
  const client = await connectRaw(t, server.port);
  let received = '';
  client.socket.on('data', (data: string) => {
    received += data;
  });
  client.send(rawRequest('GET /stream'));
  await until(() => received.includes('begun'), 'the beginning');

  const closing = server.close({ graceMs: 60_000 });
  const last = `${'é'.repeat(3_000_000)}end`;
  sinks[0]!.write(last);
  sinks[0]!.end();
  await closing;
  await client.closed;

  assert.match(received, /0\r\n\r\n$/);
  assert.ok(!/connection: close/i.test(received.slice(received.indexOf('\r\n\r\n'))));
  const response = new Response(Buffer.from(received.replace(/\r\n[0-9a-f]+\r\n/gi, ''), 'latin1'));
  assert.ok((await response.text()).includes(last.slice(-100)));
});
