/** Files in an object store, over HTTP: what NAT says, and what a client must not be able to do. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { workflow } from '../../../runtime/index.ts';
import { readFormFile } from '../../../server/files/multipart.ts';
import { isKey } from '../../../server/files/object-key.ts';
import type { ServerOptions } from '../../../server/index.ts';
import { hostileKeys } from '../../contracts/object-store.ts';
import { isOnWeb } from '../../support/adapter.ts';
import { asAlice, type Headers } from '../../support/controlled-server.ts';
import { given } from '../../support/given.ts';
import { rawRequest, sendRaw } from '../../support/http.ts';

const idle = workflow({ name: 'idle', run: () => null });
const operatorKey = 'an operator key of some length';

const serve = async (t: TestContext, config: Partial<ServerOptions> = {}) => {
  const world = await given.server(t, { workflow: idle, config: { objectStore: 'memory', ...config } });
  const send = async (
    method: string,
    path: string,
    content: string | Buffer,
    type = 'text/plain',
    headers: Headers = {},
  ) => {
    const body = new FormData();
    body.set('file', new Blob([Uint8Array.from(Buffer.from(content as string))], { type }), 'of no importance');
    const response = await fetch(world.server.url + path, { method, body, headers });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  return { ...world, send, raw: (line: string) => sendRaw(t, world.server.port, rawRequest(line)) };
};

const inDirectory = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'fermata-static-'));
  t.after(() => rm(folder, { recursive: true }));
  return { folder, ...(await serve(t, { objectStore: join(folder, 'store') })) };
};

for (const [place, open] of [['memory', serve] as const, ['a directory', inDirectory] as const]) {
  test(`a file is created once, replaced, read and deleted, from ${place}`, async (t) => {
    const { send, call } = await open(t);

    const created = await send('POST', '/static/a/b.txt', 'one');
    const again = await send('POST', '/static/a/b.txt', 'two');
    const read = await call('GET /static/a/b.txt');
    const replaced = await send('PUT', '/static/a/b.txt', 'three', 'application/pdf');
    const reread = await call('GET /static/a/b.txt');
    const deleted = [await call('DELETE /static/a/b.txt'), await call('DELETE /static/a/b.txt')];
    const gone = await call('GET /static/a/b.txt');

    assert.deepEqual(created, { status: 200, body: { filename: 'a/b.txt' } });
    assert.deepEqual(again, { status: 409, body: { detail: 'Key already exists: a/b.txt.' } });
    assert.deepEqual([read.status, read.body], [200, 'one']);
    assert.equal(read.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(read.headers.get('content-disposition'), `attachment; filename="b.txt"; filename*=UTF-8''b.txt`);
    assert.equal(read.headers.get('x-content-type-options'), 'nosniff');
    assert.deepEqual(replaced, created);
    assert.deepEqual([reread.body, reread.headers.get('content-type')], ['three', 'application/pdf']);
    assert.deepEqual(
      deleted.map(({ status }) => status),
      [204, 404],
    );
    assert.deepEqual([gone.status, gone.body], [404, { detail: 'No object found with key: a/b.txt.' }]);
  });
}

test('large files of any bytes come back as they were', async (t) => {
  const { send, server } = await inDirectory(t);
  const bytes = Buffer.alloc(
    3_000_000,
    Uint8Array.from({ length: 256 }, (_, index) => index),
  );

  const { status } = await send('PUT', '/static/large', bytes, 'application/octet-stream');
  const read = await fetch(`${server.url}/static/large`);

  assert.equal(status, 200);
  assert.ok(Buffer.from(await read.arrayBuffer()).equals(bytes));
});

test('whatever a file is called, its name comes back as it was, and the headers stay whole', async (t) => {
  const { send, server } = await serve(t);
  const odd = fc.constantFrom(
    'é"quoted".txt',
    "it's (1)*.txt",
    '50%.txt',
    '日本.txt',
    'a;b=c, d.txt',
    '..a',
    '\u202e.exe',
  );

  await fc.assert(
    fc.asyncProperty(fc.oneof(odd, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })), async (name) => {
      const path = `/static/in/${encodeURIComponent(name)}`;
      const { status, body } = await send('PUT', path, 'x');
      if (hostileKeys.includes(name) || /[/\\\p{Cc}]/u.test(name)) {
        const { filename = '' } = body as { filename?: string };
        assert.ok([400, 404].includes(status) || isKey(filename), name);
        return;
      }

      const read = await fetch(server.url + path);
      const disposition = read.headers.get('content-disposition') ?? '';
      const [, ascii, encoded = ''] =
        /^attachment; filename="([^"\\%]*)"; filename\*=UTF-8''(\S+)$/.exec(disposition) ?? [];
      assert.deepEqual([status, body], [200, { filename: `in/${name}` }]);
      assert.match(ascii ?? 'missing: é', /^[\x20-\x7e]*$/);
      assert.equal(decodeURIComponent(encoded), name);
      assert.match(encoded, /^[\w!#$&+.^`|~%-]+$/);
    }),
    { numRuns: 60 },
  );
});

test('no name that leads outside is one, for any method, however it is encoded', async (t) => {
  const { folder, raw, send, call, server } = await inDirectory(t);
  await send('PUT', '/static/inside', 'x');
  const segment = fc.constantFrom(
    '..',
    '%2e%2e',
    '%2E.',
    '.%2e',
    '.',
    '%2e',
    '',
    '%2f',
    '%5c',
    '..%5c',
    '..%2f',
    '%00',
    '%252e%252e',
  );
  const path = fc
    .array(fc.oneof(segment, fc.constant('a')), { minLength: 1, maxLength: 5 })
    .filter((segments) => segments.some((one) => one !== 'a' && one !== '%252e%252e'))
    .map((segments) => `/static/${segments.join('/')}`);

  await fc.assert(
    fc.asyncProperty(path, fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'), async (hostile, method) => {
      // Another server around the handler resolves dots first: then it is no path of a file.
      const isElsewhere = isOnWeb() && !new URL(`http://host${hostile}`).pathname.startsWith('/static/');
      const { status } = await raw(`${method} ${hostile}`);

      assert.ok(isElsewhere || [307, 400, 404, 405, 422].includes(status), `${status} for ${hostile}`);
    }),
    { numRuns: 150 },
  );
  const form = '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n';
  const headers = ['Content-Type: multipart/form-data; boundary=b', `Content-Length: ${form.length}`];
  const upload = (path: string) => sendRaw(t, server.port, rawRequest(`PUT /static/${path}`, headers, form));
  const outside = ['../x', '%2e%2e/x', 'a/%2e%2e/%2e%2e/x', '%2e%2e%2fx', '%2f%2e%2e%2fx', '..%5cx', 'x%00'];
  for (const path of [...outside, '%c3%a9'.repeat(257)]) {
    assert.ok([400, 404].includes((await upload(path)).status), path);
  }
  assert.equal((await upload('inside')).status, 200, 'the form is sound');
  assert.deepEqual(await readdir(folder), ['store']);
  assert.equal((await readdir(join(folder, 'store'))).length, 1);
  assert.equal((await call('GET /static/inside')).body, 'x');
});

test('an upload needs its file, in a form that can be read', async (t) => {
  const { call, server } = await serve(t);
  const missing = { detail: [{ type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null }] };
  const upload = async (type: string, body: string) => {
    const reply = await fetch(`${server.url}/static/a`, { method: 'POST', headers: { 'content-type': type }, body });
    return [reply.status, await reply.json()];
  };

  assert.deepEqual((await call('POST /static/a')).body, missing);
  assert.deepEqual(await upload('application/x-www-form-urlencoded', 'file=x'), [422, missing]);
  const unreadable = [400, { detail: 'There was an error parsing the body' }];
  assert.deepEqual(await upload('multipart/form-data; boundary=b', 'no form'), unreadable);
  assert.deepEqual(await upload('multipart/form-data', 'no form'), unreadable);
});

test('a file that is too large is refused, and so is one for which there is no room', async (t) => {
  const { send, call } = await serve(t, { maxFileBytes: 1_000, maxStoreBytes: 3_500 });

  const statuses: number[] = [];
  for (const [path, bytes] of [
    ['a', 1_000],
    ['b', 1_001],
    ['b', 100_000],
    ['b', 1_000],
    ['c', 1_000],
  ] as const) {
    statuses.push((await send('POST', `/static/${path}`, 'x'.repeat(bytes))).status);
  }

  assert.deepEqual(statuses, [200, 413, 413, 200, 507]);
  assert.equal((await call('GET /static/c')).status, 404);
});

test('where there is an operator, only he and those who say who they are may write, and all may read', async (t) => {
  const { send, call } = await serve(t, { identity: { operatorKey } });

  const refused = await send('POST', '/static/a', 'x');
  const ofAlice = await send('POST', '/static/a', 'x', 'text/plain', asAlice);
  const ofOperator = await send('PUT', '/static/a', 'y', 'text/plain', { 'x-operator-key': operatorKey });
  const impostor = await send('PUT', '/static/a', 'y', 'text/plain', { authorization: 'Bearer a.b.c' });

  assert.deepEqual([refused.status, ofAlice.status, ofOperator.status, impostor.status], [401, 200, 200, 401]);
  assert.equal((await call('GET /static/a')).body, 'y');
  assert.equal((await call('DELETE /static/a')).status, 401);
  assert.equal((await call('DELETE /static/a', { headers: asAlice })).status, 204);
});

test('a page of another origin cannot make its visitors write, unless CORS lets it call', async (t) => {
  const { send, call } = await serve(t, { cors: { allowOrigins: ['https://app.example'] } });
  const from = async (origin: string) => (await send('PUT', '/static/a', 'x', 'text/plain', { origin })).status;

  assert.deepEqual(
    [await from('https://evil.example'), await from('null'), await from('https://app.example')],
    [403, 403, 200],
  );
  assert.equal(await from('http://127.0.0.1:3000'), 200, 'a page of this host');
  assert.equal((await call('DELETE /static/a', { headers: { origin: 'https://evil.example' } })).status, 403);
  assert.equal((await call('GET /static/a', { headers: { origin: 'https://evil.example' } })).status, 200);
});

test('what a client says of the type of its file cannot become more than a type', async (t) => {
  const { server, call } = await serve(t);
  const boundary = 'b';
  for (const type of ['text/html\u00e9', 'nothing', 'a b/c', '', 'text/', `a/${'b'.repeat(200)}`]) {
    const body = Buffer.from(
      `--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\ncontent-type: ${type}\r\n\r\nx\r\n--b--\r\n`,
      'latin1',
    );
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    const { status } = await fetch(`${server.url}/static/a`, { method: 'PUT', headers, body });

    assert.equal(status, 200, type);
    assert.match(
      (await call('GET /static/a')).headers.get('content-type') ?? '',
      /^(application\/octet-stream|text\/plain; charset=utf-8)$/,
    );
  }
});

test('without an object store there are no files', async (t) => {
  const { call, send } = await serve(t, { objectStore: null });

  assert.deepEqual([(await send('PUT', '/static/a', 'x')).status, (await call('GET /static/a')).status], [404, 404]);
});

test('a form of 10 MB lets other work have its turns while it is read', async () => {
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n';
  const body = Buffer.concat([Buffer.from(head), Buffer.alloc(10_000_000, '\r\n'), Buffer.from('\r\n--b--\r\n')]);
  let turnsOfOthers = 0;
  let beat = setImmediate(function next() {
    turnsOfOthers += 1;
    beat = setImmediate(next);
  });

  const file = await readFormFile('multipart/form-data; boundary=b', body, 'file');
  clearImmediate(beat);

  assert.equal(file?.data.length, 10_000_000);
  assert.ok(turnsOfOthers > 50, `${turnsOfOthers} turns`);
});
