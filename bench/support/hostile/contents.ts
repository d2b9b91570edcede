/** Contents of hostile requests and messages: valid ones for each route, and invalid ones. */
import fc from 'fast-check';

/** Words that the workflow under attack understands. */
export const words = fc.constantFrom(
  ...['done', 'echo', 'ask', 'confirm', 'consent', 'flood', 'large', 'fail', 'sleep', 'steps'],
);

const DEPTHS = [10, 199, 200, 201, 1_000, 5_000, 100_000] as const;

/** Nested brackets; some are never closed. */
export const nested = fc
  .record({
    depth: fc.constantFrom(...DEPTHS),
    opening: fc.constantFrom('[', '{"a":', '{"messages":[', '[{"__proto__":'),
    isClosed: fc.boolean(),
  })
  .map(({ depth, opening, isClosed }) => {
    const closing = [...opening].reverse().flatMap((sign) => (sign === '[' ? ']' : sign === '{' ? '}' : []));
    return opening.repeat(depth) + (isClosed ? `1${closing.join('').repeat(depth)}` : '');
  });

const input = words.chain((word) =>
  fc.constantFrom(
    { input_message: word },
    { message: word },
    { messages: [{ role: 'user', content: word }] },
    { messages: [{ role: 'user', content: [{ type: 'text', text: word }] }], stream: true },
    { messages: [{ role: 'user', content: word }], model: 'anything', n: 2 },
    { value: word, job_id: 'j', sync_timeout: 0 },
    word,
    [word],
  ),
);

const answer = fc.constantFrom<unknown>(
  { response: { type: 'text', text: 'Ada' } },
  { response: { type: 'binary_choice', selected_option: { id: 'continue', value: 'continue' } } },
  { response: { input_type: 'checkbox', selected_options: [{ id: {} }] } },
  { response: { type: 'constructor', text: { toString: 1 } } },
  { response: null },
);

const oddities = fc.constantFrom(
  '',
  'null',
  '-0',
  '1e999',
  '"\\ud800"',
  '{"a":"\\u0000"}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":1}}',
  '{"a":1,"a":2}',
  '\ufeff{}',
  '{"a":1}{"b":2}',
  '9'.repeat(10_000),
  `{"${'k'.repeat(70_000)}":1}`,
  'key: [unclosed',
  '&a [*a, *a]',
);

const BOUNDARY = 'XX';

const multipart = fc
  .record({
    name: fc.constantFrom('file', 'other', '__proto__', '\r\n'),
    size: fc.constantFrom(0, 1, 10_000, 2_000_000),
    isClosed: fc.boolean(),
    parts: fc.integer({ min: 1, max: 50 }),
  })
  .map(({ name, size, isClosed, parts }) => {
    const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"; filename="f"\r\n\r\n`;
    const each = `${head}${'x'.repeat(Math.ceil(size / parts))}\r\n`;
    return `${each.repeat(parts)}${isClosed ? `--${BOUNDARY}--\r\n` : ''}`;
  });

const bytes = fc.uint8Array({ maxLength: 2_000 }).map((list) => Buffer.from(list).toString('latin1'));
const large = fc
  .record({
    size: fc.constantFrom(65_536, 1_048_576, 1_048_577, 3_000_000, 17_000_000),
    sign: fc.constantFrom('x', '[', '"', '\xff'),
  })
  .map(({ size, sign }) => sign.repeat(size));

const json = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> => value.map((each) => JSON.stringify(each));
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

const JSON_TYPE = 'Content-Type: application/json';

export interface Content {
  readonly type: string;
  /** One character per byte. */
  readonly body: string;
}

const content = (type: string, body: fc.Arbitrary<string>): fc.Arbitrary<Content> =>
  body.map((text) => ({ type, body: utf8(text) }));

export const contents: fc.Arbitrary<Content> = fc.oneof(
  { weight: 12, arbitrary: content(JSON_TYPE, json(input)) },
  { weight: 6, arbitrary: content(JSON_TYPE, json(answer)) },
  { weight: 3, arbitrary: content(JSON_TYPE, oddities) },
  { weight: 3, arbitrary: content(JSON_TYPE, nested) },
  { weight: 2, arbitrary: content(JSON_TYPE, fc.json({ maxDepth: 4 })) },
  { weight: 2, arbitrary: bytes.map((body) => ({ type: JSON_TYPE, body })) },
  { weight: 1, arbitrary: large.map((body) => ({ type: JSON_TYPE, body })) },
  { weight: 3, arbitrary: content(`Content-Type: multipart/form-data; boundary=${BOUNDARY}`, multipart) },
  {
    weight: 1,
    arbitrary: content('Content-Type: application/x-www-form-urlencoded', fc.constant('state=x&code=y&error=z')),
  },
  { weight: 1, arbitrary: content('Content-Type: \x01', oddities) },
);
