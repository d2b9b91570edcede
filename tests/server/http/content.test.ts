/** Bodies that are read while they are sent, on real sockets of every adapter. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { AdapterName } from '../../../server/http/adapter.ts';
import { PIECE_BYTES } from '../../../server/http/content.ts';
import type { Content } from '../../../server/http/route.ts';
import { connectRaw, rawRequest, startServer, until } from '../../support/http.ts';
import { mountedAdapter } from '../../support/mounted-handler.ts';

const MB = 1024 * 1024;

/** What the system may take for a connection: the buffers of both sockets. */
const SYSTEM_BYTES = 24 * MB;

/** So many bytes, each of its own value. It fails where it is told to. */
class Given implements Content {
  readonly length: number;
  readonly #failsAt: number;
  bytes = 0;
  closed = 0;

  constructor(length: number, failsAt = Number.POSITIVE_INFINITY) {
    this.length = length;
    this.#failsAt = failsAt;
  }

  async read(most: number): Promise<Buffer> {
    await setImmediate();
    if (this.bytes >= this.#failsAt) throw new Error('the disk is gone');
    const piece = bytesFrom(this.bytes, Math.min(most, this.length - this.bytes));
    this.bytes += piece.length;
    return piece;
  }

  close(): void {
    this.closed += 1;
  }
}

const pattern = Buffer.from(Array.from({ length: PIECE_BYTES + 251 }, (_, index) => index % 251));
const bytesFrom = (offset: number, length: number): Buffer =>
  pattern.subarray(offset % 251, (offset % 251) + Math.min(length, PIECE_BYTES));

const given = async (t: TestContext, adapter: AdapterName | typeof mountedAdapter, content: Given) => {
  const handle = async () => ({ status: 200, headers: { 'content-type': 'a/b' }, content });
  const routes = [
    { method: 'GET', path: '/content', handle },
    { method: 'GET', path: '/quick', handle: () => ({ status: 200, body: 'quick' }) },
  ] as const;
  return startServer(t, { routes, adapter });
};

for (const adapter of ['uws', 'node', mountedAdapter] as const) {
  const name = typeof adapter === 'string' ? adapter : adapter.name;

  test(`on ${name} a content of any length arrives byte for byte, with its length`, async (t) => {
    for (const length of [1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 9 * MB + 7]) {
      const content = new Given(length);
      const server = await given(t, adapter, content);

      const reply = await fetch(`${server.url}/content`);
      const received = Buffer.from(await reply.arrayBuffer());

      assert.equal(reply.headers.get('content-length'), String(length));
      assert.equal(received.length, length);
      for (let at = 0; at < length; at += PIECE_BYTES) {
        const expected = bytesFrom(at, length - at);
        assert.ok(received.subarray(at, at + expected.length).equals(expected), `the bytes from ${at} on`);
      }
      await until(() => server.openRequests === 0, 'the end of the request');
      assert.equal(content.closed, 1);
    }
  });

  test(`on ${name} a client that reads slowly holds a piece of the content, and gets all of it`, async (t) => {
    const content = new Given(64 * MB);
    const server = await given(t, adapter, content);
    const client = await connectRaw(t, server.port);
    client.socket.removeAllListeners('data');
    let received = 0;
    client.socket.setEncoding('latin1').on('data', (text: string) => (received += text.length));
    client.socket.pause();

    client.send(rawRequest('GET /content', ['Connection: close']));
    await until(() => content.bytes > 0, 'the first piece');
    for (let before = -1, turns = 0; turns < 500; turns += 1) {
      if (before !== content.bytes) turns = 0;
      before = content.bytes;
      await setImmediate();
    }

    assert.ok(content.bytes < SYSTEM_BYTES, `${content.bytes} bytes were read for a client that reads none`);
    client.socket.resume();
    await until(() => received >= content.length, 'all of it');
    await until(() => content.closed === 1 && server.openRequests === 0, 'the end');
  });

  test(`on ${name} a content is closed when its client leaves`, async (t) => {
    const content = new Given(64 * MB);
    const server = await given(t, adapter, content);
    const client = await connectRaw(t, server.port);
    client.socket.pause();
    client.send(rawRequest('GET /content'));
    await until(() => content.bytes > 0, 'the first piece');

    client.socket.destroy();

    await until(() => content.closed === 1 && server.openRequests === 0, 'the end');
    assert.deepEqual(server.errors, []);
  });

  test(`on ${name} a content that cannot be read to its end is cut, and the reason reported`, async (t) => {
    const content = new Given(9 * MB, 200_000);
    const server = await given(t, adapter, content);

    await assert.rejects(fetch(`${server.url}/content`).then((reply) => reply.arrayBuffer()));

    assert.deepEqual(server.errors.map(String), ['Error: the disk is gone']);
    assert.deepEqual([content.closed, server.openRequests], [1, 0]);
  });

  test(`on ${name} a HEAD reads nothing of a content, and the connection goes on`, async (t) => {
    const content = new Given(9 * MB);
    const server = await given(t, adapter, content);
    const client = await connectRaw(t, server.port);

    client.send(rawRequest('HEAD /content'));
    const [head] = (await once(client.socket, 'data')) as [string];
    client.send(rawRequest('GET /quick', ['Connection: close']));
    await client.closed;

    assert.match(head, /^HTTP\/1.1 200 OK/);
    assert.deepEqual([content.bytes, content.closed], [0, 1]);
  });
}
