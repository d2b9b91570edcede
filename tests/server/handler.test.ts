/** `createHandler`: the routes as a function of the Fetch standard, without a connection. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { silentLog, text, workflow } from '../../runtime/index.ts';
import { createHandler, type Handler, type HandlerSetup } from '../../server/index.ts';

const greeting = workflow({
  name: 'greeting',
  input: z.object({ tone: z.string() }),
  run: async ({ tone }, ctx) => ({ said: `${tone}, ${(await ctx.prompt(text({ text: 'Your name?' }))).text}!` }),
});

const handlerOf = async (t: TestContext, config: HandlerSetup['config'] = {}, more: Partial<HandlerSetup> = {}) => {
  const handler = await createHandler({ workflow: greeting, config, ...more });
  t.after(() => handler.close());
  return handler;
};

const BASE = 'https://app.example';
const get = (path: string, init?: RequestInit): Request => new Request(BASE + path, init);
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Request =>
  get(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

type Started = { execution_id: string; response_url: string; status_url: string };
const startedOn = async (handler: Handler, headers?: Record<string, string>): Promise<Started> => {
  const reply = await handler(post('/v1/workflow', { tone: 'Hello' }, headers));
  assert.equal(reply.status, 202);
  return (await reply.json()) as Started;
};
const answer = { response: { type: 'text', text: 'Ada' } };

/** Requests of the Fetch standard that stream their body need this, which the types do not know yet. */
const streaming = { duplex: 'half' } as RequestInit;

test('an execution is started, answered and read through the handler', async (t) => {
  const handler = await handlerOf(t);
  const { response_url, status_url } = await startedOn(handler);

  const answered = await handler(post(response_url, answer));
  const status = await handler(get(`${status_url}?wait=10`));

  assert.equal(answered.status, 204);
  assert.equal(await answered.text(), '');
  assert.match(status.headers.get('content-type') ?? '', /^application\/json/);
  assert.deepEqual(((await status.json()) as { result: unknown }).result, { said: 'Hello, Ada!' });
  assert.equal(handler.openRequests, 0);
});

