/** The thread that extends the lease, and its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { beatInThread } from '../../../../runtime/store/postgres/beats.ts';
import { Lease } from '../../../../runtime/store/postgres/lease.ts';

it('the thread ends while it connects, and closes its connection', async (t) => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const connected = once(silent, 'connection') as Promise<[Socket]>;
  const lease = new Lease(60_000);
  const urls = [`postgres://ada@127.0.0.1:${port}/none`];
  const beats = beatInThread({ urls, node: 'any', lease, stallMs: 60_000, told: () => {} });
  await beats.begun;
  const [connection] = await connected;
  connection.resume();

  await Promise.all([beats.close(), once(connection, 'close')]);

  assert.ok(connection.closed);
});
