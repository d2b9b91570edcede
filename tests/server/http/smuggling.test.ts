/** Bytes that two readers of HTTP could take for different requests: they are refused, and the connection ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOnWeb, isParsedByNode } from '../../support/adapter.ts';
import { turns } from '../../support/given.ts';
import { connectRaw, rawRequest, startServer } from '../../support/http.ts';

const behind = rawRequest('GET /behind');

const givenServer = async (t: Parameters<typeof startServer>[0]) => {
  const asked: string[] = [];
  const server = await startServer(t, {
    routes: [
      {
        method: 'POST',
        path: '/front',
        handle: ({ body }) => {
          asked.push(`front ${body}`);
          return { status: 200 };
        },
      },
      {
        method: 'GET',
        path: '/behind',
        handle: () => {
          asked.push('behind');
          return { status: 200 };
        },
      },
    ],
  });
  return { server, asked };
};

const chunked = '5\r\nhello\r\n0\r\n\r\n';

const ambiguous: Readonly<Record<string, readonly [headers: readonly string[], body: string]>> = {
  'two lengths': [['Content-Length: 3', 'Content-Length: 5'], 'hello'],
  'a length given twice': [['Content-Length: 5', 'Content-Length: 5'], 'hello'],
  'a list of lengths': [['Content-Length: 5, 5'], 'hello'],
  'an empty length before another': [['Content-Length:', 'Content-Length: 5'], 'hello'],
  'an empty length': [['Content-Length:'], ''],
  'a length with a sign': [['Content-Length: +5'], 'hello'],
  'a length in hexadecimal': [['Content-Length: 0x5'], 'hello'],
  'another coding': [['Transfer-Encoding: xchunked'], chunked],
  'two codings': [['Transfer-Encoding: gzip, chunked'], chunked],
  'a coding given twice': [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked],
  'an empty coding before another': [['Transfer-Encoding:', 'Transfer-Encoding: chunked'], chunked],
  'a coding and a length': [['Transfer-Encoding: chunked', 'Content-Length: 5'], chunked],
  'a length and a coding': [['Content-Length: 5', 'Transfer-Encoding: chunked'], chunked],
  'a space before the colon': [['Content-Length : 5'], 'hello'],
  'a tab before the colon': [['Content-Length\t: 5'], 'hello'],
  'a folded line': [['X: 1', ' Content-Length: 5'], 'hello'],
};

/** node:http finds the end of such a body. A handler inside it refuses the request, and cannot end the connection. */
const ofOtherServer = { skip: isOnWeb() && 'the server around the handler keeps the connection' };
const framedByNode: ReadonlySet<string> = new Set(['two codings', 'an empty coding before another']);

for (const [what, [headers, body]] of Object.entries(ambiguous)) {
  const options = framedByNode.has(what) ? ofOtherServer : {};
  test(`${what}: nothing is done, and what comes behind is no request`, options, async (t) => {
    const { server, asked } = await givenServer(t);

    for (const rest of [behind, '']) {
      const client = await connectRaw(t, server.port);
      let received = '';
      client.socket.on('data', (data: string) => {
        received += data;
      });
      client.send(rawRequest('POST /front', headers, body + rest));
      await client.closed;
      if (rest === '') assert.match(received, /^HTTP\/1\.1 400 /);
      assert.ok(!/HTTP\/1\.1 [^4]/.test(received), received);
    }

    assert.deepEqual(asked, []);
  });
}

test('a refusal ends the connection also when the bytes behind it come later', async (t) => {
  const { server, asked } = await givenServer(t);
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('POST /front', ['Transfer-Encoding: xchunked'], chunked));
  assert.equal((await client.answer()).status, 400);
  client.send(behind);
  await client.closed;

  assert.deepEqual(asked, []);
});

for (const size of [' 2b', '\t2b', '\r\n2b', '\n2b']) {
  const what = JSON.stringify(size);
  test(`a chunk of the size ${what}, which readers take for different ones, has no request inside`, async (t) => {
    const { server, asked } = await givenServer(t);

    for (const path of ['/front', '/nothing']) {
      const client = await connectRaw(t, server.port);
      client.send(rawRequest(`POST ${path}`, ['Transfer-Encoding: chunked'], `${size}\r\nxx${behind}\r\n0\r\n\r\n`));
      await client.closed;
    }

    assert.ok(!asked.includes('behind'));
  });
}

test('a chunked body ends its connection where chunks are read leniently, and is answered', async (t) => {
  const { server, asked } = await givenServer(t);
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('POST /front', ['Transfer-Encoding: chunked'], chunked));

  const { status, headers } = await client.answer();
  assert.equal(status, 200);
  assert.deepEqual(asked, ['front hello']);
  assert.equal(headers.connection === 'close', !isParsedByNode());
});

test('a refused request in chunks is read to its end first: a proxy that still sends would see a broken connection', async (t) => {
  const { server } = await givenServer(t);
  for (const line of ['POST /nothing', 'PUT /front']) {
    const client = await connectRaw(t, server.port);
    let received = '';
    client.socket.on('data', (data: string) => {
      received += data;
    });

    client.send(rawRequest(line, ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'));
    await turns();
    assert.equal(received, '');
    client.send('0\r\n\r\n');

    assert.equal((await client.answer()).status, line === 'PUT /front' ? 405 : 404);
  }
});
