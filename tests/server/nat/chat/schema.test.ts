import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValidationFailure } from '../../../../server/http/mistakes.ts';
import { lastText, readChat } from '../../../../server/nat/chat/schema.ts';

const asked = (content: unknown, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });

const refusals = async (body: unknown): Promise<string[]> => {
  try {
    await readChat(body);
    return [];
  } catch (failure) {
    assert.ok(failure instanceof ValidationFailure);
    return failure.entries.map(({ type, loc }) => `${type} ${loc.join('.')}`);
  }
};

test('a request is read leniently, keeps what it says beyond the schema, and gets no defaults', async () => {
  const request = await readChat(asked('hi', { max_tokens: '5', stream: 'yes', n: null, stop: ['\n'] }));

  assert.deepEqual(request, asked('hi', { max_tokens: 5, stream: true, n: null, stop: ['\n'] }));
});

const cases: readonly [body: unknown, refusals: string[]][] = [
  [null, ['model_attributes_type body']],
  [[], ['model_attributes_type body']],
  [{ messages: null }, ['list_type body.messages']],
  [{ messages: [] }, ['too_short body.messages']],
  [{ messages: [{ role: 'robot', content: 'x' }] }, ['enum body.messages.0.role']],
  [{ messages: [{ role: 'tool' }] }, ['missing body.messages.0.content']],
  [{ messages: [{ role: 'user', content: null }] }, ['value_error body.messages.0']],
  [{ messages: [{ role: 'assistant', content: null, tool_calls: [] }] }, ['value_error body.messages.0']],
  [{ messages: [{ role: 'user', content: null, tool_calls: [{}] }] }, ['value_error body.messages.0']],
  [{ messages: [{ role: 'assistant', content: null, tool_calls: [{}] }] }, []],
  [{ messages: [{ role: 'assistant', content: null, function_call: { name: 'f' } }] }, []],
  [asked('x', { tools: ['f'] }), ['dict_type body.tools.0']],
  [asked('x', { tool_choice: 7 }), ['string_type body.tool_choice.str', 'dict_type body.tool_choice.dict[str,any]']],
  [
    { messages: [{ role: 'user', content: null }, 'x', { role: 'tool', content: null }], n: 'x' },
    [
      'value_error body.messages.0',
      'model_attributes_type body.messages.1',
      'value_error body.messages.2',
      'int_parsing body.n',
    ],
  ],
  [{ messages: [{ role: 'robot', content: null }] }, ['enum body.messages.0.role']],
  [asked('x', { service_tier: 'gold' }), ['literal_error body.service_tier']],
];

for (const [body, expected] of cases) {
  test(`of ${JSON.stringify(body)} ${expected.length === 0 ? 'nothing' : expected.join(', ')} is refused`, async () => {
    assert.deepEqual(await refusals(body), expected);
  });
}

test('parts have nothing but what belongs to their kind', async () => {
  const parts = 'body.messages.0.content.list[tagged-union[TextContent,ImageContent,AudioContent]]';

  const found = await refusals(asked([{ type: 'text', text: 'x', lang: 'en' }]));

  assert.deepEqual(found, ['string_type body.messages.0.content.str', `extra_forbidden ${parts}.0.text.lang`]);
});

test('the text of a message is its text, or that of all its parts of text', async () => {
  const parts = [{ type: 'text', text: 'a' }, { type: 'image_url' }, { type: 'text' }, { type: 'text', text: 'b' }];
  const history = [{ role: 'assistant', content: null, tool_calls: [{}] }];

  assert.equal(lastText(await readChat(asked('hi'))), 'hi');
  assert.equal(lastText(await readChat(asked(parts))), 'a\ndefault\nb');
  assert.equal(lastText(await readChat({ messages: history })), '');
});

test('of many messages without content the first hundred are named', async () => {
  const refused = await refusals({ messages: Array(3_000).fill({ role: 'user', content: null }), n: 'x' });

  assert.ok(refused.length <= 202, `${refused.length} entries`);
  assert.deepEqual(refused.slice(0, 2), ['value_error body.messages.0', 'value_error body.messages.1']);
  assert.equal(refused.at(-1), 'int_parsing body.n');
});
