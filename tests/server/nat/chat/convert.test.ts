import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../../../runtime/index.ts';
import { ValidationFailure } from '../../../../server/http/mistakes.ts';
import { converter } from '../../../../server/nat/chat/convert.ts';
import type { ChatRequest } from '../../../../server/nat/chat/schema.ts';

const chat: ChatRequest = {
  messages: [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'hi' },
  ],
  model: 'm',
};

const converted = (input: z.ZodType | undefined, output?: z.ZodType) =>
  converter(workflow({ name: 'one', ...(input && { input }), ...(output && { output }), run: () => 'x' }))(chat);

const textObject = z.object({ cmd: z.string() });
const chatObject = z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })) });
const completion = z.looseObject({ choices: z.array(z.unknown()) });

const inputs: readonly [what: string, input: z.ZodType | undefined, output: z.ZodType | undefined, given: unknown][] = [
  ['says nothing', undefined, z.object({ approved: z.boolean() }), chat],
  ['takes anything', z.unknown(), undefined, chat],
  ['takes chats', chatObject, undefined, chat],
  ['takes chats or texts', z.union([z.string(), chatObject]), undefined, chat],
  ['takes a text', z.string(), undefined, 'hi'],
  ['takes a text or null', z.string().nullable(), z.number(), 'hi'],
  ['takes an object with a text', textObject, z.string(), { cmd: 'hi' }],
  ['takes an object with a text, under a name', textObject.meta({ id: 'ConvertedText' }), completion, { cmd: 'hi' }],
];

for (const [what, input, output, given] of inputs) {
  test(`a workflow that ${what} gets ${JSON.stringify(given)}`, async () => {
    assert.deepEqual(await converted(input, output), { input: { raw: given, value: given } });
  });
}

const structured: readonly [what: string, input: z.ZodType, output?: z.ZodType][] = [
  ['takes two members', z.object({ cmd: z.string(), n: z.int().default(1) })],
  ['takes a number', z.object({ n: z.number() })],
  ['takes no members', z.object({})],
  ['gives an object', textObject, z.object({ out: z.string() })],
  ['gives a list', textObject, z.array(z.string())],
];

for (const [what, input, output] of structured) {
  test(`a workflow that ${what} cannot be called as a chat`, async () => {
    const { refused } = await converted(input, output);

    assert.match(refused ?? '', /^one cannot be called as a chat/);
  });
}

test('a text that does not fit is a refused run, a chat that does not fit is an invalid body', async () => {
  const shouted = await converted(z.object({ cmd: z.string().min(3) }));
  const tooMany = converted(z.object({ messages: z.array(z.unknown()).max(1) }));

  assert.equal(shouted.refused, 'The last message does not fit: String should have at least 3 characters');
  await assert.rejects(tooMany, (failure) => {
    assert.ok(failure instanceof ValidationFailure);
    assert.deepEqual(failure.entries[0]?.loc, ['body', 'messages']);
    return true;
  });
});
