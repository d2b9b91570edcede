/** The client behind a proxy that drops, delays, halves and repeats. Nothing is lost, doubled, or taken for a success. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createClient, type HttpOptions, type StreamEvent } from '../../client/index.ts';
import { text, workflow } from '../../runtime/index.ts';
import { badProxy, type Mischief, type Passed } from '../support/bad-proxy.ts';
import { given } from '../support/given.ts';
import { freePort, loopback } from '../support/loopback.ts';

const world = async (t: TestContext, mischief: (passed: Passed) => Mischief, options: HttpOptions = {}) => {
  const done: string[] = [];
  const speaker = workflow({
    name: 'speaker',
    async *run(_input: unknown, ctx) {
      done.push('started');
      for (let word = 0; word < 5; word += 1) yield `word ${word}`;
      const { text: name } = await ctx.prompt(text({ text: 'Name?' }));
      done.push(`answered ${name}`);
      for (let word = 5; word < 10; word += 1) yield `word ${word}`;
      return name;
    },
  });
  const { server, runtime } = await given.server(t, { workflow: speaker });
  const proxy = await badProxy(t, () => server.url, mischief);
  const headers = { 'x-api-key': 'ada' };
  const client = createClient({ baseUrl: proxy.url, headers, retryMs: () => 1, timeoutMs: 20_000, ...options });
  const direct = createClient({ baseUrl: server.url, headers });
  return { client, direct, proxy, done, runtime, server };
};

/** The first requests of each kind meet with this, one after the other; later ones pass. */
const first =
  (...mischiefs: Mischief[]) =>
  ({ nth }: Passed): Mischief =>
    mischiefs[nth] ?? 'pass';

for (const mischief of ['refuse', 'lose', 'halve', 'repeat', 502, 503, 504, 429, 408] as Mischief[]) {
  test(`a run comes to its result, once, if the proxy does this to each request: ${mischief}`, async (t) => {
    const { client, done } = await world(t, first(mischief, mischief));

    const result = await client.run({}, { onPrompt: () => 'Ada' });

    assert.equal((result as { value?: unknown }).value ?? result, 'Ada');
    assert.deepEqual(done, ['started', 'answered Ada']);
  });
}

test('a reply that never comes is asked for again', async (t) => {
  const { client, done } = await world(t, first('swallow'), { timeoutMs: 300 });

  await client.run({}, { onPrompt: () => 'Ada' });

  assert.deepEqual(done, ['started', 'answered Ada']);
});

test('each call has one idempotency key, and each of its attempts sends that', async (t) => {
  const { client, proxy } = await world(t, first('lose', 503));

  await client.run({}, { onPrompt: () => 'Ada' });

  const posts = proxy.seen.filter(({ method }) => method === 'POST');
  const keys = (path: RegExp) =>
    posts.filter((one) => path.test(one.path)).map((one) => one.headers['idempotency-key']);
  assert.equal(keys(/workflow/).length, 3);
  assert.equal(new Set(keys(/workflow/)).size, 1);
  assert.equal(keys(/response/).length, 3);
  assert.equal(new Set([...keys(/response/), ...keys(/workflow/)]).size, 2);
});

test('a cancellation whose reply was lost is a cancellation', async (t) => {
  const { client, direct } = await world(t, ({ method, nth }) => (method === 'DELETE' && nth === 0 ? 'lose' : 'pass'));
  const { executionId } = await direct.start({});

  await client.cancel(executionId);

  assert.equal((await direct.get(executionId)).status, 'failed');
  await assert.rejects(client.cancel(executionId), { status: 409 });
});

test('what a retry cannot mend is not tried again', async (t) => {
  const { client, proxy } = await world(t, first(500));

  await assert.rejects(client.start({}), { name: 'RequestError', status: 500 });

  assert.equal(proxy.seen.length, 1);
});

test('a client gives up when it was told to, with the error that it met last', async (t) => {
  const { client, proxy } = await world(t, () => 503, { retryMs: (attempt) => (attempt < 3 ? 0 : undefined) });

  await assert.rejects(client.start({}), { name: 'RequestError', status: 503 });

  assert.equal(proxy.seen.length, 4);
});

test('what could never be sent is an error at once', async (t) => {
  const { client, proxy } = await world(t, () => 'pass');
  const circle: Record<string, unknown> = {};
  circle.again = circle;

  await assert.rejects(client.start(circle), TypeError);
  await assert.rejects(client.start({}, { headers: { 'x-bad': 'a\nb' } }), TypeError);
  await assert.rejects(createClient({ baseUrl: 'nowhere' }).start({}), TypeError);

  assert.equal(proxy.seen.length, 0);
});

test('a reply without the id or the number of the execution is an error', async (t) => {
  const { client, direct } = await world(t, () => 'bare');
  const { executionId } = await direct.start({});

  await assert.rejects(client.start({}), { name: 'RequestError', message: /execution-id.*expose_headers/ });
  await assert.rejects(client.get(executionId), { name: 'RequestError', message: /execution-seq/ });

  for (const { execution_id: id } of (await direct.list()).executions) await direct.cancel(id);
});

