import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ExecutionView, workflow } from '../../../runtime/index.ts';
import { Chunks, type ChunksOptions, completionOf } from '../../../server/wire/completion.ts';
import { given, turns } from '../../support/given.ts';

const settled = async (t: TestContext, result: unknown): Promise<ExecutionView> => {
  const { start } = await given.runtime(t, { workflows: [workflow({ name: 'one', run: () => result })] });
  const execution = await start();
  await turns();
  return execution;
};

const texts: readonly [result: unknown, content: string, words: number][] = [
  ['four words in here', 'four words in here', 4],
  [' \n ', ' \n ', 0],
  [null, '', 0],
  [42, '42', 1],
  [{ approved: true }, '{"approved":true}', 1],
  [{ object: 'chat.completion' }, '{"object":"chat.completion"}', 1],
];

for (const [result, content, words] of texts) {
  test(`the result ${JSON.stringify(result)} becomes a completion, with its words counted as tokens`, async (t) => {
    const execution = await settled(t, result);

    const completion = completionOf(execution);

    assert.deepEqual(completion, {
      id: execution.id,
      object: 'chat.completion',
      model: 'unknown-model',
      created: Math.floor(execution.context.startedAt / 1000),
      choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
      usage: { prompt_tokens: 0, completion_tokens: words, total_tokens: words },
      system_fingerprint: null,
      service_tier: null,
    });
  });
}

const own = {
  id: 'mine',
  object: 'chat.completion',
  created: 7,
  model: 'm',
  choices: [{ finish_reason: 'length', index: 0, message: { content: 'hi', role: 'assistant' } }],
  usage: { total_tokens: 3 },
};

test('a result that is a completion is sent as it is', async (t) => {
  assert.deepEqual(completionOf(await settled(t, own)), own);
});

const nat: ChunksOptions = { endsOnce: false, includesUsage: false, namesRoles: false };

const choice = (content: string | null, role: string | null, finish_reason: string | null = null) => [
  { finish_reason, index: 0, delta: { content, role, tool_calls: null } },
];

test('texts become chunks of one id, and the last one has it too', async (t) => {
  const execution = await settled(t, null);
  const { id } = execution;
  const rest = { created: 1_767_225_600, model: 'unknown-model', object: 'chat.completion.chunk' };
  const ends = { system_fingerprint: null, service_tier: null, usage: null };
  const chunks = new Chunks(execution, nat);

  const seen = [chunks.of('a'), chunks.of({ b: 1 }), ...chunks.ending()];

  assert.deepEqual(seen, [
    { id, choices: choice('a', 'assistant'), ...rest, ...ends },
    { id, choices: choice('{"b":1}', 'assistant'), ...rest, ...ends },
    { id, choices: choice('', null, 'stop'), ...rest, ...ends },
  ]);
});

test('a completion in a stream is one chunk that ends as it does, and the stream takes its id, time and model', async (t) => {
  const chunks = new Chunks(await settled(t, null), nat);
  const rest = { created: 7, model: 'm', object: 'chat.completion.chunk' };
  const ends = { system_fingerprint: null, service_tier: null };

  const seen = [chunks.of(own), ...chunks.ending()];

  assert.deepEqual(seen, [
    { id: 'mine', choices: choice('hi', 'assistant'), ...rest, ...ends, usage: null },
    { id: 'mine', choices: choice('', null, 'length'), ...rest, ...ends, usage: null },
  ]);
});

test('chunks of a workflow are passed on as they are, whatever they hold', async (t) => {
  const chunks = new Chunks(await settled(t, null), nat);
  const odd = { object: 'chat.completion.chunk', choices: [], id: 5, model: 'm', extra: [1] };

  const passed = chunks.of(odd);
  const last = chunks.ending()[0] as { id: unknown; model: unknown };

  assert.equal(passed, odd);
  assert.equal(typeof last.id, 'string');
  assert.equal(last.model, 'm');
});
