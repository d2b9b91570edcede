/** What the refusal of a body repeats of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ValidationEntry, validationReply } from '../../../server/http/mistakes.ts';

const entry = (input: unknown): ValidationEntry => ({ type: 'missing', loc: ['body'], msg: 'Field required', input });
const sizeOf = (entries: readonly ValidationEntry[]): number => JSON.stringify(validationReply(entries)).length;

test('a refusal repeats what was sent, as NAT does', () => {
  const inputs = [null, 7, 'word', ['a', { b: true }], 'x'.repeat(50_000)];

  const { detail } = validationReply(inputs.map(entry));

  assert.deepEqual(
    detail.map(({ input }) => input),
    inputs,
  );
});

test('a refusal of a large body is small, whatever the body has and however often it is repeated', () => {
  const text = '\u0001'.repeat(8_000_000);
  const list = Array(200_000).fill(['x']);

  for (const input of [text, list, { text }, { [text]: 1 }]) assert.ok(sizeOf([entry(input)]) < 2_000_000);
  assert.ok(sizeOf(Array(100).fill(entry({ text: 'x'.repeat(200_000) }))) < 2_000_000);
  assert.equal(validationReply([entry(list)]).detail[0]!.input, 'This part of the body is too large to be repeated.');
});

test('a text that a refusal quotes in its message is cut', () => {
  const tag = 'x'.repeat(1_000_000);
  const quoting = { ...entry(tag), msg: `Input tag '${tag}' is not known`, ctx: { tag, expected: 'text' } };

  assert.ok(sizeOf([quoting]) < 10_000);
  assert.equal(validationReply([quoting]).detail[0]!.ctx?.expected, 'text');
});