test('a stream arrives as it is written, and ends with the execution', async (t) => {
  const handler = await handlerOf(t);
  const { response_url, status_url } = await startedOn(handler);
  const reply = await handler(get(`${status_url}/stream`));
  const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  while (!seen.includes('interaction.requested')) seen += (await reader.read()).value;

  await handler(post(response_url, answer));
  for (let part = await reader.read(); !part.done; part = await reader.read()) seen += part.value;

  assert.equal(reply.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.match(seen, /event: execution\.completed/);
  assert.equal(handler.openRequests, 0);
});

test('a stream that its reader cancels is over', async (t) => {
  const handler = await handlerOf(t);
  const { status_url } = await startedOn(handler);
  const reply = await handler(get(`${status_url}/stream`));
  assert.equal(handler.openRequests, 1);

  await reply.body!.cancel();

  assert.equal(handler.openRequests, 0);
});

test('a request whose client goes while it waits is over, and rejects with the reason of its signal', async (t) => {
  const handler = await handlerOf(t);
  const { status_url } = await startedOn(handler);
  const client = new AbortController();
  const state = await handler(get(status_url));
  const after = state.headers.get('execution-seq');
  const waiting = handler(get(`${status_url}?wait=60&after=${after}`, { signal: client.signal }));
  assert.equal(handler.openRequests, 1);

  client.abort(new Error('gone'));

  await assert.rejects(waiting, { message: 'gone' });
  assert.equal(handler.openRequests, 0);
});

test('a body that comes in parts is read whole, and one beyond the limit is refused', async (t) => {
  const handler = await handlerOf(t, {
    limits: { maxBodyBytes: 64, maxHeaderBytes: 16_384, requestTimeoutMs: 30_000 },
  });
  const parts = (...texts: string[]) =>
    new ReadableStream({
      start: (controller) => {
        for (const part of texts) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
  const send = (body: ReadableStream) =>
    handler(
      get('/v1/workflow', { method: 'POST', body, headers: { 'content-type': 'application/json' }, ...streaming }),
    );

  const taken = await send(parts('{"tone": ', '"Hello"}'));
  const refused = await send(parts('{"tone": "', 'o'.repeat(100), '"}'));

  assert.equal(taken.status, 202);
  assert.equal(refused.status, 413);
});

test('a request whose body was read before is answered in words, and starts nothing', async (t) => {
  const handler = await handlerOf(t);
  const used = post('/v1/workflow', { tone: 'Hello' });
  const copy = used.clone();
  await used.text();
  // As behind a parser of Express: the headers say that there is a body, and nothing of it comes.
  const headers = { 'content-type': 'application/json', 'content-length': '16' };
  const drained = get('/v1/workflow', {
    method: 'POST',
    headers,
    body: new ReadableStream({ start: (c) => c.close() }),
    ...streaming,
  });

  for (const request of [used, drained]) {
    const reply = await handler(request);
    assert.equal(reply.status, 500);
    assert.match(
      await reply.text(),
      /The body of this request was read before\. Call the handler before any middleware/,
    );
  }
  assert.equal(handler.openRequests, 0);
  assert.equal((await handler(copy)).status, 202);
});

test('a body in a coding that the server around has not decoded is refused, and starts nothing', async (t) => {
  const handler = await handlerOf(t);
  for (const coding of ['gzip, chunked', ', chunked', 'xchunked']) {
    const reply = await handler(post('/v1/workflow', { tone: 'Hello' }, { 'transfer-encoding': coding }));

    assert.equal(reply.status, 400, coding);
    assert.match(await reply.text(), /Transfer-Encoding/);
  }
});

test('headers beyond the limit are refused', async (t) => {
  const handler = await handlerOf(t);

  const reply = await handler(get('/health', { headers: { 'x-long': 'o'.repeat(20_000) } }));

  assert.equal(reply.status, 431);
});

test('what is not there, a wrong method and a HEAD are answered as by a server', async (t) => {
  const handler = await handlerOf(t);

  const [missing, wrong, head] = await Promise.all([
    handler(get('/nothing')),
    handler(get('/health', { method: 'DELETE' })),
    handler(get('/health', { method: 'HEAD' })),
  ]);

  assert.deepEqual([missing.status, wrong.status, head.status], [404, 405, 200]);
  assert.equal(wrong.headers.get('allow'), 'GET');
  assert.equal(await head.text(), '');
});

test('routes answer below the root path, and what they link to is there too', async (t) => {
  const handler = await handlerOf(t, { rootPath: '/api/flows' });

  const reply = await handler(post('/api/flows/v1/workflow', { tone: 'Hello' }));

  const { status_url } = (await reply.json()) as Started;
  assert.match(status_url, /^\/api\/flows\/executions\//);
  assert.equal((await handler(get(status_url))).status, 200);
});

test('an execution of one user does not exist for another', async (t) => {
  const handler = await handlerOf(t);
  const { status_url } = await startedOn(handler, { 'x-api-key': 'ada' });

  const [own, other] = [
    await handler(get(status_url, { headers: { 'x-api-key': 'ada' } })),
    await handler(get(status_url, { headers: { 'x-api-key': 'bob' } })),
  ];

  assert.deepEqual([own.status, other.status], [200, 404]);
});

test('a caller from this machine is no operator, and the operator key makes one', async (t) => {
  const key = 'a-key-of-an-operator';
  const handler = await handlerOf(t, { identity: { operatorKey: [key] } }, { clientOf: () => '127.0.0.1' });
  const local = { host: 'localhost' };

  const [without, withKey] = [
    await handler(get('/builders', { headers: local })),
    await handler(get('/builders', { headers: { ...local, 'x-operator-key': key } })),
  ];

  assert.equal(without.status, 403);
  assert.equal(withKey.status, 200);
});

test('after close, streams have ended and requests are refused', async (t) => {
  const handler = await handlerOf(t);
  const { status_url } = await startedOn(handler);
  const reply = await handler(get(`${status_url}/stream`));

  await handler.close();

  assert.match(await reply.text(), /event: execution\.failed/);
  assert.equal((await handler(get('/health'))).status, 503);
});

test('a refusal whose client has left is no error in the log', async (t) => {
  const errors: unknown[] = [];
  const log = { ...silentLog, error: (fields: unknown) => void errors.push(fields) };
  const handler = await handlerOf(t, {}, { log });
  const { status_url } = await startedOn(handler);
  await handler(get(status_url, { method: 'DELETE' }));

  const left = handler(get(status_url, { method: 'DELETE', signal: AbortSignal.abort() }));

  await assert.rejects(left, { name: 'AbortError' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(errors, []);
});
