/** A person at a terminal, simulated by streams: typed keys and printed text. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { person } from '../../../cli/terminal/person.ts';
import { questions } from '../../support/prompt-kinds.ts';

const DOWN = '\u001b[B';
const ENTER = '\r';
const CTRL_C = '\u0003';

const given = (kind: keyof typeof questions, signal = new AbortController().signal) => {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  let seen = '';
  stderr.on('data', (chunk: Buffer) => {
    seen += stripVTControlCharacters(String(chunk));
  });
  const response = person({ stdin, stderr })(questions[kind].prompt, signal);
  return { response, type: (keys: string) => stdin.write(keys), seen: () => seen };
};

const typed: [kind: keyof typeof questions, keys: readonly string[], picks: string[]][] = [
  ['binary_choice', [ENTER], ['y']],
  ['radio', [DOWN, ENTER], ['b']],
  ['dropdown', [ENTER], ['a']],
  ['checkbox', [' ', DOWN, ' ', ENTER], ['a', 'b']],
  ['checkbox', [ENTER], []],
];

for (const [kind, keys, ids] of typed) {
  test(`a person who is asked a ${kind} picks ${ids.length === 0 ? 'nothing' : ids.join(' and ')} with keys`, async () => {
    const { response, type } = given(kind);

    for (const key of keys) type(key);

    assert.deepEqual(await response, { kind, picks: ids.map((id) => ({ id })) });
  });
}

test('a person who gives an empty text is asked again if it is required', async () => {
  const { response, type, seen } = given('text');

  type(ENTER);
  type('Ada');
  type(ENTER);

  assert.deepEqual(await response, { kind: 'text', text: 'Ada' });
  assert.match(seen(), /Your name\?.*An answer is required, the text is empty\./s);
});

test('Ctrl-C ends the run', async () => {
  const { response, type } = given('radio');

  type(CTRL_C);

  assert.equal(await response, null);
});

test('a prompt that is no longer open asks no longer', async () => {
  const closed = new AbortController();
  const { response } = given('text', closed.signal);

  closed.abort();

  assert.equal(await response, null);
});
