/** Bytes in memory for clients: a limit for all together, and one for each client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog, type Holder } from '../../../server/http/backlog.ts';

const LIMIT = 1_000;

class Connection implements Holder {
  readonly address: string;
  isCut = false;

  constructor(address: string) {
    this.address = address;
  }

  cut(): void {
    this.isCut = true;
  }
}

const cutOf = (connections: readonly Connection[]): boolean[] => connections.map(({ isCut }) => isCut);

test('one client has half of the limit, however many connections it uses, and no other client loses anything', () => {
  const backlog = new Backlog(LIMIT);
  const honest = new Connection('192.0.2.1');
  backlog.hold(honest, 400);
  const greedy = Array.from({ length: 10 }, () => new Connection('192.0.2.66'));

  for (const connection of greedy) backlog.hold(connection, 240);

  assert.equal(honest.isCut, false);
  assert.deepEqual(cutOf(greedy), [...Array(8).fill(true), false, false]);
  assert.equal(backlog.bytes, 880);
});

test('a client cannot have more by addresses of one network', () => {
  const backlog = new Backlog(LIMIT);
  const greedy = ['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((address) => new Connection(address));

  for (const connection of greedy) backlog.grow(connection, 240);

  assert.deepEqual(cutOf(greedy), [true, false, false]);
});

test('a connection alone may exceed the limit of its client, because its reply is in memory already', () => {
  const backlog = new Backlog(LIMIT);
  const large = new Connection('192.0.2.1');

  backlog.hold(large, 5_000);
  backlog.grow(large, 6_000);
  assert.equal(large.isCut, false);

  const next = new Connection('192.0.2.1');
  backlog.hold(next, 10);
  assert.deepEqual(cutOf([large, next]), [true, false]);
  assert.equal(backlog.bytes, 10);
});

test('of all clients, the connection without progress for longest is cut, and never the last one', () => {
  const backlog = new Backlog(LIMIT);
  const all = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => new Connection(address));

  for (const connection of all) backlog.grow(connection, 450);
  assert.deepEqual(cutOf(all), [true, false, false]);
  backlog.grow(all[2]!, 5_000);

  assert.deepEqual(cutOf(all), [true, true, false]);
  assert.equal(backlog.bytes, 5_000);
});

test('connections without an address are many clients', () => {
  const backlog = new Backlog(LIMIT);
  const all = ['', '', ''].map((address) => new Connection(address));

  for (const connection of all) backlog.hold(connection, 300);

  assert.deepEqual(cutOf(all), [false, false, false]);
});

test('what has been released counts for no client', () => {
  const backlog = new Backlog(LIMIT);
  const all = Array.from({ length: 3 }, () => new Connection('192.0.2.1'));

  for (const connection of all) {
    backlog.hold(connection, 400);
    backlog.release(connection);
    backlog.release(connection);
  }

  assert.deepEqual(cutOf(all), [false, false, false]);
  assert.equal(backlog.bytes, 0);
});
