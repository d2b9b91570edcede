/** The official client of OpenAI, as people use it, against `/v1/chat/completions`. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { z } from 'zod';
import { text, workflow } from '../../../../runtime/index.ts';
import { given } from '../../../support/given.ts';

/** To this server it says who asks, too. */
const KEY = 'key-of-an-openai-client';
const person = { authorization: `Bearer ${KEY}` };

const ask = [{ role: 'user' as const, content: 'one two' }];

const clientOf = async (t: TestContext, enableInteractiveExtensions = false) => {
  const served = workflow({
    name: 'speller',
    input: z.object({ words: z.string() }),
    async *run({ words }, ctx) {
      if (words === 'fail') throw new RangeError('no such word');
      if (words === 'ask') return (await ctx.prompt(text({ text: 'Which?' }))).text;
      const span = ctx.span('LLM', 'model', { input: words });
      if (ctx.streaming) for (const word of words.split(' ')) yield `${word}.`;
      span.end(words);
      return ctx.streaming ? undefined : words;
    },
  });
  const world = await given.server(t, { workflow: served, config: { enableInteractiveExtensions } });
  return { ...world, client: new OpenAI({ baseURL: `${world.server.url}/v1`, apiKey: KEY, maxRetries: 0 }) };
};

test('OpenAI’s client gets a completion', async (t) => {
  const { client } = await clientOf(t);

  const completion = await client.chat.completions.create({ model: 'any', messages: ask });

  assert.equal(completion.choices[0]?.message.content, 'one two');
  assert.equal(completion.usage?.completion_tokens, 2);
});

test('OpenAI’s client streams, and is not disturbed by intermediate steps', async (t) => {
  const { client } = await clientOf(t);

  const stream = await client.chat.completions.create({ model: 'any', messages: ask, stream: true });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);

  assert.deepEqual(
    chunks.map(({ choices: [choice] }) => [choice?.delta.content, choice?.finish_reason]),
    [
      ['one.', null],
      ['two.', null],
      ['', 'stop'],
    ],
  );
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
});

test('OpenAI’s client puts a stream together to the completion that it is', async (t) => {
  const { client } = await clientOf(t);

  const whole = await client.chat.completions.stream({ model: 'any', messages: ask }).finalChatCompletion();

  assert.deepEqual(whole.choices[0]?.message.content, 'one.two.');
  assert.equal(whole.choices[0]?.finish_reason, 'stop');
});

test('OpenAI’s client learns that a body is refused, and which execution has failed', async (t) => {
  const { client, call } = await clientOf(t);
  const create = (content: string, more: object = {}) =>
    client.chat.completions.create({ model: 'any', messages: [{ role: 'user', content }], ...more });

  await assert.rejects(create('one', { messages: [] }), OpenAI.UnprocessableEntityError);
  const failure: unknown = await create('fail').catch((error: unknown) => error);

  assert.ok(failure instanceof OpenAI.UnprocessableEntityError);
  const { body } = await call(`GET /executions/${failure.headers.get('execution-id')}`, { headers: person });
  assert.equal((body as { error: string }).error, 'no such word');
});

test('the stream of a failed workflow ends without a finish reason, which OpenAI’s client reports', async (t) => {
  const { client } = await clientOf(t);
  const messages = [{ role: 'user' as const, content: 'fail' }];

  await assert.rejects(client.chat.completions.stream({ model: 'any', messages }).finalChatCompletion());
});

test('with interactive extensions OpenAI’s client gets 202, and the completion is there after the answer', async (t) => {
  const { client, call } = await clientOf(t, true);
  const messages = [{ role: 'user' as const, content: 'ask' }];

  const { data, response } = await client.chat.completions.create({ model: 'any', messages }).withResponse();
  const paused = data as unknown as { status: string; status_url: string; response_url: string };
  const answered = await call(`POST ${paused.response_url}`, {
    headers: person,
    body: { response: { type: 'text', text: 'three' } },
  });
  const polled = await call(`GET ${paused.status_url}?wait=5`, { headers: person });

  assert.deepEqual([response.status, paused.status, answered.status], [202, 'interaction_required', 204]);
  const { result } = polled.body as { result: OpenAI.ChatCompletion };
  assert.equal(result.object, 'chat.completion');
  assert.equal(result.choices[0]?.message.content, 'three');
});
