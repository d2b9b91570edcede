/** Caches between the server and its clients. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { given } from '../../support/given.ts';
import { rawRequest, sendRaw } from '../../support/http.ts';

const echo = workflow({ name: 'echo', run: (input: unknown) => ({ input }) });

const replyOf = (t: TestContext, port: number, line: string, headers: Record<string, string>, body = '') => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return sendRaw(t, port, rawRequest(line, body === '' ? lines : [...lines, `content-length: ${body.length}`], body));
};

const asked: readonly Record<string, string>[] = [
  {},
  { accept: 'text/html' },
  { accept: 'application/json' },
  { 'accept-encoding': 'gzip' },
  { 'accept-language': 'de' },
  { origin: 'https://app.example' },
  { cookie: 'nat-session=alice' },
  { authorization: 'Bearer alice' },
  { 'x-forwarded-proto': 'https' },
];

test('of two replies that differ by a request header, caches store none, or know by which header they differ', async (t) => {
  const config = {
    objectStore: 'memory',
    asyncJobs: true,
    monitorUsers: true,
    cors: { allowOrigins: ['https://app.example'] },
  };
  const { server } = await given.server(t, { workflow: echo, config });
  const replyTo = (line: string, headers: Record<string, string>, body = '') =>
    replyOf(t, server.port, line, headers, body);
  const form = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nfile\r\n--x--\r\n';
  const type = { 'content-type': 'multipart/form-data; boundary=x' };
  await replyTo('PUT /static/x', type, form);
  const gets = server.routes.filter((route) => route.startsWith('GET ') && !route.includes('changes'));

  for (const route of gets) {
    const line = route.replaceAll(/(:\w+|\*)/g, 'x');
    const plain = await replyTo(line, {});
    for (const headers of asked) {
      const reply = await replyTo(line, headers);
      if (/no-store|private/.test(reply.headers['cache-control'] ?? '')) continue;
      const varies = (reply.headers.vary ?? '').toLowerCase().split(/, */);
      const same = (name: string) => reply.headers[name] === plain.headers[name];
      const isSame =
        reply.body === plain.body && ['content-type', 'content-encoding', 'access-control-allow-origin'].every(same);
      assert.ok(
        isSame || Object.keys(headers).some((name) => varies.includes(name)),
        `${line} ${JSON.stringify(headers)}`,
      );
    }
  }
});

test('a reply says that caches must not store it, unless its route says otherwise, and so does a refusal', async (t) => {
  const { server } = await given.server(t, { workflow: echo, config: { objectStore: 'memory' } });
  const body = '{}';

  for (const [line, control] of [
    ['GET /health', 'no-store'],
    ['GET /nothing', 'no-store'],
    ['PATCH /executions', 'no-store'],
    ['GET /executions/none', 'no-store'],
    ['POST /v1/workflow', 'no-store'],
    ['POST /v1/workflow/stream', 'no-store, no-transform'],
    ['GET /openapi.json', 'no-cache'],
    ['GET /static/none', undefined],
  ] as const) {
    const isPost = line.startsWith('POST');
    const reply = await replyOf(
      t,
      server.port,
      line,
      isPost ? { 'content-type': 'application/json' } : {},
      isPost ? body : '',
    );
    assert.equal(reply.headers['cache-control'], control, line);
  }
});
