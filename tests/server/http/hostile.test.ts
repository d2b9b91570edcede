/** Bad input on every route, over real sockets: a clear answer or a closed connection, and nothing left behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOnWeb, isParsedByNode } from '../../support/adapter.ts';
import { operator } from '../../support/given.ts';
import { connectRaw, rawRequest, sendRaw } from '../../support/http.ts';
import { immediate } from '../../support/in-process.ts';
import { assertClearRefusal, givenStrictServer, rawPost, startPrompting } from '../../support/strict-server.ts';

const nested = (levels: number, opening = '{"a":', closing = '}') =>
  `${opening.repeat(levels)}1${closing.repeat(levels)}`;

const noJson: Record<string, string | Buffer> = {
  nothing: '',
  truncated: '{"amount": 1, "tags": ["a"',
  'two values': '{"amount":1}{"amount":2}',
  'single quotes': "{'amount': 1}",
  'a comment': '{"amount": 1 /* one */}',
  'a trailing comma': '{"amount": 1,}',
  'a bare word': 'undefined',
  'half an escape': '{"amount": "\\u12"}',
  'a control character': '{"amount": "\u0001"}',
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'another encoding': Buffer.from('{"amount":1}', 'utf16le'),
  'deep objects': nested(5_000),
  'deep lists': nested(300_000, '[', ']'),
  'an opening without end': '['.repeat(500_000),
  null: 'null',
};

const noInput: Record<string, string> = {
  'a text': '"amount"',
  'a number': '1',
  'a list': '[{"amount":1}]',
  'no members': '{}',
  'an object for a number': '{"amount":{"valueOf":1,"toString":1}}',
  'a list for a number': '{"amount":[1]}',
  'a number without end': '{"amount":1e999}',
  'a text for a list': '{"amount":1,"tags":"a"}',
  'a list of lists': '{"amount":1,"tags":[[]]}',
  'another prototype': '{"__proto__":{"amount":1}}',
  'another constructor': '{"constructor":{"prototype":{"amount":1}}}',
};

const noAnswer: Record<string, string> = {
  ...noInput,
  'no type': '{"response":{"text":"x"}}',
  'a type of another kind': '{"response":{"type":"radio","selected_option":{"id":"x"}}}',
  'an unknown type': '{"response":{"type":"constructor","text":"x"}}',
  'a type that is an object': '{"response":{"type":{"toString":1,"valueOf":null},"text":"x"}}',
  'a type that is a list': '{"response":{"type":[["text"]],"text":"x"}}',
  'a type by prototype': '{"response":{"__proto__":{"type":"text","text":"x"}}}',
  'no text': '{"response":{"type":"text"}}',
  'a text that is none': '{"response":{"type":"text","text":{"toString":1}}}',
  'an empty text': '{"response":{"type":"text","text":" "}}',
  'options that are none': '{"response":{"type":"checkbox","selected_options":[null,1]}}',
  'an option whose id is none': '{"response":{"type":"radio","selected_option":{"id":{}}}}',
  'a deep option': `{"response":{"type":"radio","selected_option":{"value":${nested(190)}}}}`,
};

test('a body that is no JSON, or not what was asked for, is refused in words on every route', async (t) => {
  const world = await givenStrictServer(t);
  const { port } = world.server;
  const answerPath = await startPrompting(world);

  for (const path of ['/v1/workflow', '/generate', '/strict', '/strict/legacy', answerPath]) {
    for (const [what, body] of Object.entries(noJson))
      assertClearRefusal(await sendRaw(t, port, rawPost(path, body)), `${path} ${what}`);
  }
  for (const path of ['/strict', '/strict/legacy']) {
    for (const [what, body] of Object.entries(noInput))
      assertClearRefusal(await sendRaw(t, port, rawPost(path, body)), `${path} ${what}`);
  }
  for (const [what, body] of Object.entries(noAnswer))
    assertClearRefusal(await sendRaw(t, port, rawPost(answerPath, body)), `answer ${what}`);

  assert.equal((await world.runtime.inbox(operator, 10)).length, 1, 'the prompt is still open');
  assert.equal(immediate(world.runtime.list(operator, { limit: 10 })).executions.length, 1, 'and nothing was started');
});

test('a body of a form, which a web page can send to any server, is not JSON', async (t) => {
  const { server } = await givenStrictServer(t);

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
    const sent = rawRequest('POST /v1/workflow', [`Content-Type: ${type}`, 'Content-Length: 2'], '{}');
    assertClearRefusal(await sendRaw(t, server.port, sent), type);
  }
});

test('members with the names of prototypes are members, and change nothing else', async (t) => {
  const { server, runtime } = await givenStrictServer(t);
  const body = '{"amount":1,"more":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';

  for (const path of ['/strict', '/v1/workflow']) {
    assert.ok((await sendRaw(t, server.port, rawPost(path, body))).status < 300);
  }

  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.equal(immediate(runtime.list(operator, { limit: 10 })).executions.length, 2);
});

test('seventy megabytes are not read to their end, however they are announced', async (t) => {
  const { server } = await givenStrictServer(t);
  const megabyte = 'x'.repeat(1024 * 1024);

  for (const announced of ['Content-Length: 73400320', 'Transfer-Encoding: chunked']) {
    const client = await connectRaw(t, server.port);
    client.send(rawRequest('POST /v1/workflow', ['Content-Type: application/json', announced]));
    for (let sent = 0; sent < 70; sent += 1) {
      client.send(announced.startsWith('C') ? megabyte : `100000\r\n${megabyte}\r\n`);
    }

    const answer = await client.answer();

    assertClearRefusal(answer, announced);
    assert.equal(answer.status, 413);
    await client.closed;
  }
});

