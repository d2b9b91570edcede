/** Where real NAT's clients told a difference: texts of errors, paths of files, clients that leave. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../../runtime/index.ts';
import type { ServerOptions } from '../../../server/index.ts';
import { openStream } from '../../support/event-reader.ts';
import { given, operator } from '../../support/given.ts';
import { rawRequest, sendRaw, until } from '../../support/http.ts';
import { immediate } from '../../support/in-process.ts';

const word = z.object({ word: z.string() });
const quiet: Partial<ServerOptions> = { stepAdaptor: { mode: 'off', customEventTypes: [] } };

const failing = workflow({
  name: 'failing',
  input: word,
  run: () => {
    throw new RangeError('');
  },
});

const chat = { messages: [{ role: 'user', content: 'x' }], stream: true };

test('a failure without text keeps its empty text where NAT keeps it', async (t) => {
  const { server, call } = await given.server(t, { workflow: failing, config: quiet });
  const messageOf = async (path: string) =>
    ((await call(`POST ${path}`, { body: { word: 'x', ...chat, stream: false } })).body as { message: string }).message;
  const singles = ['/v1/workflow', '/v1/chat', '/generate', '/chat', '/v1/chat/completions'];
  const streams = [
    '/v1/workflow/stream',
    '/v1/chat/stream',
    '/generate/stream',
    '/chat/stream',
    '/v1/chat/completions',
  ];

  const single = await Promise.all(singles.map(messageOf));
  const streamed = [];
  for (const path of streams) {
    const reader = await openStream(t, server.url + path, { method: 'POST', body: { word: 'x', ...chat } });
    await reader.ended;
    streamed.push(JSON.parse(reader.text.slice(reader.text.indexOf('{'))).message);
  }

  assert.deepEqual(single, ['Unknown error', 'Unknown error', '', '', '']);
  assert.deepEqual(streamed, ['', '', '', '', '']);
});

// --- clients that leave --------------------------------------------------------------------------------------------

const endless = workflow({
  name: 'endless',
  input: word,
  run: (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

const left = async (t: TestContext, path: string, headers: Record<string, string> = {}) => {
  const { runtime, server } = await given.server(t, { workflow: endless });
  const leaving = new AbortController();
  const body = JSON.stringify({ word: 'x', messages: chat.messages });
  const called = fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    signal: leaving.signal,
  });
  const all = () => immediate(runtime.list(operator, { limit: 9 })).executions;
  await until(() => all().length === 1, 'the start');
  leaving.abort();
  await assert.rejects(called);
  await until(() => server.openRequests === 0, 'the server to notice');
  return { runtime, all };
};

for (const path of ['/generate', '/chat', '/v1/chat/completions']) {
  test(`the run of a call to ${path} ends when its client leaves`, async (t) => {
    const { all } = await left(t, path);

    await until(() => all()[0]?.isSettled === true, 'the end of the run');
    assert.equal(all()[0]?.context.error?.code, 'cancelled');
  });
}

for (const [path, headers, why] of [
  ['/v1/workflow', {}, 'can be found again'],
  ['/generate', { 'idempotency-key': 'a-key-of-a-client-that-comes-back' }, 'has a key to come back with'],
] as const) {
  test(`the run of a call to ${path} that ${why} goes on without its client`, async (t) => {
    const { all, runtime } = await left(t, path, headers);

    assert.equal(all()[0]?.isSettled, false);
    await runtime.cancel(all()[0]!.id, operator);
  });
}

// --- the path of a request -----------------------------------------------------------------------------------------

test('a workflow sees the path as it was asked for, with the root path if it was there', async (t) => {
  const served = workflow({ name: 'where', input: word, run: (_, ctx) => String(ctx.request.path) });
  const { server, call } = await given.server(t, { workflow: served, config: { rootPath: '/pfx' } });
  const at = new URL(server.url).origin;

  const below = await call('POST /v1/workflow', { body: { word: 'x' } });
  const beside = await fetch(`${at}/v1/workflow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"word":"x"}',
  });

  assert.deepEqual(below.body, { value: '/pfx/v1/workflow' });
  assert.deepEqual(await beside.json(), { value: '/v1/workflow' });
});

// --- files ---------------------------------------------------------------------------------------------------------

const form = (content: string, type: string): { head: string; body: string } => {
  const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n--b--\r\n`;
  return { head: `content-type: multipart/form-data; boundary=b\r\ncontent-length: ${body.length}\r\n`, body };
};

const store = async (t: TestContext) => {
  const world = await given.server(t, { workflow: failing, config: { objectStore: 'memory' } });
  const send = async (line: string, type = 'text/plain') => {
    const { head, body } = form('x', type);
    const reply = await sendRaw(t, world.server.port, `${line} HTTP/1.1\r\nhost: localhost\r\n${head}\r\n${body}`);
    return { status: reply.status, body: JSON.parse(reply.body) as Record<string, string>, headers: reply.headers };
  };
  const get = (path: string) => sendRaw(t, world.server.port, rawRequest(`GET ${path}`));
  return { ...world, send, get };
};

const names: readonly [path: string, key: string][] = [
  ['x/./a/../b.txt', 'x/b.txt'],
  ['a%2Fc.txt', 'a/c.txt'],
  ['a//d.txt', 'a/d.txt'],
  ['/e.txt', 'e.txt'],
  ['f.txt/', 'f.txt'],
  ['a/%2e%2e/g.txt', 'g.txt'],
];

for (const [path, key] of names) {
  test(`a file that is written at ${path} is found as ${key}, and a path is read as it stands`, async (t) => {
    const { send, get } = await store(t);

    const written = await send(`PUT /static/${path}`);

    assert.deepEqual([written.status, written.body], [200, { filename: key }]);
    assert.equal((await get(`/static/${key}`)).status, 200);
    assert.equal((await get(`/static/${path}`)).status, path === 'a%2Fc.txt' ? 200 : 404);
  });
}

for (const path of ['../x', 'a/../../x', '..', '%2e%2e/x', 'a/..', '.', '', '%2e%2e%2fx', '..%5cx', 'a%00b']) {
  test(`nothing can be written at ${JSON.stringify(path)}`, async (t) => {
    const { send } = await store(t);

    for (const method of ['PUT', 'POST']) {
      const { status, body } = await send(`${method} /static/${path}`);
      assert.deepEqual([status, body], [400, { detail: 'Invalid file path.' }]);
    }
  });
}

const types: readonly [given: string, sent: string][] = [
  ['text/plain; charset=ISO-8859-1', 'text/plain; charset=ISO-8859-1'],
  ['text/csv;header=present;charset="shift_jis"', 'text/csv; charset=shift_jis'],
  ['application/json; charset=utf-16', 'application/json; charset=utf-16'],
  ['text/plain', 'text/plain; charset=utf-8'],
  ['text/plain; charset=a b', 'text/plain; charset=a'],
  ['image/png', 'image/png'],
];

for (const [type, sent] of types) {
  test(`a file that was uploaded as ${type} is ${sent}`, async (t) => {
    const { send, get } = await store(t);
    await send('PUT /static/f', type);

    assert.equal((await get('/static/f')).headers['content-type'], sent);
  });
}