test('the server says how long it wants to be left alone, and is', async (t) => {
  const { server, origin } = await loopback(t);
  const asked: number[] = [];
  server.on('request', (_, response) => {
    asked.push(Date.now());
    const isFirst = asked.length === 1;
    response.writeHead(isFirst ? 503 : 202, isFirst ? { 'retry-after': '1' } : { 'execution-id': 'execution-1' });
    response.end();
  });

  await createClient({ baseUrl: origin, retryMs: () => 0 }).start({});

  assert.ok(asked[1]! - asked[0]! >= 950, `asked again after ${asked[1]! - asked[0]!} ms`);
});

test('a call survives a server that is away for a while', async (t) => {
  const { direct, server } = await world(t, () => 'pass');
  const port = await freePort();
  const client = createClient({
    baseUrl: `http://127.0.0.1:${port}`,
    headers: { 'x-api-key': 'ada' },
    retryMs: () => 20,
  });
  const started = client.start({});
  await new Promise((resolve) => setTimeout(resolve, 60));

  const again = createServer(async (incoming, outgoing) => {
    const reply = await fetch(server.url + incoming.url, {
      method: 'POST',
      headers: { 'x-api-key': 'ada', 'content-type': 'application/json', prefer: 'respond-async' },
      body: '{}',
    });
    outgoing.writeHead(reply.status, Object.fromEntries(reply.headers)).end(await reply.text());
  });
  await new Promise<void>((resolve) => again.listen(port, '127.0.0.1', resolve));
  t.after(() => again.closeAllConnections());
  t.after(() => again.close());

  await direct.cancel((await started).executionId);
});

const heard = async (events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> => {
  const all: StreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};

for (const mischief of ['refuse', 'lose', 'halve', 502, 429] as Mischief[]) {
  test(`a stream is heard whole, each event once, if the proxy does this to it: ${mischief}`, async (t) => {
    const { client, direct } = await world(t, first(mischief, mischief, mischief));
    const { executionId } = await direct.start({});
    const state = await direct.get(executionId);
    assert.ok(state.status === 'interaction_required');
    await direct.answer(state, 'Ada');
    const expected = await heard(direct.stream(executionId));

    const events = await heard(client.stream(executionId, { retryMs: () => 1 }));

    assert.deepEqual(events, expected);
  });
}

/** A server of streams that says what it is told to. */
const streamer = async (t: TestContext, bodies: ((write: (text: string) => void, end: () => void) => void)[]) => {
  const { server, origin } = await loopback(t);
  const resumed: (string | undefined)[] = [];
  server.on('request', (request, response) => {
    resumed.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    bodies.shift()?.(
      (text) => void response.write(text),
      () => void response.end(),
    );
  });
  return { client: createClient({ baseUrl: origin }), resumed };
};
const event = (id: number, type = 'output.emitted') => `id: ${id}\nevent: ${type}\ndata: {}\n\n`;

test('a stream that has been silent for two heartbeats is opened again, where it was', async (t) => {
  const { client, resumed } = await streamer(t, [
    (write) => write(event(1)),
    () => {},
    (write) => write(event(2) + event(3, 'execution.completed')),
  ]);

  const events = await heard(client.stream('any', { retryMs: () => 0, silenceMs: 80 }));

  assert.deepEqual(
    events.map(({ seq }) => seq),
    [1, 2, 3],
  );
  assert.deepEqual(resumed, ['0', '1', '1']);
});

test('a stream that has only heartbeats is left open', async (t) => {
  const { client, resumed } = await streamer(t, [
    (write) => {
      let beats = 0;
      const timer = setInterval(() => {
        beats += 1;
        write(beats < 20 ? ':\n\n' : event(1, 'execution.completed'));
        if (beats === 20) clearInterval(timer);
      }, 50);
    },
  ]);

  await heard(client.stream('any', { silenceMs: 700 }));

  assert.equal(resumed.length, 1);
});

test('events that something between repeats are heard once', async (t) => {
  const { client } = await streamer(t, [
    (write, end) => {
      write(event(1) + event(1) + event(2) + event(1));
      end();
    },
    (write) => write(event(1) + event(2) + event(3) + event(4, 'execution.completed')),
  ]);

  const events = await heard(client.stream('any', { retryMs: () => 0 }));

  assert.deepEqual(
    events.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
});

test('a page of something between is no stream of events', async (t) => {
  const { client } = await world(t, () => 200);

  await assert.rejects(heard(client.stream('any')), { name: 'RequestError', message: /text\/html/ });
});

test('no listener is left on a signal, however often a call or a stream is tried again', async (t) => {
  const { client } = await world(t, first(...Array<Mischief>(30).fill(503), 'halve', 'refuse', 'lose'));
  const { signal } = new AbortController();
  let most = 0;
  const look = () => {
    most = Math.max(most, getEventListeners(signal, 'abort').length);
    return 0;
  };
  const { executionId } = await client.start({}, { signal });
  const followed = client.follow(executionId, { signal, onPrompt: () => 'Ada' });
  await heard(client.stream(executionId, { signal, retryMs: look }));
  await followed;

  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.ok(most <= 4, `${most} listeners at once`);
});
