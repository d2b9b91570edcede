import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Client, createClient, type StreamEvent } from '../../client/index.ts';
import { text, workflow } from '../../runtime/index.ts';
import { given } from '../support/given.ts';

/** Says ten words, asks for a name in their middle, and says it. */
const speaker = workflow({
  name: 'speaker',
  async *run(_input, ctx) {
    for (let word = 0; word < 5; word += 1) yield `word ${word}`;
    yield (await ctx.prompt(text({ text: 'Name?' }))).text;
    for (let word = 5; word < 10; word += 1) yield `word ${word}`;
    return 'said';
  },
});

type Fetch = typeof globalThis.fetch;

const world = async (t: TestContext) => {
  const { server } = await given.server(t, { workflow: speaker });
  return { url: server.url, client: createClient({ baseUrl: server.url }) };
};

/** All events. With a name the prompt is answered as it comes. */
const heard = async (client: Client, executionId: string, name?: string): Promise<StreamEvent[]> => {
  const events: StreamEvent[] = [];
  for await (const event of client.stream(executionId, { retryMs: () => 0 })) {
    events.push(event);
    if (event.type === 'interaction.requested' && name !== undefined) await client.answer(event.data, name);
  }
  return events;
};

test('an execution is heard from its beginning to its end, also by who comes late', async (t) => {
  const { client } = await world(t);
  const { executionId } = await client.start({});

  const live = await heard(client, executionId, 'Ada');
  const late = await heard(client, executionId);

  const words = live.flatMap((event) => (event.type === 'output.emitted' ? [event.data.value] : []));
  assert.deepEqual(words.slice(4, 7), ['word 4', 'Ada', 'word 5']);
  assert.equal(words.length, 11);
  assert.equal(live.at(-1)?.type, 'execution.completed');
  assert.deepEqual(late, live);
});

/** Breaks every connection to a stream after so many bytes. */
const breaking = (bytes: number): Fetch => {
  const fetch: Fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    if (!String(input).endsWith('/stream') || response.body === null) return response;
    let left = bytes;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.error(new Error('the line broke'));
      },
    });
    return new Response(response.body.pipeThrough(cut), response);
  };
  return fetch;
};

test('wherever the line breaks, every event is heard once and in order', async (t) => {
  const { url, client: whole } = await world(t);
  const { executionId } = await whole.start({});
  const expected = await heard(whole, executionId, 'Ada');

  for (const bytes of [600, 700, 933, 1_200, 2_000]) {
    const client = createClient({ baseUrl: url, fetch: breaking(bytes) });

    assert.deepEqual(await heard(client, executionId), expected);
  }
});

test('an unknown execution is not retried', async (t) => {
  const { client } = await world(t);

  await assert.rejects(heard(client, 'nothing'), { name: 'RequestError', status: 404 });
});

test('who stops listening is not called back', async (t) => {
  const { client } = await world(t);
  const { executionId } = await client.start({});
  const stop = new AbortController();

  const listening = (async () => {
    for await (const event of client.stream(executionId, { signal: stop.signal })) {
      if (event.type === 'interaction.requested') stop.abort(new Error('enough'));
    }
  })();

  await assert.rejects(listening, { message: 'enough' });
  await client.cancel(executionId);
});

const read = async <T>(events: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
};

test('a journal is read to its end with all facts, and from a number on', async (t) => {
  const { client } = await world(t);
  const { executionId } = await client.start({});
  await heard(client, executionId, 'Ada');

  const all = await read(client.journal(executionId));
  const rest = await read(client.journal(executionId, { after: 3 }));

  assert.deepEqual(
    all.map(({ seq }) => seq),
    all.map((_, index) => index + 1),
  );
  assert.deepEqual(
    [all[0]?.type, all[1]?.type, all.at(-1)?.type],
    ['execution.started', 'slot.granted', 'execution.completed'],
  );
  assert.deepEqual(rest, all.slice(3));
});

test('changes are told to their owner until he leaves', async (t) => {
  const { url } = await world(t);
  const client = createClient({ baseUrl: url, headers: { 'x-api-key': 'ada' } });
  const leave = new AbortController();
  const changes = client.changes({ signal: leave.signal });

  const first = await changes.next();
  leave.abort();

  assert.deepEqual(first.value, { executions: null });
  await assert.rejects(changes.next(), { name: 'AbortError' });
});
