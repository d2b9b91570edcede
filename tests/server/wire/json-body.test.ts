import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { MAX_DEPTH } from '../../../runtime/index.ts';
import { type ValidationEntry, ValidationFailure } from '../../../server/http/mistakes.ts';
import { readJsonBody } from '../../../server/wire/json-body.ts';

const json = 'application/json';

const entryFor = (contentType: string | undefined, body: string | Buffer | undefined): ValidationEntry => {
  try {
    readJsonBody(contentType, body === undefined ? undefined : Buffer.from(body));
  } catch (failure) {
    assert.ok(failure instanceof ValidationFailure, String(failure));
    assert.equal(failure.entries.length, 1);
    return failure.entries[0]!;
  }
  throw new Error(`${body} was not refused`);
};

test('a body is read as JSON if its content type says so, whatever the spelling', () => {
  for (const type of [json, 'Application/JSON', `${json}; charset=utf-8`, `${json} ;x`, 'application/problem+json']) {
    assert.deepEqual(readJsonBody(type, Buffer.from('{"a":[1]}')), { a: [1] }, type);
  }
});

test('a body of another type, or of none, is a text and no object', () => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'text/json',
    'x/y+json',
    '',
    undefined,
  ];
  for (const type of types) {
    assert.deepEqual(entryFor(type, '{"a":1}'), {
      type: 'model_attributes_type',
      loc: ['body'],
      msg: 'Input should be a valid dictionary or object to extract fields from',
      input: '{"a":1}',
    });
  }
});

test('no body, an empty one and null are missing bodies', () => {
  const missing = { type: 'missing', loc: ['body'], msg: 'Field required', input: null };

  assert.deepEqual(entryFor(json, undefined), missing);
  assert.deepEqual(entryFor(undefined, ''), missing);
  assert.deepEqual(entryFor(json, ' null '), missing);
});

/** Text, offset and words, as Python 3.11 gives them. */
const broken: readonly [string, number, string][] = [
  ['  ', 2, 'Expecting value'],
  ['nul', 0, 'Expecting value'],
  ['-', 0, 'Expecting value'],
  ['NaN', 0, 'Expecting value'],
  ['[', 1, 'Expecting value'],
  ['[1,]', 3, 'Expecting value'],
  ['{"cmd": ', 8, 'Expecting value'],
  ['{"a":[1,{"b":}]}', 13, 'Expecting value'],
  ['{', 1, 'Expecting property name enclosed in double quotes'],
  ['{1:2}', 1, 'Expecting property name enclosed in double quotes'],
  ['{"a":1,}', 7, 'Expecting property name enclosed in double quotes'],
  ['{"a" 1}', 5, "Expecting ':' delimiter"],
  ['{"a":1 "b":2}', 7, "Expecting ',' delimiter"],
  ['[1}', 2, "Expecting ',' delimiter"],
  ['01', 1, 'Extra data'],
  ['{} x', 3, 'Extra data'],
  ['"😀" x', 4, 'Extra data'],
  ['{"a":"b', 5, 'Unterminated string starting at'],
  ['"a\\', 0, 'Unterminated string starting at'],
  ['"x\\"', 0, 'Unterminated string starting at'],
  ['"a\nb"', 2, 'Invalid control character at'],
  ['"\\x"', 1, 'Invalid \\escape'],
  ['"\\u12G4"', 2, 'Invalid \\uXXXX escape'],
];

for (const [body, offset, error] of broken) {
  test(`the body ${JSON.stringify(body)} is no JSON from character ${offset} on`, () => {
    assert.deepEqual(entryFor(json, body), {
      type: 'json_invalid',
      loc: ['body', offset],
      msg: 'JSON decode error',
      input: {},
      ctx: { error },
    });
  });
}

test('whatever text comes, it is read as JSON.parse reads it, or refused at a place inside it', () => {
  const valid = fc.json();
  const damaged = fc
    .tuple(valid, fc.nat(), fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '\u0001', '1', 'x', ' '))
    .map(([text, seed, piece]) => text.slice(0, seed % text.length) + piece + text.slice((seed % text.length) + 1));
  const parsed = (text: string) => {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined;
    }
  };
  fc.assert(
    fc.property(fc.oneof(valid, damaged, fc.string({ unit: 'binary', minLength: 1 })), (text) => {
      const right = parsed(
        Buffer.from(text)
          .toString()
          .replace(/^\ufeff/, ''),
      );
      if (right && right.value !== null && !/\d{16}|\d[eE]\+?\d/.test(text)) {
        assert.deepEqual(readJsonBody(json, Buffer.from(text)), right.value);
        return;
      }
      fc.pre(!right || right.value === null); // numbers that may be rounded have tests of their own
      const { type, loc } = entryFor(json, text);
      if (right) assert.equal(type, 'missing');
      else assert.ok(type === 'json_invalid' && Number(loc[1]) >= 0 && Number(loc[1]) <= text.length);
    }),
  );
});

test('of two members with the same name the last counts', () => {
  assert.deepEqual(readJsonBody(json, Buffer.from('{"cmd":"a","cmd":"b"}')), { cmd: 'b' });
});

test('a member called __proto__ is data and changes no prototype', () => {
  const value = readJsonBody(json, Buffer.from('{"__proto__":{"cmd":"a"},"constructor":1}')) as Record<string, unknown>;

  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(value.cmd, undefined);
});

test('a byte order mark before the body is not part of it', () => {
  assert.deepEqual(readJsonBody(json, Buffer.from('\ufeff{"a":1}')), { a: 1 });
});

test('bytes that are not UTF-8 are refused, not replaced', () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc3, 0x28, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    assert.deepEqual(entryFor(json, Buffer.from(bytes)).ctx, { error: 'Expecting UTF-8' });
  }
});

test('a body may nest as deep as the limit and no deeper', () => {
  const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

  assert.ok(readJsonBody(json, Buffer.from(nested(MAX_DEPTH, '[', ']'))));
  assert.deepEqual(entryFor(json, nested(MAX_DEPTH + 1, '[', ']')).loc, ['body', MAX_DEPTH]);
  assert.equal(entryFor(json, `${'{"a":['.repeat(50_000)}1`).type, 'json_invalid');
  assert.match(String(entryFor(json, '['.repeat(1_000_000)).ctx?.error), /at most 200 levels/);
});

test('brackets inside texts are no depth, nor are many lists beside one another', () => {
  const brackets = '[{"\\'.repeat(1_000);

  assert.equal(readJsonBody(json, Buffer.from(JSON.stringify(brackets))), brackets);
  assert.equal((readJsonBody(json, Buffer.from(`[${'[],'.repeat(1_000)}[]]`)) as unknown[]).length, 1_001);
});

test('a body with more values than are looked at in a moment is not parsed', () => {
  const list = `[${'1,'.repeat(300_000)}1]`;

  assert.match(String(entryFor(json, list).ctx?.error), /at most 250000 values/);
  assert.deepEqual(readJsonBody(json, Buffer.from(JSON.stringify({ text: ',['.repeat(300_000) }))), {
    text: ',['.repeat(300_000),
  });
});
