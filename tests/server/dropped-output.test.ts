/** Streams whose reader is slower than the run: output that is dropped unread is an error to NAT's and OpenAI's clients. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type Workflow, workflow } from '../../runtime/index.ts';
import { openStream } from '../support/event-reader.ts';
import { given } from '../support/given.ts';

const WORDS = 30_000;

/** Says three times as much as a journal holds, and waits for nothing. */
const endless = workflow({
  name: 'endless',
  async *run() {
    for (let count = 0; count < WORDS; count += 1) yield `word${count} `;
  },
});

test('a reader that takes all it is sent gets everything that a generator says, however much it is at once', async (t) => {
  const { server } = await given.server(t, { workflow: endless });

  const reader = await openStream(t, `${server.url}/v1/chat/completions`, { method: 'POST', body: chat });
  await reader.ended;

  const words = [...reader.text.matchAll(/"content":"(word\d+) "/g)].map(([, said]) => said);
  assert.deepEqual([words.length, words[0], words.at(-1)], [WORDS, 'word0', `word${WORDS - 1}`]);
  assert.match(reader.text, /"stop"/);
  assert.doesNotMatch(reader.text, /"code"/);
});

const word = z.object({ word: z.string() });

/** Emits more than the journal holds and more than a socket takes, all in one turn of the event loop. */
const burst = workflow({
  name: 'burst',
  input: word,
  run: (_, ctx) => {
    for (let part = 0; part < 100; part += 1) ctx.emit(`part ${part} ${'x'.repeat(200_000)}`);
    return 'all';
  },
});

/** Says one thing, after more steps than the journal holds. */
const talkative = workflow({
  name: 'talkative',
  input: word,
  run: (_, ctx) => {
    const span = ctx.span('LLM', 'model', { input: 'x' });
    for (let token = 0; token < 100; token += 1) span.chunk(`${token} `);
    span.end('done');
    ctx.emit('the answer');
  },
});

const chat = { messages: [{ role: 'user', content: 'x' }], stream: true };
const routes: readonly [path: string, body: object][] = [
  ['/v1/workflow/stream', { word: 'x' }],
  ['/v1/workflow/full', { word: 'x' }],
  ['/generate/stream', { word: 'x' }],
  ['/generate/full', { word: 'x' }],
  ['/v1/chat/stream', chat],
  ['/chat/stream', chat],
  ['/v1/chat/completions', chat],
];

const textOf = async (t: TestContext, served: Workflow, path: string, body: object): Promise<string> => {
  const config = { runtime: { maxJournalFacts: 20 } };
  const { server } = await given.server(t, { workflow: served, config });
  const reader = await openStream(t, server.url + path, { method: 'POST', body });
  await reader.ended;
  return reader.text;
};

for (const [path, body] of routes) {
  test(`on ${path} output that was dropped unread is an error, and nothing follows it`, async (t) => {
    const text = await textOf(t, burst, path, body);

    const last = text.slice(text.lastIndexOf('{"code"'));
    const { code, details } = JSON.parse(last);
    assert.deepEqual([code, details], ['workflow_error', 'OutputTruncated']);
    assert.doesNotMatch(text, /event: truncated|\[DONE\]|"stop"|part 99/);
  });

  test(`on ${path} steps that were dropped unread cost nothing of the answer`, async (t) => {
    const text = await textOf(t, talkative, path, body);

    assert.match(text, /the answer/);
    assert.doesNotMatch(text, /event: (truncated|error)|"code"/);
  });
}
