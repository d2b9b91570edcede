/** What OpenAI's own client makes of our answers: refusals, failures, questions, finish reasons, usage, models. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import OpenAI from 'openai';
import { z } from 'zod';
import { text, type Workflow, workflow } from '../../../../runtime/index.ts';
import type { ServerOptions } from '../../../../server/index.ts';
import { serverDefaults } from '../../../../server/options.ts';
import { given } from '../../../support/given.ts';

/** Says each word as an output; `fail`, `ask` and `notify` do what they say. */
const speller = workflow({
  name: 'speller',
  description: 'Spells.',
  input: z.object({ words: z.string() }),
  async *run({ words }, ctx) {
    for (const word of words.split(' ')) {
      if (word === 'fail') throw new RangeError('no such word');
      if (word === 'fail-without-text') throw new RangeError('');
      if (word === 'notify') await ctx.notify('Look.');
      else if (word === 'ask') yield (await ctx.prompt(text({ text: 'Which?' }))).text;
      else if (ctx.streaming) yield `${word} `;
    }
    return ctx.streaming ? undefined : words;
  },
});

const chunk = (delta: object, finish_reason: string | null = null, index = 0, more: object = {}) => ({
  id: 'own',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'm',
  choices: [{ index, delta, finish_reason }],
  ...more,
});
const call = { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
const counted = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

/** Takes the whole chat, and plays the outputs or gives the result that a test has written. */
const playing = (outputs: readonly object[], result?: unknown): Workflow =>
  workflow({
    name: 'player',
    async *run() {
      yield* outputs;
      return result;
    },
  });

const clientOf = async (t: TestContext, served: Workflow, config: Partial<ServerOptions> = {}) => {
  const world = await given.server(t, { workflow: served, config });
  const client = new OpenAI({ baseURL: `${world.server.url}/v1`, apiKey: 'key-of-a-client', maxRetries: 0 });
  const order = (content: string, more: object = {}) => ({
    model: 'm',
    messages: [{ role: 'user' as const, content }],
    ...more,
  });
  const streamed = async (content = 'x', more: object = {}) => {
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    const failed: unknown = await (async () => {
      for await (const chunk of await client.chat.completions.create({ ...order(content, more), stream: true })) {
        chunks.push(chunk);
      }
    })().catch((error: unknown) => error);
    return { chunks, failed: failed as InstanceType<typeof OpenAI.APIError> | undefined };
  };
  const asked = (content: string, more: object = {}): Promise<unknown> =>
    client.chat.completions.create(order(content, more)).catch((error: unknown) => error);
  return { ...world, client, streamed, asked };
};

const reasonsOf = (chunks: readonly OpenAI.ChatCompletionChunk[]) =>
  chunks.flatMap(({ choices }) => choices.map(({ finish_reason }) => finish_reason));

test('a refused body says what is wrong with which member', async (t) => {
  const { asked, call } = await clientOf(t, speller);

  const failed = (await asked('x', { messages: [{ role: 'robot', content: 'x' }] })) as InstanceType<
    typeof OpenAI.APIError
  >;

  assert.ok(failed instanceof OpenAI.UnprocessableEntityError);
  assert.match(failed.message, /^422 messages\.0\.role: Input should be/);
  assert.deepEqual([failed.type, failed.param, failed.code], ['invalid_request_error', 'messages.0.role', 'enum']);
  const { body } = await call('POST /v1/chat/completions', { body: {}, headers: { authorization: 'Bearer k' } });
  assert.deepEqual(Object.keys(body as object), ['detail', 'error']);
});

test('a failed run says why, beside what NAT’s clients read', async (t) => {
  const { asked, call } = await clientOf(t, speller);

  const failed = (await asked('fail')) as InstanceType<typeof OpenAI.APIError>;
  const { body } = await call('POST /v1/chat/completions', {
    body: { messages: [{ role: 'user', content: 'fail' }] },
    headers: { 'user-agent': 'OpenAI/Python 1.99.0' },
  });

  assert.equal(failed.message, '422 no such word');
  assert.deepEqual([failed.type, failed.code, failed.param], ['workflow_error', 'RangeError', null]);
  const error = { message: 'no such word', type: 'workflow_error', param: null, code: 'RangeError' };
  assert.deepEqual(body, { code: 'workflow_error', message: 'no such word', details: 'RangeError', error });
});

test('a refused credential and a body that is no JSON are told in OpenAI’s form', async (t) => {
  const { server, call } = await clientOf(t, speller);
  const refused = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'a.b.c', maxRetries: 0 });
  const create = refused.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] });

  const failed = (await create.catch((error: unknown) => error)) as InstanceType<typeof OpenAI.APIError>;
  const plain = await call('POST /v1/chat/completions', {
    headers: { authorization: 'Bearer k', 'content-type': 'text/plain' },
    body: {},
  });

  assert.ok(failed instanceof OpenAI.AuthenticationError);
  assert.deepEqual([failed.type, failed.code], ['authentication_error', 'credential_invalid']);
  assert.match(failed.message, /^401 .+/);
  assert.equal(plain.status, 422);
  assert.equal((plain.body as { error: { type: string } }).error.type, 'invalid_request_error');
});