test('a request whose end is uncertain is refused, and its connection is closed', async (t) => {
  const { server } = await givenStrictServer(t);
  const type = 'Content-Type: application/json';

  for (const framing of [
    ['Content-Length: 2', 'Content-Length: 3'],
    ['Content-Length: 2', 'Transfer-Encoding: chunked'],
    ['Content-Length: +2'],
    ['Content-Length: 2, 2'],
    ['Content-Length: 0x2'],
    ['Transfer-Encoding: gzip, chunked'],
  ]) {
    const client = await connectRaw(t, server.port);
    client.send(
      rawRequest('POST /v1/workflow', [type, ...framing], '{}\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    );

    const answer = await client.answer().catch(() => undefined);

    assert.ok(answer === undefined || answer.status === 400, `${framing}: ${answer?.status}`);
    await client.closed;
  }
});

const noIds = [
  'unknown',
  '%2F',
  'a%2Fb',
  '..%2F..%2Fetc%2Fpasswd',
  '%00',
  'a%00b',
  '%',
  '%C3%28',
  '%F0%9F%92%A1',
  '__proto__',
  'constructor',
  '-',
  'null',
  'x'.repeat(5_000),
  "'%20OR%201=1--",
  '<script>alert(1)</script>',
];

test('an id that is none is not found, whatever it is made of', async (t) => {
  const world = await givenStrictServer(t);
  const { port } = world.server;
  const known = (await startPrompting(world)).split('/')[2]!;
  const answer = '{"response":{"type":"text","text":"x"}}';

  for (const id of noIds) {
    for (const sent of [
      rawRequest(`GET /executions/${id}`),
      rawRequest(`GET /executions/${id}?wait=1`),
      rawRequest(`DELETE /executions/${id}`),
      rawPost(`/executions/${id}/interactions/x/response`, answer),
      rawPost(`/executions/${known}/interactions/${id}/response`, answer),
    ]) {
      const reply = await sendRaw(t, port, sent);
      assert.equal(reply.status, 404, `${sent.slice(0, 80)}: ${reply.body}`);
      assertClearRefusal(reply, id);
    }
  }
  // The URL of a Request has no dots any more.
  const dotted = isOnWeb() ? [] : ['/executions/..', '/executions/.', `/executions/${known}/..`];
  for (const path of [...dotted, '/executions//', '//executions']) {
    const { status } = await sendRaw(t, port, rawRequest(`GET ${path}`));
    assert.ok(status === 404 || status === 307, `${path}: ${status}`);
  }
});

test('a query or header that cannot be used is refused by name, or ignored if that is its nature', async (t) => {
  const world = await givenStrictServer(t);
  const { call } = world;
  const known = (await startPrompting(world)).split('/')[2]!;
  const key = { 'x-api-key': 'alice' };
  const refused: Record<string, readonly string[]> = {
    [`GET /executions/${known}?wait=`]: ['-1', '301', '1.5', 'x', '', '1e2', '٣', '9'.repeat(400)],
    [`GET /executions/${known}?wait=1&after=`]: ['-1', 'x', '', 'Infinity', '99999999999999999999'],
    'GET /executions?limit=': ['0', '-1', '201', 'x', ''],
    'GET /executions?status=': ['awaiting_interaction', '', 'constructor', '<b>'],
    'GET /executions?before=': ['x', '', '1', '.', 'x'.repeat(5_000)],
    'GET /interactions?limit=': ['0', 'x', '1e9'],
  };

  for (const [line, values] of Object.entries(refused)) {
    const name = /(\w+)=$/.exec(line)![1]!;
    for (const value of values) {
      const { status, body } = await call(line + encodeURIComponent(value), { headers: key });
      const { detail, code } = body as { detail: string; code: string };
      assert.deepEqual([status, code], [422, 'request_invalid'], line + value);
      assert.ok(detail.startsWith(`${name}: expected `) && detail.length < 200, detail);
    }
  }
  for (const query of ['%', '%00', '&&&', '=', 'wait', 'x='.repeat(2_000), '__proto__=1']) {
    const { status } = await sendRaw(t, world.server.port, rawRequest(`GET /executions/${known}?${query}`));
    assert.ok(status === 200 || status === 422, query);
  }
});

test('credentials that cannot be read are refused, without details of the reason', async (t) => {
  const { server } = await givenStrictServer(t);

  for (const credential of [
    'Authorization: Basic !!!!',
    'Authorization: Basic YWxpY2U=',
    'Authorization: Bearer a.b.c',
    'Authorization: Bearer ..',
    `Authorization: Bearer ${'x'.repeat(5_000)}.y.z`,
  ]) {
    const answer = await sendRaw(t, server.port, rawRequest('GET /executions', [credential]));
    assertClearRefusal(answer, credential);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['www-authenticate'], 'Bearer');
  }
  if (isParsedByNode()) return; // it loses no bytes
  // Of two credentials that differ in bytes which the adapter cannot read only one would be seen.
  for (const [name, value] of [
    ['cookie', 'nat-session=a\xff\xfeb'],
    ['x-api-key', 'a\xffb'],
  ]) {
    const answer = await sendRaw(t, server.port, rawRequest('GET /executions', [`${name}: ${value}`]));
    assertClearRefusal(answer, name!);
    assert.equal(answer.status, 400);
    assert.match(answer.body, new RegExp(`The header ${name} has bytes that cannot be read`));
  }
});
