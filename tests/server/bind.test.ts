import assert from 'node:assert/strict';
import test from 'node:test';
import { bind } from '../../server/bind.ts';
import type { App, ListenSocket, Uws } from '../../server/uws-types.ts';

const given = {
  /** Takes every address but those that are refused; port 0 becomes 4711. */
  uws: (refused: readonly string[] = []) => {
    const open: string[] = [];
    const app: Pick<App, 'listen'> = {
      listen: (address, port, _options, listening) => {
        const taken = `${address} ${port === 0 ? 4711 : port}`;
        if (!refused.includes(address)) open.push(taken);
        listening(refused.includes(address) ? false : (taken as unknown as ListenSocket));
        return app as App;
      },
    };
    const uws: Uws = {
      App: () => app as App,
      us_listen_socket_close: (socket) => void open.splice(open.indexOf(String(socket)), 1),
      us_socket_local_port: (socket) => Number(String(socket).split(' ')[1]),
      LIBUS_LISTEN_EXCLUSIVE_PORT: 1,
    };
    const listenOn = (host: string, port: number, addresses: string[]) =>
      bind(uws, app as App, host, port, async () => addresses);
    return { open, listenOn };
  },
};

test('localhost is listened on at all of its addresses, on one port', async () => {
  const { open, listenOn } = given.uws();

  const { port, unbind } = await listenOn('localhost', 0, ['127.0.0.1', '::1']);

  assert.equal(port, 4711);
  assert.deepEqual(open, ['127.0.0.1 4711', '::1 4711']);
  unbind();
  assert.deepEqual(open, []);
});

test('any other name is listened on at its first address only', async () => {
  const { open, listenOn } = given.uws();

  await listenOn('app.example', 80, ['192.0.2.1', '192.0.2.2']);

  assert.deepEqual(open, ['192.0.2.1 80']);
});

test('an address that this machine does not have is left out of localhost, wherever it stands', async () => {
  for (const addresses of [
    ['127.0.0.1', '192.0.2.1'],
    ['192.0.2.1', '127.0.0.1'],
  ]) {
    const { open, listenOn } = given.uws(['192.0.2.1']);

    assert.equal((await listenOn('localhost', 4712, addresses)).port, 4712);
    assert.deepEqual(open, ['127.0.0.1 4712']);
  }
});

test('an address that somebody else has makes all of localhost fail, and nothing is kept', async () => {
  for (const addresses of [
    ['127.0.0.1', '127.0.0.2'],
    ['192.0.2.1', '127.0.0.2', '127.0.0.1'],
  ]) {
    const { open, listenOn } = given.uws(['127.0.0.2', '192.0.2.1']);

    await assert.rejects(listenOn('localhost', 0, addresses), {
      message: 'cannot listen on localhost, port 0: reason unknown',
    });
    assert.deepEqual(open, []);
  }
});