test('a body that is too large is refused in OpenAI’s form, before the workflow is asked', async (t) => {
  const { asked } = await clientOf(t, speller, { limits: { ...serverDefaults.limits, maxBodyBytes: 1_000 } });

  const failed = (await asked('x'.repeat(2_000))) as InstanceType<typeof OpenAI.APIError>;

  assert.deepEqual([failed.status, failed.type], [413, 'invalid_request_error']);
  assert.match(failed.message, /^413 .*1000 bytes/);
});

test('clients that are not OpenAI’s get NAT’s members only', async (t) => {
  const { call } = await clientOf(t, speller);

  const { body } = await call('POST /v1/chat/completions', { body: { messages: [{ role: 'user', content: 'fail' }] } });

  assert.deepEqual(body, { code: 'workflow_error', message: 'no such word', details: 'RangeError' });
});

for (const enableInteractiveExtensions of [false, true]) {
  const when = enableInteractiveExtensions ? 'with interactive extensions' : 'by default';

  test(`${when} the stream of a failing run is an error behind what was said before`, async (t) => {
    const { streamed } = await clientOf(t, speller, { enableInteractiveExtensions });

    const { chunks, failed } = await streamed('one fail');

    assert.deepEqual([chunks.length, reasonsOf(chunks)], [1, [null]]);
    assert.ok(failed instanceof OpenAI.APIError);
    assert.deepEqual([failed.message, failed.code], ['no such word', 'RangeError']);
  });

  test(`${when} the stream of a run that asks a person is an error, and no empty answer`, async (t) => {
    const { streamed, runtime } = await clientOf(t, speller, { enableInteractiveExtensions });

    const { chunks, failed } = await streamed('one ask');

    assert.equal(chunks.length, 1);
    assert.ok(failed instanceof OpenAI.APIError);
    assert.equal(failed.code, enableInteractiveExtensions ? 'interaction_required' : 'NotImplementedError');
    assert.equal(
      (await runtime.inbox({ userId: undefined, isOperator: true }, 9)).length,
      enableInteractiveExtensions ? 1 : 0,
    );
  });
}

test('a notification is nothing that an OpenAI client could take for a chunk', async (t) => {
  const { streamed } = await clientOf(t, speller, { enableInteractiveExtensions: true });

  const { chunks, failed } = await streamed('one notify two');

  assert.equal(failed, undefined);
  assert.deepEqual(
    chunks.map(({ choices: [choice] }) => choice?.delta.content),
    ['one ', 'two ', ''],
  );
});

test('the finish reason of the workflow’s chunks is the last one', async (t) => {
  const { streamed, client } = await clientOf(t, playing([chunk({ tool_calls: [call] }), chunk({}, 'tool_calls')]));

  const { chunks } = await streamed();
  const messages = [{ role: 'user' as const, content: 'x' }];
  const whole = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();

  assert.deepEqual(reasonsOf(chunks), [null, 'tool_calls']);
  assert.equal(whole.choices[0]?.finish_reason, 'tool_calls');
});

test('of several choices each gets the finish reason that it lacks', async (t) => {
  const { streamed } = await clientOf(t, playing([chunk({ content: 'a' }), chunk({ content: 'b' }, 'length', 1)]));

  const { chunks } = await streamed();

  const last = chunks.at(-1)!.choices;
  assert.deepEqual(
    last.map(({ index, finish_reason }) => [index, finish_reason]),
    [[0, 'stop']],
  );
});

test('a completion in a stream keeps its choices, calls of tools, refusals and finish reasons', async (t) => {
  const message = { role: 'assistant', content: null, refusal: 'No.', tool_calls: [{ ...call, index: undefined }] };
  const completion = {
    ...chunk({}),
    object: 'chat.completion',
    choices: [
      { index: 0, message, finish_reason: 'tool_calls' },
      { index: 1, message: { role: 'assistant', content: 'b' }, finish_reason: 'length' },
    ],
    usage: counted,
  };
  const { streamed, client } = await clientOf(t, playing([], completion));

  const { chunks } = await streamed();
  const messages = [{ role: 'user' as const, content: 'x' }];
  const whole = await client.chat.completions.stream({ model: 'm', messages }).finalChatCompletion();

  assert.deepEqual(
    chunks[0]!.choices.map(({ delta }) => delta.content),
    [null, 'b'],
  );
  assert.equal(chunks[0]!.usage, null);
  assert.deepEqual(
    whole.choices.map(({ finish_reason }) => finish_reason),
    ['tool_calls', 'length'],
  );
  assert.equal(whole.choices[0]?.message.refusal, 'No.');
  const [first] = whole.choices[0]?.message.tool_calls ?? [];
  assert.deepEqual(first?.type === 'function' && [first.id, first.function.name], ['c1', 'f']);
});

