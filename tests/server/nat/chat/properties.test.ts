/** Whatever a client sends as a chat, it is told what is wrong with it or gets a completion; never a 500. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { workflow } from '../../../../runtime/index.ts';
import { given } from '../../../support/given.ts';

const echo = workflow({ name: 'echo', input: z.object({ cmd: z.string() }), run: ({ cmd }) => cmd });
const chat = workflow({
  name: 'chat',
  input: z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })) }),
  run: ({ messages }) => `${messages.length} messages`,
});

const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
const part = fc.oneof(
  fc.record({ type: fc.constant('text'), text: texts }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('image_url'), image_url: fc.record({ url: texts }, { requiredKeys: [] }) }),
  fc.record({ type: fc.constant('input_audio') }),
);
const said = fc.record({
  role: fc.constantFrom('user', 'assistant', 'system', 'tool'),
  content: fc.oneof(texts, fc.array(part, { maxLength: 3 })),
});
const calling = fc.record({
  role: fc.constant('assistant'),
  content: fc.constant(null),
  tool_calls: fc.constant([{}]),
});
const settings = fc.record(
  {
    model: fc.oneof(texts, fc.constant(null)),
    temperature: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom('0.5', null)),
    max_tokens: fc.oneof(fc.integer(), fc.constantFrom('7', null)),
    stream: fc.constantFrom(false, 'no', 0, null),
    tool_choice: fc.oneof(texts, fc.constant({ type: 'function' })),
    logit_bias: fc.dictionary(texts, fc.integer()),
    stop: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const valid = fc
  .tuple(fc.array(fc.oneof({ weight: 4, arbitrary: said }, calling), { minLength: 1, maxLength: 4 }), settings)
  .map(([messages, more]) => ({ ...more, messages }));

/** A member of a valid request, or of its first message, that is replaced by anything. */
const damaged = fc
  .tuple(valid, fc.constantFrom('messages', 'role', 'content', 'model', 'stream', 'tools', 'user'), fc.jsonValue())
  .map(([request, name, value]) => {
    const [first, ...others] = request.messages;
    return name === 'role' || name === 'content'
      ? { ...request, messages: [{ ...first, [name]: value }, ...others] }
      : { ...request, [name]: value };
  });

for (const served of [echo, chat]) {
  test(`every valid chat is answered with a completion, by a workflow that takes a ${served.name}`, async (t) => {
    const { call } = await given.server(t, { workflow: served });

    await fc.assert(
      fc.asyncProperty(valid, fc.constantFrom('/v1/chat', '/chat', '/v1/chat/completions'), async (body, path) => {
        const { status, body: completion } = await call(`POST ${path}`, { body });

        assert.equal(status, 200);
        assert.equal((completion as { object: string }).object, 'chat.completion');
      }),
      { numRuns: 60 },
    );
  });

  test(`no body at all makes the chat routes of a workflow that takes a ${served.name} fail`, async (t) => {
    const { call } = await given.server(t, { workflow: served });
    const paths = fc.constantFrom('/v1/chat', '/chat/stream', '/v1/chat/completions');

    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.jsonValue()), paths, async (body, path) => {
        const { status, body: reply } = await call(`POST ${path}`, { body });

        assert.ok(status === 200 || status === 422, `${status}: ${JSON.stringify(reply)}`);
        if (status === 422) assert.ok((reply as { detail: unknown[] }).detail.length > 0);
      }),
      { numRuns: 120 },
    );
  });
}
