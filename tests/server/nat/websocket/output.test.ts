import assert from 'node:assert/strict';
import test from 'node:test';
import { outputOf } from '../../../../server/nat/websocket/output.ts';

test('an output is shown as the text that it is, or has, or as JSON', () => {
  const shown: [output: unknown, text: string | null][] = [
    ['text', 'text'],
    [7, '7'],
    [null, 'null'],
    [['a', 1], '["a",1]'],
    [{ value: 'alone' }, 'alone'],
    [{ value: { a: 1 } }, '{"a":1}'],
    [{ value: 'with', more: 1 }, '{"value":"with","more":1}'],
    [{ object: 'chat.completion', choices: [{ message: { content: 'said' } }] }, 'said'],
    [{ object: 'chat.completion.chunk', choices: [{ delta: { content: 'part' } }] }, 'part'],
    [{ object: 'chat.completion.chunk', choices: [{ delta: { content: null, tool_calls: [] } }] }, null],
    [{ object: 'something else', choices: [] }, '{"object":"something else","choices":[]}'],
  ];

  for (const [output, text] of shown) assert.equal(outputOf(output)?.text, text);
});

test('a chunk keeps its id, and one without choices is not shown', () => {
  const chunk = { object: 'chat.completion.chunk', id: 'chunk-1', choices: [{ delta: { content: '' } }] };

  assert.deepEqual(outputOf(chunk), { id: 'chunk-1', text: '' });
  assert.equal(outputOf({ ...chunk, choices: [] }), undefined);
});
