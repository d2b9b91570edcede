import assert from 'node:assert/strict';
import test from 'node:test';
import { bind } from '../../../server/http/bind.ts';
import { createServer } from '../../../server/index.ts';
import { asking } from '../../support/controlled-server.ts';
import { rawRequest, sendRaw } from '../../support/http.ts';
import { freePort } from '../../support/loopback.ts';

const given = {
  /** Takes every address but those that are refused, for a reason; port 0 becomes 4711. */
  addresses: (refused: Readonly<Record<string, string>> = {}) => {
    const open: string[] = [];
    const take = async (address: string, port: number) => {
      const code = refused[address];
      if (code !== undefined) throw Object.assign(new Error('refused'), { code });
      const taken = { address, port: port === 0 ? 4711 : port };
      const shown = `${address} ${taken.port}`;
      open.push(shown);
      return { port: taken.port, release: () => void open.splice(open.indexOf(shown), 1) };
    };
    const listenOn = (host: string, port: number, addresses: string[]) => bind(host, port, take, async () => addresses);
    return { open, listenOn };
  },
};

test('localhost is listened on at all of its addresses, on one port', async () => {
  const { open, listenOn } = given.addresses();

  const { port, unbind } = await listenOn('localhost', 0, ['127.0.0.1', '::1']);

  assert.equal(port, 4711);
  assert.deepEqual(open, ['127.0.0.1 4711', '::1 4711']);
  unbind();
  assert.deepEqual(open, []);
});

test('any other name is listened on at its first address only', async () => {
  const { open, listenOn } = given.addresses();

  await listenOn('app.example', 80, ['192.0.2.1', '192.0.2.2']);

  assert.deepEqual(open, ['192.0.2.1 80']);
});

test('an address that this machine does not have is left out of localhost, wherever it stands', async () => {
  for (const addresses of [
    ['127.0.0.1', '192.0.2.1'],
    ['192.0.2.1', '127.0.0.1'],
  ]) {
    const { open, listenOn } = given.addresses({ '192.0.2.1': 'EADDRNOTAVAIL' });

    assert.equal((await listenOn('localhost', 4712, addresses)).port, 4712);
    assert.deepEqual(open, ['127.0.0.1 4712']);
  }
});

test('an address in use makes all of localhost fail, and nothing stays open', async () => {
  for (const addresses of [
    ['127.0.0.1', '127.0.0.2'],
    ['192.0.2.1', '127.0.0.2', '127.0.0.1'],
  ]) {
    const { open, listenOn } = given.addresses({ '127.0.0.2': 'EADDRINUSE', '192.0.2.1': 'EADDRNOTAVAIL' });

    await assert.rejects(listenOn('localhost', 0, addresses), {
      message: 'cannot listen on localhost, port 0: EADDRINUSE',
    });
    assert.deepEqual(open, []);
  }
});

test('a server that is started anew gets its port at once, although connections of the one before linger', async (t) => {
  const port = await freePort();
  const start = () => createServer({ workflow: asking, config: { host: '127.0.0.1', port } });
  const first = await start();
  await sendRaw(t, port, rawRequest('GET /health')); // and the connection is kept

  await first.close();
  const second = await start();
  t.after(() => second.close());

  assert.equal((await sendRaw(t, port, rawRequest('GET /health'))).status, 200);
  await assert.rejects(start(), /EADDRINUSE/, 'and has it for itself');
});
