import assert from 'node:assert/strict';
import test from 'node:test';
import type { AdapterRequest, ReplyListener } from '../../../server/http/adapter.ts';
import { Backlog } from '../../../server/http/backlog.ts';
import { Exchange } from '../../../server/http/exchange.ts';
import { turns } from '../../support/given.ts';

const given = {
  /** An exchange on a request that only writes down what is called. */
  exchange: () => {
    const written: string[] = [];
    let listener: ReplyListener | undefined;
    const request: AdapterRequest = {
      method: 'GET',
      path: '/a',
      query: '',
      headers: {},
      fault: undefined,
      client: { host: '192.0.2.7', port: 1 },
      attach: (attached) => {
        listener = attached;
      },
      read: () => {},
      waitLonger: () => {},
      send: ({ status, body }, _, close) => {
        written.push(`${status} ${body} ${close}`);
        listener?.progressed(0);
      },
      begin: (_reply, _lines, write) => write(),
      write: (piece) => {
        written.push(`${piece.length}`);
        return false;
      },
      end: () => {},
      cut: () => listener?.gone(),
    };
    const counts = { open: 0 };
    const host = {
      draining: false,
      unsent: new Backlog(1_000),
      problem: () => ({ status: 500 }),
      report: () => {},
      opened: () => void (counts.open += 1),
      closed: () => void (counts.open -= 1),
    };
    const exchange = new Exchange(host, request, '/a');
    const drain = () => listener?.drained();
    return { exchange, written, counts, host, drain, abort: () => listener?.gone() };
  },
};

test('a second reply is not written', () => {
  for (const deferred of [false, true]) {
    const { exchange, written } = given.exchange();
    if (deferred) exchange.defer();

    exchange.reply({ status: 201, headers: { 'x-a': '1' }, body: 'first' });
    exchange.reply({ status: 200, body: 'second' });
    exchange.fail(new Error('third'));

    assert.deepEqual(written, ['201 first false']);
  }
});

test('once the client has gone nothing is written, and it has no address any more', () => {
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

/** A content of 100 MB, or fewer. */
const content = (length = 100_000_000) => {
  const state = { isClosed: false, length, read: async (most: number) => Buffer.alloc(most), close: () => {} };
  state.close = () => {
    state.isClosed = true;
  };
  return state;
};

test('for a client whose socket is full, one piece of a content is in memory', async () => {
  const { exchange, written, host, drain } = given.exchange();

  exchange.reply({ status: 200, content: content() });
  await turns();
  assert.deepEqual([written, host.unsent.bytes], [['65536'], 65_536]);
  drain();
  await turns();

  assert.deepEqual([written, host.unsent.bytes], [['65536', '65536'], 65_536]);
});

test('a content is closed if its client has gone, before the reply or within it, and after its last byte', async () => {
  const [late, within, whole] = [content(), content(), content(10)];
  const first = given.exchange();
  first.abort();
  first.exchange.reply({ status: 200, content: late });
  const second = given.exchange();
  second.exchange.reply({ status: 200, content: within });
  await turns();
  second.abort();
  given.exchange().exchange.reply({ status: 200, content: whole });
  await turns();

  assert.deepEqual([late.isClosed, within.isClosed, whole.isClosed], [true, true, true]);
  assert.equal(second.host.unsent.bytes, 0);
});

test('unsent text counts by its bytes in memory, in any script', () => {
  for (const [unit, bytes] of [
    ['x', 1],
    ['я', 2],
  ] as const) {
    const { exchange, host } = given.exchange();

    exchange.reply({ status: 200, stream: (sink) => void sink.write(unit.repeat(1_000_000)) });

    assert.ok(host.unsent.bytes >= bytes * 900_000, `${host.unsent.bytes} bytes for a million of ${unit}`);
  }
});
