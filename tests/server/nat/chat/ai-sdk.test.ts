/** The AI SDK with its provider for servers like OpenAI's, against `/v1/chat/completions`. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, streamText } from 'ai';
import { z } from 'zod';
import { text, workflow } from '../../../../runtime/index.ts';
import { given } from '../../../support/given.ts';

const speller = workflow({
  name: 'speller',
  input: z.object({ words: z.string() }),
  async *run({ words }, ctx) {
    if (words === 'fail') throw new RangeError('no such word');
    if (words === 'ask') return (await ctx.prompt(text({ text: 'Which?' }))).text;
    if (ctx.streaming) for (const word of words.split(' ')) yield `${word}.`;
    return ctx.streaming ? undefined : words;
  },
});

const modelOf = async (
  t: TestContext,
  { apiKey, interactive = false }: { apiKey?: string | undefined; interactive?: boolean } = {},
) => {
  const { server } = await given.server(t, {
    workflow: speller,
    config: { enableInteractiveExtensions: interactive },
  });
  const provider = createOpenAICompatible({
    name: 'fermata',
    baseURL: `${server.url}/v1`,
    includeUsage: true,
    ...(apiKey !== undefined && { apiKey }),
  });
  return provider('speller');
};

/** All parts until the stream ends, or has said that it failed. */
const partsOf = async (model: Awaited<ReturnType<typeof modelOf>>, prompt: string) => {
  const errors: unknown[] = [];
  let said = '';
  const { fullStream, finishReason, usage } = streamText({ model, prompt, maxRetries: 0, onError: () => {} });
  const ended = Promise.allSettled([finishReason, usage]);
  for await (const part of fullStream) {
    if (part.type === 'text-delta') said += part.text;
    if (part.type !== 'error') continue;
    errors.push(part.error);
    break;
  }
  return { said, errors, ended };
};

for (const apiKey of ['key-of-an-sdk', undefined]) {
  const who = apiKey === undefined ? 'without a key' : 'with a key';

  test(`${who} the AI SDK gets a text`, async (t) => {
    const model = await modelOf(t, { apiKey });

    const { text, finishReason } = await generateText({ model, prompt: 'one two', maxRetries: 0 });

    assert.deepEqual([text, finishReason], ['one two', 'stop']);
  });

  test(`${who} the AI SDK streams a text, with its usage`, async (t) => {
    const model = await modelOf(t, { apiKey });

    const { said, errors, ended } = await partsOf(model, 'one two');

    assert.deepEqual([said, errors], ['one.two.', []]);
    const [reason, usage] = await ended;
    assert.equal(reason?.status === 'fulfilled' && reason.value, 'stop');
    assert.equal(usage?.status === 'fulfilled' && (usage.value as { outputTokens: number }).outputTokens, 2);
  });

  test(`${who} the AI SDK hears why a run has failed`, async (t) => {
    const model = await modelOf(t, { apiKey });

    const failed: unknown = await generateText({ model, prompt: 'fail', maxRetries: 0 }).catch((error) => error);
    const { errors } = await partsOf(model, 'fail');

    assert.ok(APICallError.isInstance(failed));
    assert.equal(failed.message, 'no such word');
    assert.match(JSON.stringify(errors), /no such word/);
  });

  for (const interactive of [false, true]) {
    test(`${who} the AI SDK hears that a run ${interactive ? 'waits for' : 'may not ask'} a person`, async (t) => {
      const model = await modelOf(t, { apiKey, interactive });

      const { said, errors } = await partsOf(model, 'ask');

      assert.deepEqual([said, errors.length], ['', 1]);
      assert.match(JSON.stringify(errors), interactive ? /waits for a person/ : /prompt/i);
    });
  }
}
