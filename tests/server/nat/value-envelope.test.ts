import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { outputFrame } from '../../../server/nat/value-envelope.ts';

test('simple values are wrapped, and objects with a value are sent as they are', () => {
  assert.equal(outputFrame('a'), 'data: {"value":"a"}\n\n');
  assert.equal(outputFrame(3), 'data: {"value":3}\n\n');
  assert.equal(outputFrame([1]), 'data: {"value":[1]}\n\n');
  assert.equal(outputFrame({ value: 'é', index: 0 }), 'data: {"value":"é","index":0}\n\n');
});

test('other objects are sent as text, written as Python does', () => {
  assert.equal(outputFrame({ a: 'é😀' }), `${String.raw`data: {"value": "{\"a\":\"\u00e9\ud83d\ude00\"}"}`}\n\n`);
});

test('of chat completions and their chunks the text is sent, empty if there is none', () => {
  const chunk = (delta: unknown) => ({ object: 'chat.completion.chunk', choices: [{ index: 0, delta }] });

  assert.equal(outputFrame(chunk({ content: 'a' })), 'data: {"value": "a"}\n\n');
  assert.equal(outputFrame(chunk({ content: null })), 'data: {"value": ""}\n\n');
  assert.equal(outputFrame({ object: 'chat.completion.chunk', choices: [] }), 'data: {"value": ""}\n\n');
  const completion = { object: 'chat.completion', choices: [{ message: { content: 'b' } }] };
  assert.equal(outputFrame(completion), 'data: {"value": "b"}\n\n');
});

test('whatever JSON an output is, its frame is one line with a value, and says the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (output) => {
      const frame = outputFrame(output);

      assert.match(frame, /^data: [^\n]*\n\n$/);
      const { value } = JSON.parse(frame.slice('data: '.length));
      const isObject = typeof output === 'object' && output !== null && !Array.isArray(output);
      const said = isObject && !('value' in output) ? JSON.parse(value) : value;
      const meant = isObject && 'value' in output ? output.value : output;
      assert.deepEqual(said, JSON.parse(JSON.stringify(meant)));
    }),
  );
});
