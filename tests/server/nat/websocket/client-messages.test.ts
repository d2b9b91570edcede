import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { lastUserTexts, readMessage } from '../../../../server/nat/websocket/client-messages.ts';

const read = (value: unknown) => readMessage(JSON.stringify(value));

const word = fc.string({ maxLength: 8 });
const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text: word }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('image_url'), image_url: fc.record({ url: word }, { requiredKeys: [] }) }),
  fc.record({ type: fc.constant('input_audio'), input_audio: fc.record({ data: word }, { requiredKeys: [] }) }),
);
const content = fc.record({
  messages: fc.array(
    fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'tool'),
      content: fc.array(part, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
});
const common = {
  id: word,
  conversation_id: fc.option(word),
  content,
  user: fc.record({ name: word, email: word }, { requiredKeys: [] }),
  error: fc.record({ message: word, details: word }, { requiredKeys: [] }),
  schema_version: word,
  timestamp: word,
};
const userMessage = fc.record(
  {
    type: fc.constant('user_message'),
    schema_type: fc.constantFrom('generate', 'generate_stream', 'chat', 'chat_stream'),
    ...common,
    custom: fc.jsonValue(),
  },
  { requiredKeys: ['type', 'schema_type', 'content'] },
);
const interactionMessage = fc.record(
  { type: fc.constant('user_interaction_message'), thread_id: word, parent_id: word, ...common },
  { requiredKeys: ['type', 'content'] },
);
const secret = fc.string({ minLength: 1, maxLength: 8 });
const authMessage = fc.record({
  type: fc.constant('auth_message'),
  payload: fc.oneof(
    fc.record({ method: fc.constantFrom('jwt', 'api_key'), token: secret }),
    fc.record({ method: fc.constant('basic'), username: secret, password: secret }),
  ),
});

test('every message that NAT’s schema allows is read, and what is absent gets NAT’s defaults', () => {
  fc.assert(
    fc.property(fc.oneof(userMessage, interactionMessage), (given) => {
      const message = read(given);

      assert.equal(message.type, given.type);
      if (message.type === 'user_message' || message.type === 'user_interaction_message') {
        assert.equal(message.id, given.id ?? 'default');
        assert.equal(message.conversation_id, given.conversation_id ?? null);
      }
    }),
  );
  fc.assert(fc.property(authMessage, (given) => assert.deepEqual(read(given), JSON.parse(JSON.stringify(given)))));
});

test('a message with one member that does not fit is refused, and its name is told', () => {
  const spoiled: [name: string, value: unknown][] = [
    ['id', 7],
    ['conversation_id', 7],
    ['content', {}],
    ['content', { messages: [{ role: 'nobody', content: [] }] }],
    ['content', { messages: [{ role: 'user', content: 'text' }] }],
    ['content', { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', more: 1 }] }] }],
    ['content', { messages: [], more: 1 }],
    ['user', { name: 'Ada', more: 1 }],
    ['error', { code: 'nonsense' }],
    ['schema_version', 1],
    ['timestamp', 1],
  ];
  fc.assert(
    fc.property(fc.oneof(userMessage, interactionMessage), fc.constantFrom(...spoiled), (given, [name, value]) => {
      const message = read({ ...given, [name]: value });

      assert.equal(message.type, 'bad');
      assert.ok(message.type === 'bad' && message.why.startsWith(name));
    }),
  );
});

test('an auth message needs what its method needs, and nothing else', () => {
  const payloads = [
    { method: 'jwt' },
    { method: 'jwt', token: '' },
    { method: 'api_key', token: 'k', username: 'u' },
    { method: 'basic', username: 'u' },
    { method: 'nonsense', token: 'k' },
    undefined,
  ];

  for (const payload of payloads) assert.equal(read({ type: 'auth_message', payload }).type, 'bad');
  assert.equal(read({ type: 'auth_message', payload: { method: 'jwt', token: 't' }, more: 1 }).type, 'bad');
});

test('a refusal never repeats what was sent', () => {
  const message = read({ type: 'auth_message', payload: { method: 'basic', username: '', password: ['hunter2'] } });

  assert.ok(message.type === 'bad' && !message.why.includes('hunter2'));
});

test('the texts of the last message of the user that has any are taken', () => {
  const text = (words: string) => ({ type: 'text' as const, text: words });
  const image = { type: 'image_url' as const, image_url: { url: 'u' } };

  const texts = lastUserTexts({
    messages: [
      { role: 'user', content: [text('first')] },
      { role: 'user', content: [text('a'), image, text('b')] },
      { role: 'user', content: [image] },
      { role: 'assistant', content: [text('no')] },
    ],
  });

  assert.deepEqual(texts, ['a', 'b']);
  assert.deepEqual(lastUserTexts({ messages: [{ role: 'system', content: [text('no')] }] }), []);
});

test('a message with many mistakes is refused for the first of them', () => {
  const many = Array(100_000).fill(1);
  const role = 'user';

  for (const messages of [many, [{ role, content: many }], [{ role, content: [{ type: 'text', text: 1 }, 2] }]]) {
    const heard = read({ type: 'user_message', schema_type: 'chat', content: { messages } });

    assert.ok(heard.type === 'bad');
    assert.match(heard.why, /^content\.messages\.0[^;]*$/);
  }
});

test('a message with more values than are looked at in a moment is not parsed', () => {
  const heard = read({ type: 'user_message', schema_type: 'chat', content: { messages: Array(300_000).fill(1) } });

  assert.deepEqual(heard, { type: 'bad', why: 'The message has more than 250000 values.' });
});

test('what a client has made up is quoted in part', () => {
  const names = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 1]));
  const heard = read({ type: 'user_message', schema_type: 'chat', content: { messages: [], ...names } });

  assert.ok(heard.type === 'bad' && heard.why.length < 1_100);
});

test('ids are short: conversations and runs are remembered by them', () => {
  const message = { type: 'user_message', schema_type: 'generate', content: { messages: [] } };

  for (const name of ['id', 'conversation_id']) {
    assert.equal(read({ ...message, [name]: 'x'.repeat(1_000) }).type, 'user_message');
    assert.equal(read({ ...message, [name]: 'x'.repeat(1_001) }).type, 'bad');
  }
});
