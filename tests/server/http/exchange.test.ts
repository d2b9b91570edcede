import assert from 'node:assert/strict';
import test from 'node:test';
import { Backlog } from '../../../server/http/backlog.ts';
import { Exchange } from '../../../server/http/exchange.ts';
import type { HttpRequest, HttpResponse } from '../../../server/http/uws-types.ts';

const given = {
  /** An exchange on a response that only writes down what is called. */
  exchange: (overrides: Partial<HttpResponse> = {}) => {
    const written: string[] = [];
    let abort = (): void => {};
    const write = (text: string): HttpResponse => {
      written.push(text);
      return res as HttpResponse;
    };
    const res: Partial<HttpResponse> = {
      writeStatus: write,
      writeHeader: (name, value) => write(`${name}: ${value}`),
      end: (body, close) => write(`end ${body} ${close}`),
      cork: (writeAll) => {
        writeAll();
        return res as HttpResponse;
      },
      onAborted: (listener) => {
        abort = listener;
        return res as HttpResponse;
      },
      getRemoteAddress: () => new Uint8Array([192, 0, 2, 7]).buffer,
      ...overrides,
    };
    const req = { forEach: () => {}, getQuery: () => undefined } as Partial<HttpRequest>;
    const counts = { open: 0 };
    const host = {
      draining: false,
      unsent: new Backlog(1_000),
      problem: () => ({ status: 500 }),
      report: () => {},
      opened: () => void (counts.open += 1),
      closed: () => void (counts.open -= 1),
    };
    const exchange = new Exchange(host, res as HttpResponse, req as HttpRequest, 'GET', '/a');
    return { exchange, written, counts, abort: () => abort() };
  },
  address: (...bytes: number[]) => ({ getRemoteAddress: () => new Uint8Array(bytes).buffer }),
};

test('the client is shown as IPv4 where it is, also when mapped into IPv6, and as short IPv6 where not', () => {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
  const v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

  assert.deepEqual(given.exchange().exchange.client, { host: '192.0.2.7', port: 0 });
  assert.equal(given.exchange(given.address(...mapped)).exchange.client.host, '10.0.0.1');
  assert.equal(given.exchange(given.address(...v6)).exchange.client.host, '2001:db8::1');
});

test('the port of the client is given where the binding knows it', () => {
  assert.equal(given.exchange({ getRemotePort: () => 4711 }).exchange.client.port, 4711);
});

test('a second reply is not written', () => {
  for (const deferred of [false, true]) {
    const { exchange, written } = given.exchange();
    if (deferred) exchange.defer();

    exchange.reply({ status: 201, headers: { 'x-a': '1' }, body: 'first' });
    exchange.reply({ status: 200, body: 'second' });
    exchange.fail(new Error('third'));

    assert.deepEqual(written, ['201 Created', 'x-a: 1', 'end first false']);
  }
});

test('once the client has gone nothing is written, and the response is not asked for its address', () => {
  const { exchange, written, counts, abort } = given.exchange();
  exchange.defer();
  assert.equal(counts.open, 1);

  abort();
  exchange.reply({ status: 200, body: 'late' });
  exchange.fail(new Error('late'));

  assert.deepEqual(written, []);
  assert.equal(exchange.client.host, '');
  assert.equal(counts.open, 0);
});

test('an abort after the reply changes nothing', () => {
  const { exchange, counts, abort } = given.exchange();
  exchange.defer();
  let told = false;
  exchange.onGone(() => {
    told = true;
  });
  exchange.reply({ status: 200 });

  abort();

  assert.equal(told, false);
  assert.equal(exchange.signal.aborted, false);
  assert.equal(counts.open, 0);
});
