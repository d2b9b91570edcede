import assert from 'node:assert/strict';
import test from 'node:test';
import { clientOf } from '../../../../server/http/uws/request-parts.ts';

const at = (...bytes: number[]) => ({ getRemoteAddress: () => new Uint8Array(bytes).buffer });

test('the client is shown as IPv4 where it is, also when mapped into IPv6, and as short IPv6 where not', () => {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
  const v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

  assert.deepEqual(clientOf(at(192, 0, 2, 7)), { host: '192.0.2.7', port: 0 });
  assert.equal(clientOf(at(...mapped)).host, '10.0.0.1');
  assert.equal(clientOf(at(...v6)).host, '2001:db8::1');
});

test('the port of the client is given where the binding knows it', () => {
  assert.equal(clientOf({ ...at(192, 0, 2, 7), getRemotePort: () => 4711 }).port, 4711);
});
