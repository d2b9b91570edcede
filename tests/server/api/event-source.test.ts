/** The EventSource of browsers, as a package for Node, on our streams: alone, and behind the bad proxy. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ErrorEvent, EventSource } from 'eventsource';
import { text, workflow } from '../../../runtime/index.ts';
import { badProxy, type Mischief, type Passed } from '../../support/bad-proxy.ts';
import { given } from '../../support/given.ts';

const headers = { 'x-api-key': 'ada' };
const KINDS = [
  'execution.started',
  'output.emitted',
  'interaction.requested',
  'interaction.answered',
  'execution.completed',
  'execution.failed',
];

const world = async (t: TestContext, mischief: (passed: Passed) => Mischief) => {
  const speaker = workflow({
    name: 'speaker',
    async *run(_input: unknown, ctx) {
      for (let word = 0; word < 5; word += 1) yield `word ${word}`;
      const { text: name } = await ctx.prompt(text({ text: 'Name?' }));
      for (let word = 5; word < 10; word += 1) yield `word ${word}`;
      return name;
    },
  });
  const { server, call } = await given.server(t, { workflow: speaker });
  const { url } = await badProxy(t, () => server.url, mischief);
  const { body } = await call('POST /v1/workflow', { body: {}, headers });
  const { execution_id: id, response_url } = body as Record<'execution_id' | 'response_url', string>;
  const answer = () => call(`POST ${response_url}`, { headers, body: { response: { type: 'text', text: 'Ada' } } });
  return { url: `${url}/executions/${id}/stream`, answer };
};

/** All events until the server says that there are no more. Its pause before it comes back is cut short. */
const heard = (t: TestContext, url: string, onEvent: (type: string) => void = () => {}) => {
  const events: { type: string; id: string; data: unknown }[] = [];
  const opened: (string | null)[] = [];
  const errors: ErrorEvent[] = [];
  const source = new EventSource(url, {
    fetch: async (input, init) => {
      const all = { ...init?.headers, ...headers };
      opened.push(new Headers(all).get('last-event-id'));
      const reply = await fetch(input, { ...init, headers: all } as RequestInit);
      if (reply.body === null || !reply.ok) return reply;
      const soon = new TransformStream({ start: (out) => out.enqueue(new TextEncoder().encode('retry: 5\n\n')) });
      return { ...replyOf(reply), body: reply.body.pipeThrough(soon) };
    },
  });
  t.after(() => source.close());
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ type, lastEventId, data }) => {
      events.push({ type, id: lastEventId, data: JSON.parse(data) });
      onEvent(type);
    });
  }
  const closed = new Promise<void>((resolve) => {
    source.addEventListener('error', (error) => {
      errors.push(error);
      if (source.readyState === EventSource.CLOSED) resolve();
    });
  });
  return { events, opened, errors, closed };
};

const replyOf = ({ url, status, redirected, headers: given }: Response) => ({
  url,
  status,
  redirected,
  headers: given,
});

const isSound = (events: readonly { type: string; id: string; data: unknown }[]): void => {
  const ids = events.map(({ id }) => Number(id));
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    'an event was lost in order, or came twice',
  );
  const words = events.flatMap(({ type, data }) =>
    type === 'output.emitted' ? [(data as { value: string }).value] : [],
  );
  assert.deepEqual(
    words,
    Array.from({ length: 10 }, (_, word) => `word ${word}`),
  );
  assert.equal(events.at(-1)?.type, 'execution.completed');
};

test('an EventSource hears everything once, and is told by 204 not to come back', async (t) => {
  const { url, answer } = await world(t, () => 'pass');

  const { events, opened, errors, closed } = heard(t, url, (type) => {
    if (type === 'interaction.requested') void answer();
  });
  await closed;

  isSound(events);
  assert.deepEqual(opened, [null, events.at(-1)?.id]);
  assert.equal(errors.at(-1)?.code, 204);
});

/** It waits three seconds after a connection that was refused, so these are tried at once. */
test('what a proxy does to an EventSource', { concurrency: true }, (all) => {
  const tried = (['halve', 'refuse', 'lose'] as const).map((mischief) =>
    all.test(`it hears everything once in spite of this: ${mischief}`, async (t) => {
      const times = mischief === 'halve' ? 3 : 1;
      const { url, answer } = await world(t, ({ method, nth }) =>
        method === 'GET' && nth < times ? mischief : 'pass',
      );
      if (mischief === 'lose') await answer(); // else the stream would have no end to lose

      const { events, closed } = heard(t, url, (type) => {
        if (type === 'interaction.requested' && mischief !== 'lose') void answer();
      });
      await closed;

      isSound(events);
    }),
  );
  return Promise.all(tried).then(() => {});
});

test('a stream that is not to be had is an error with its status, and none that looks like an end', async (t) => {
  const { url, answer } = await world(t, () => 503);

  const { events, errors, closed } = heard(t, url);
  await closed;
  await answer();

  assert.deepEqual(events, []);
  assert.equal(errors.at(-1)?.code, 503);
});
