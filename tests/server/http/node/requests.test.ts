/** What the adapter on node:http takes and the other does not, and what node:http would do of its own accord. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Call, Reply, Route } from '../../../../server/http/route.ts';
import { connectRaw, rawRequest, sendRaw, startServer, until } from '../../../support/http.ts';

const given = async (t: TestContext, more: Partial<Parameters<typeof startServer>[1]> = {}) => {
  const asked: string[] = [];
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const shown = ({ path, query, headers, body }: Call): Reply => {
    asked.push(path);
    return { status: 200, body: [path, query, headers.host, body ?? ''].join(' ') };
  };
  const late = async (call: Call): Promise<Reply> => {
    asked.push(`${call.path} asked`);
    await released;
    return shown(call);
  };
  const stream: Route['handle'] = () => ({
    status: 200,
    stream: (sink) => {
      sink.write('one ');
      setImmediate(() => {
        sink.write('two');
        sink.end();
      });
    },
  });
  const routes: Route[] = [
    { method: 'GET', path: '/stream', handle: stream },
    { method: 'POST', path: '/late', handle: late },
    { method: 'GET', path: '/:id', handle: shown },
    { method: 'POST', path: '/:id', handle: shown },
  ];
  const server = await startServer(t, { adapter: 'node', routes, ...more });
  return { server, asked, release };
};

test('a request of HTTP/1.0 is answered, and its connection ended unless it asks to go on', async (t) => {
  const { server } = await given(t);

  const plain = await connectRaw(t, server.port);
  plain.send('GET /a?b HTTP/1.0\r\n\r\n');
  assert.equal((await plain.answer()).body, '/a b  ');
  await plain.closed;

  const kept = await connectRaw(t, server.port);
  for (let round = 0; round < 2; round += 1) {
    kept.send('POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nxx');
    assert.equal((await kept.answer()).body, '/a   xx');
  }
});

test('a stream to a client of HTTP/1.0 ends with its connection, without chunks', async (t) => {
  const { server } = await given(t);
  const client = await connectRaw(t, server.port);
  let received = '';
  client.socket.on('data', (text: string) => {
    received += text;
  });

  client.send('GET /stream HTTP/1.0\r\n\r\n');
  await client.closed;

  assert.ok(received.endsWith('\r\n\r\none two'), received);
  assert.doesNotMatch(received, /transfer-encoding/i);
});

test('a whole URL as target is taken for its path, and its host counts before Host', async (t) => {
  const { server } = await given(t);
  const bodyOf = async (target: string) => (await sendRaw(t, server.port, rawRequest(`GET ${target}`))).body;

  assert.equal(await bodyOf('http://app.example:81/a?b=1'), '/a b=1 app.example:81 ');
  assert.equal(await bodyOf('HTTPS://app.example/a'), '/a  app.example ');
  assert.equal(await bodyOf('http://app.example?b'), '{"detail":"Not Found"}');
  assert.equal((await sendRaw(t, server.port, rawRequest('GET http://me@app.example/a'))).status, 400);
  assert.equal((await sendRaw(t, server.port, rawRequest('OPTIONS *'))).status, 404);
});

test('a target that is neither a path nor a URL is refused', async (t) => {
  const { server, asked } = await given(t);

  assert.equal((await sendRaw(t, server.port, rawRequest('GET *'))).status, 400);
  assert.deepEqual(asked, []);
});

test('another version of HTTP is refused, and chunks in HTTP/1.0, which other servers would not see', async (t) => {
  const { server, asked } = await given(t);
  const chunks = 'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n';

  for (const text of [
    'GET /a HTTP/2.0\r\nHost: a\r\n\r\n',
    'GET /a HTTP/0.9\r\nHost: a\r\n\r\n',
    `POST /a HTTP/1.0\r\n${chunks}`,
  ]) {
    const client = await connectRaw(t, server.port);
    client.send(text);
    assert.equal((await client.answer()).status, 400);
    await client.closed;
  }
  assert.deepEqual(asked, []);
});

test('a request behind one that is answered late waits for it, and both are answered', async (t) => {
  const { server, asked, release } = await given(t);
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('POST /late', ['Content-Length: 1'], '1') + rawRequest('GET /b') + rawRequest('GET /stream'));
  await until(() => asked.length > 0, 'the first');
  assert.deepEqual(asked, ['/late asked']);
  release();

  assert.equal((await client.answer()).body, '/late  localhost 1');
  assert.equal((await client.answer()).body, '/b  localhost ');
  assert.equal((await client.answer()).status, 200);
  assert.deepEqual(asked, ['/late asked', '/late', '/b']);
});

test('thousands of requests in one piece are read as they are answered', async (t) => {
  const { server, release } = await given(t);
  const client = await connectRaw(t, server.port);
  const count = 5_000;

  client.send(rawRequest('POST /late') + rawRequest('GET /a').repeat(count));
  release();

  for (let answered = 0; answered <= count; answered += 1) assert.equal((await client.answer()).status, 200);
});

test('bytes of a header that are no ASCII are kept, at its ends too', async (t) => {
  const keys: unknown[] = [];
  const keep = ({ headers }: Call): Reply => {
    keys.push(headers['x-api-key']);
    return { status: 204, headers: { 'x-back': 'é' } };
  };
  const { server } = await given(t, { routes: [{ method: 'GET', path: '/a', handle: keep }] });

  for (const key of ['k', 'k\xfc', '\xfck']) {
    const { headers } = await sendRaw(t, server.port, rawRequest('GET /a', [`X-API-Key: ${key}`]));
    assert.equal(headers['x-back'], Buffer.from('é').toString('latin1'));
  }

  assert.deepEqual(keys, ['k', 'k\xfc', '\xfck']);
});

test('a request without Host, or with two, is refused, and nothing behind it is done', async (t) => {
  const { server, asked } = await given(t);

  for (const head of ['GET /a HTTP/1.1\r\n\r\n', rawRequest('GET /a', ['Host: other'])]) {
    const client = await connectRaw(t, server.port);
    client.send(head + rawRequest('GET /behind'));
    assert.equal((await client.answer()).status, 400);
    await client.closed;
  }

  assert.deepEqual(asked, []);
});

test('a request before bytes that are no HTTP is answered first', async (t) => {
  const { server, asked, release } = await given(t);
  const client = await connectRaw(t, server.port);

  client.send(`${rawRequest('POST /late')}nonsense\r\n\r\n`);
  await until(() => asked.length > 0, 'the first');
  release();

  assert.equal((await client.answer()).status, 200);
  assert.equal((await client.answer()).status, 400);
  await client.closed;
});

test('a client is told to go on with its body only where the body is read', async (t) => {
  const { server } = await given(t, { maxBodyBytes: 10 });
  const expects = (length: number) => rawRequest('POST /a', ['Expect: 100-continue', `Content-Length: ${length}`]);

  const welcome = await connectRaw(t, server.port);
  welcome.send(expects(2));
  assert.equal((await welcome.answer()).status, 100);
  welcome.send('xx');
  assert.equal((await welcome.answer()).body, '/a  localhost xx');

  assert.equal((await sendRaw(t, server.port, rawRequest('POST /a', ['Expect: more']))).status, 200);
});

test('an offer of HTTP/2 is not taken, and the request is served with its body', async (t) => {
  const { server } = await given(t);
  const client = await connectRaw(t, server.port);
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];

  client.send(rawRequest('POST /a', [...offer, 'Content-Length: 4'], 'bo'));
  await new Promise((resolve) => setImmediate(resolve));
  client.send(`dy${rawRequest('GET /b')}`);

  assert.equal((await client.answer()).body, '/a  localhost body');
  assert.equal((await client.answer()).body, '/b  localhost ');
});

test('a client may offer HTTP/2 again and again', async (t) => {
  const { server } = await given(t);
  const client = await connectRaw(t, server.port);
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  t.after(() => process.off('warning', note));

  for (let round = 0; round < 20; round += 1) {
    client.send(rawRequest('GET /a', ['Connection: Upgrade', 'Upgrade: h2c']));
    assert.equal((await client.answer()).status, 200);
  }

  assert.deepEqual(warnings, []);
});

test('a tunnel is refused', async (t) => {
  const { server } = await given(t);
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('CONNECT example.com:443'));

  assert.equal((await client.answer()).status, 405);
  await client.closed;
});