const usages: readonly [title: string, served: Workflow, content: string, usage: object][] = [
  ['words are counted of texts', speller, 'one two three', { prompt_tokens: 0, completion_tokens: 3, total_tokens: 3 }],
  [
    'that of a completion is taken',
    playing([], { ...chunk({}), object: 'chat.completion', choices: [], usage: counted }),
    'x',
    counted,
  ],
  ['that of the last chunk is taken', playing([chunk({ content: 'a' }, 'stop', 0, { usage: counted })]), 'x', counted],
  [
    'what the workflow sends is not sent again',
    playing([chunk({ content: 'a' }, 'stop'), { ...chunk({}), choices: [], usage: counted }]),
    'x',
    counted,
  ],
];

for (const [title, served, content, usage] of usages) {
  test(`a stream that shall include usage ends with it: ${title}`, async (t) => {
    const { streamed } = await clientOf(t, served);

    const { chunks } = await streamed(content, { stream_options: { include_usage: true } });
    const without = await streamed(content);

    const last = chunks.at(-1)!;
    assert.deepEqual([last.choices, last.usage], [[], usage]);
    assert.equal(chunks.filter(({ choices }) => choices.length === 0).length, 1);
    assert.ok(without.chunks.length <= chunks.length);
  });
}

test('more choices than a workflow of texts can give are refused; one that takes chats sees the number', async (t) => {
  const { asked, streamed } = await clientOf(t, speller);
  const echo = workflow({ name: 'echo', run: (request) => String((request as { n: number }).n) });
  const chats = await clientOf(t, echo);

  const failed = (await asked('x', { n: 2 })) as InstanceType<typeof OpenAI.APIError>;
  const inStream = (await streamed('x', { n: 2 })).failed;
  const one = await asked('x', { n: 1 });
  const seen = (await chats.asked('x', { n: 2 })) as OpenAI.ChatCompletion;

  assert.deepEqual([failed.status, failed.param, inStream?.status], [422, 'n', 422]);
  assert.match(failed.message, /speller gives one choice/);
  assert.equal((one as OpenAI.ChatCompletion).choices.length, 1);
  assert.equal(seen.choices[0]?.message.content, '2');
});

test('models are the workflows that can be asked there', async (t) => {
  const other = workflow({ name: 'other', run: () => 'x' });
  const world = await given.server(t, {
    workflow: speller,
    workflows: [other],
    config: {
      endpoints: [
        {
          functionName: 'other',
          method: 'POST',
          path: null,
          legacyPath: null,
          openaiApiV1Path: '/other/v1/chat/completions',
        },
      ],
    },
  });
  const clientAt = (base: string) => new OpenAI({ baseURL: world.server.url + base, apiKey: 'k', maxRetries: 0 });

  const names = [];
  for await (const { id, object } of clientAt('/v1').models.list()) names.push([id, object]);
  const found = await clientAt('/other/v1').models.retrieve('other');
  const missing: unknown = await clientAt('/v1')
    .models.retrieve('gpt-4')
    .catch((error: unknown) => error);

  assert.deepEqual(names, [['speller', 'model']]);
  assert.deepEqual([found.id, found.owned_by, typeof found.created], ['other', 'fermata', 'number']);
  assert.ok(missing instanceof OpenAI.NotFoundError);
  assert.match(missing.message, /^404 .*gpt-4.*speller/);
});

test('messages are taken in all the forms that OpenAI documents', async (t) => {
  const { client } = await clientOf(t, workflow({ name: 'mirror', run: (request) => JSON.stringify(request) }));
  const messages = [
    { role: 'developer', content: 'Be short.', name: 'dev' },
    { role: 'system', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:,x', detail: 'low' } },
        { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' }, cache_control: null },
        { type: 'file', file: { file_id: 'f-1', filename: 'a.pdf' } },
      ],
    },
    { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'r' }] },
    { role: 'assistant', function_call: { name: 'f', arguments: '{}' } },
    { role: 'function', name: 'f', content: null },
    { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    { role: 'assistant', refusal: 'No.' },
    { role: 'assistant', audio: { id: 'a-1' } },
    { role: 'user', content: 'go' },
  ];

  const completion = await client.chat.completions.create({
    model: 'm',
    messages: messages as OpenAI.ChatCompletionMessageParam[],
    service_tier: 'flex',
  });

  const seen = JSON.parse(completion.choices[0]!.message.content!).messages;
  const expected = messages.map((message) =>
    message.role === 'assistant' && !('content' in message) ? { ...message, content: null } : message,
  );
  assert.deepEqual(seen, expected);
});
