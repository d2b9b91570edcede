/** OpenAI's client and the AI SDK behind a proxy that drops, halves, repeats and refuses: nothing is lost, doubled or hidden. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';
import { workflow } from '../../../../runtime/index.ts';
import { badProxy, type Mischief, type Passed } from '../../../support/bad-proxy.ts';
import { given, operator } from '../../../support/given.ts';
import { immediate } from '../../../support/in-process.ts';

const said = Array.from({ length: 40 }, (_, index) => `word-${index} `).join('');

const world = async (t: TestContext, mischief: (passed: Passed) => Mischief) => {
  const speaker = workflow({
    name: 'speaker',
    input: z.object({ words: z.string() }),
    async *run(_, ctx) {
      if (!ctx.streaming) return said;
      for (const word of said.match(/\S+ /g) ?? []) yield word;
      return undefined;
    },
  });
  const { server, runtime } = await given.server(t, { workflow: speaker });
  const { url } = await badProxy(t, () => server.url, mischief);
  const runs = () => immediate(runtime.list(operator, { limit: 100 })).executions;
  return { baseURL: `${url}/v1`, apiKey: 'key-of-a-client', runs };
};

const first =
  (...mischiefs: Mischief[]) =>
  ({ nth }: Passed): Mischief =>
    mischiefs[nth] ?? 'pass';
const messages = [{ role: 'user' as const, content: 'go' }];
const ask = { model: 'speaker', messages };

/** What came of a stream, and why it ended early. */
const heard = async (chunks: AsyncIterable<OpenAI.ChatCompletionChunk>) => {
  let text = '';
  let reason: string | null | undefined;
  try {
    for await (const { choices } of chunks) {
      text += choices[0]?.delta.content ?? '';
      reason = choices[0]?.finish_reason ?? reason;
    }
    return { text, reason, error: undefined };
  } catch (error) {
    return { text, reason, error };
  }
};

const failures: Mischief[] = ['refuse', 'lose', 'halve', 502, 503, 429, 408];

/** The clients wait before they retry, so all of these are tried at once. */
test('what a proxy does to each request', { concurrency: true }, async (all) => {
  const each = (title: string, body: (t: TestContext, mischief: Mischief) => Promise<void>) =>
    Promise.all(failures.map((mischief) => all.test(`${title}: ${mischief}`, (t) => body(t, mischief))));

  await Promise.all([
    each('OpenAI’s client that may not retry is told of each failure', async (t, mischief) => {
      const { baseURL, apiKey } = await world(t, () => mischief);
      const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

      await assert.rejects(client.chat.completions.create(ask));
      const stream = await client.chat.completions.create({ ...ask, stream: true }).catch(() => undefined);

      const { text, error } = stream === undefined ? { text: '', error: new Error() } : await heard(stream);
      assert.ok(error instanceof Error, `a part of the answer looked like all of it: ${text.length} of ${said.length}`);
    }),

    each('with a key OpenAI’s client comes to its answer, of one run', async (t, mischief) => {
      const { baseURL, apiKey, runs } = await world(t, first(mischief, mischief));
      const client = new OpenAI({ baseURL, apiKey, maxRetries: 3 });
      const answer = () => client.chat.completions.create(ask, { headers: { 'idempotency-key': 'order-17' } });

      // It does not retry by itself once the reply has begun.
      const { choices } = await answer().catch(() => answer().catch(answer));

      assert.equal(choices[0]?.message.content, said);
      assert.equal(runs().length, 1);
    }),

    each('the AI SDK is told of each failure, or gets its whole answer', async (t, mischief) => {
      const once = await world(t, () => mischief);
      const again = await world(t, first(mischief));
      const modelAt = ({ baseURL, apiKey }: typeof once) =>
        createOpenAICompatible({ name: 'fermata', baseURL, apiKey })('speaker');

      await assert.rejects(generateText({ model: modelAt(once), messages, maxRetries: 0 }));
      const errors: unknown[] = [];
      const { fullStream, finishReason } = streamText({
        model: modelAt(once),
        messages,
        maxRetries: 0,
        onError: () => {},
      });
      const ended = Promise.allSettled([finishReason]);
      try {
        for await (const part of fullStream) if (part.type === 'error') errors.push(part.error);
      } catch (error) {
        errors.push(error);
      }
      await ended;
      const headers = { 'idempotency-key': 'order-17' };
      const answer = () => generateText({ model: modelAt(again), messages, maxRetries: 2, headers });
      const { text } = await answer().catch(answer);

      assert.equal(errors.length, 1);
      assert.equal(text, said);
      assert.equal(again.runs().length, 1);
    }),
  ]);
});

test('a stream whose reply was lost is asked for again with its key, and is that of the same run', async (t) => {
  const { baseURL, apiKey, runs } = await world(t, first('lose', 503));
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 4 });
  const options = { headers: { 'idempotency-key': 'order-18' } };

  const { text, reason, error } = await heard(await client.chat.completions.create({ ...ask, stream: true }, options));

  assert.equal(error, undefined);
  assert.deepEqual([text, reason], [said, 'stop']);
  assert.equal(runs().length, 1);
});

test('a request that the proxy repeats starts one run, if it has a key', async (t) => {
  const { baseURL, apiKey, runs } = await world(t, () => 'repeat');
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

  const { choices } = await client.chat.completions.create(ask, { headers: { 'idempotency-key': 'order-19' } });

  assert.equal(choices[0]?.message.content, said);
  assert.equal(runs().length, 1);
});
