/** Hostile requests as bytes: each route, each state of an execution, valid and invalid framing. */
import fc from 'fast-check';
import { type Content, contents } from './contents.ts';
import { OPERATOR_KEY } from './operator-key.ts';

export interface Endpoint {
  readonly method: string;
  /** With `{name}` for each parameter. */
  readonly path: string;
}

/** Ids from replies: of an execution, and of its prompt. */
export interface Known {
  readonly execution: string;
  readonly interaction: string;
}

export interface Rendered {
  /** One character per byte. */
  readonly text: string;
  /** It has standard framing, so it must get a reply. */
  readonly isSound: boolean;
}

const ids = [
  '__proto__',
  '%00',
  '%',
  '..',
  '..%2f..%2fetc%2fpasswd',
  '%F0%9F%92%A1',
  'x'.repeat(3_000),
  '<b>',
  'a.txt',
] as const;

const queries = [
  'wait=1&after=0',
  'wait=0',
  'wait=-1',
  'after=99999999999999999999',
  'limit=200',
  'limit=1e9',
  'status=completed',
  'before=0.x',
  'id=%',
  'filter_steps=LLM_END,x',
  'on_disconnect=cancel',
  'conversation_id=c&session=s',
  'state=x&code=y',
  'user_id=x',
  '__proto__=1',
  'x='.repeat(3_000),
] as const;

const headers = [
  `X-Operator-Key: ${OPERATOR_KEY}`,
  'X-API-Key: alice',
  'X-API-Key: bob',
  'X-API-Key: \xff\xfe',
  'Authorization: Bearer a.b.c',
  'Authorization: Basic YTpi',
  'Cookie: nat-session=carol',
  'Cookie: fermata-guest=0123456789abcdef0123456789abcdef',
  'Prefer: respond-async',
  'Prefer: wait=1',
  'Idempotency-Key: 0123456789abcdef0123456789abcdef',
  'Conversation-Id: conversation-0123456789abcdef',
  'Last-Event-ID: 3',
  'Accept: text/event-stream',
  'Origin: https://evil.example',
  'Access-Control-Request-Method: DELETE',
  'X-Forwarded-For: 1.2.3.4, localhost',
  'Forwarded: for=_hidden;proto=https',
  'Traceparent: 00-zz',
  'Expect: 100-continue',
  'Range: bytes=0-1,5-',
  'If-None-Match: *',
  'Accept-Encoding: gzip;q=9',
  'TE: trailers',
] as const;

/** A server may refuse these. */
const broken = [
  'no colon at all',
  ': no name',
  'Folded: a\r\n b',
  'Host: other.example',
  'Nul: \x00',
  'Line: a\nInjected: b',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings',
  'Connection: close, keep-alive',
  `Long: ${'x'.repeat(20_000)}`,
  Array.from({ length: 150 }, (_, index) => `H${index}: v`).join('\r\n'),
] as const;

type Framing = (content: Content) => { lines: readonly string[]; body: string; isSound: boolean };

const chunk = (body: string, size = body.length.toString(16)): string => (body === '' ? '' : `${size}\r\n${body}\r\n`);
const length = (value: string | number): string => `Content-Length: ${value}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const SMUGGLED = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

const byLength: Framing = ({ body }) => ({ lines: [length(body.length)], body, isSound: true });

const inChunks: Framing = ({ body }) => ({ lines: [CHUNKED], body: `${chunk(body)}0\r\n\r\n`, isSound: true });

const inTinyChunks: Framing = ({ body }) => ({
  lines: [CHUNKED],
  body: `${[...body.slice(0, 3)].map((sign) => chunk(sign)).join('')}${chunk(body.slice(3))}0\r\n\r\n`,
  isSound: true,
});

/** None of these has a clear end. */
const unsound: readonly ((body: string) => { lines: readonly string[]; body: string })[] = [
  (body) => ({ lines: [CHUNKED], body: `${chunk(body)}0\r\nTrailer: x\r\n\r\n` }),
  (body) => ({ lines: [CHUNKED], body: chunk(body, 'ffffffffffffffff') }),
  (body) => ({ lines: [CHUNKED], body: chunk(body, `${body.length.toString(16)};ext="x`) }),
  (body) => ({ lines: [CHUNKED], body: chunk(body, '-1') }),
  (body) => ({ lines: [length(body.length + 7)], body }),
  (body) => ({ lines: [length(Math.max(0, body.length - 3))], body }),
  (body) => ({ lines: [length(body.length), length(body.length + 1)], body: body + SMUGGLED }),
  (body) => ({ lines: [length(body.length), CHUNKED], body: `0\r\n\r\n${SMUGGLED}` }),
  (body) => ({ lines: ['Transfer-Encoding: xchunked'], body: `${chunk(body)}0\r\n\r\n` }),
  (body) => ({ lines: ['Transfer-Encoding : chunked'], body: `${chunk(body)}0\r\n\r\n` }),
  (body) => ({ lines: [length('99999999999999999999')], body }),
  (body) => ({ lines: [length('-5')], body }),
  (body) => ({ lines: [length('')], body }),
  (body) => ({ lines: [], body }),
];

const framings: fc.Arbitrary<Framing> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(byLength) },
  { weight: 2, arbitrary: fc.constantFrom(inChunks, inTinyChunks) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...unsound).map(
      (framing): Framing =>
        ({ body }) => ({ ...framing(body), isSound: false }),
    ),
  },
);

const few = <T>(all: readonly T[], maxLength: number): fc.Arbitrary<T[]> =>
  fc.array(fc.constantFrom(...all), { maxLength });

/** One of them in this many cases of ten, else nothing. */
const sometimes = <T>(all: readonly T[], ofTen: number): fc.Arbitrary<T | undefined> =>
  fc.oneof(
    { weight: ofTen, arbitrary: fc.constantFrom(...all) },
    { weight: 10 - ofTen, arbitrary: fc.constant(undefined) },
  );

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'get',
  'M'.repeat(300),
  '',
] as const;
const TARGETS = ['http://localhost', '/', '//', '*', '', '/../..', '/%', '\x01', `/${'x'.repeat(8_000)}`] as const;
const VERSIONS = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/9', 'ICY', ''] as const;

/** Known ids are inserted when it is sent. */
export type Draft = (known: Known) => Rendered;

export const requestsTo = (endpoints: readonly Endpoint[]): fc.Arbitrary<Draft> =>
  fc
    .record({
      endpoint: fc.constantFrom(...endpoints),
      method: sometimes(METHODS, 1),
      id: sometimes(ids, 2),
      query: sometimes(queries, 4),
      target: sometimes(TARGETS, 1),
      version: sometimes(VERSIONS, 1),
      more: few(headers, 3),
      wrong: sometimes(broken, 1),
      framing: framings,
      content: contents,
      hasBody: fc.boolean(),
    })
    .map(({ endpoint, method, id, query, target, version, more, wrong, framing, content, hasBody }) => (known) => {
      const named = method ?? endpoint.method;
      const path = endpoint.path
        .replace(/\{execution_?id\}/i, id ?? known.execution)
        .replace(/\{interaction_?id\}/i, id ?? known.interaction)
        .replace(/\{[^}]*\}/g, id ?? 'a.txt');
      const isSent = hasBody || (named !== 'GET' && named !== 'HEAD');
      const framed = isSent ? framing(content) : { lines: [], body: '', isSound: true };
      const lines = ['Host: localhost', ...(isSent ? [content.type] : []), ...framed.lines, ...more];
      if (wrong !== undefined) lines.push(wrong);
      const at = `${target ?? ''}${path}${query === undefined ? '' : `?${query}`}`;
      const head = `${named} ${at} ${version ?? 'HTTP/1.1'}\r\n${lines.join('\r\n')}\r\n\r\n`;
      const isPlain = [method, target, version, wrong].every((each) => each === undefined) && head.length < 16_000;
      return { text: head + framed.body, isSound: isPlain && framed.isSound };
    });
