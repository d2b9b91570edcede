/** What waits for the clients of sockets is bounded for all of them together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdapterSocket, SocketReader } from '../../../server/http/adapter.ts';
import { Backlog } from '../../../server/http/backlog.ts';
import { OpenSockets } from '../../../server/http/sockets.ts';

const LIMIT = 1_000;

/** A socket of a client that takes nothing until it is told to. */
class StalledSocket implements AdapterSocket {
  unsent = 0;
  isCut = false;
  reader!: SocketReader;

  send(messages: readonly string[]): void {
    this.unsent += messages.join('').length;
  }

  /** The client has read so many bytes. */
  take(bytes: number): void {
    this.unsent -= bytes;
    this.reader.drained();
  }

  ping(): void {}

  end(): void {}

  cut(): void {
    this.isCut = true;
    this.reader.closed();
  }
}

const givenSockets = (count: number) => {
  const unsent = new Backlog(LIMIT);
  const host = {
    draining: false,
    opened: () => {},
    closed: () => {},
    report: assert.fail,
    unsent,
    unread: new Backlog(LIMIT),
  };
  const given: AdapterSocket[] = [];
  const reader = { message: () => {}, drained: () => {}, closed: () => {} };
  const kind = { path: '/', maxMessageBytes: 1, maxUnsentBytes: 1, idleTimeoutMs: 1 };
  const open = (socket: AdapterSocket): SocketReader => {
    given.push(socket);
    return reader;
  };
  const held = new OpenSockets(() => () => {}).hold({ ...kind, accept: () => ({ open }) }, host);
  const sockets = Array.from({ length: count }, () => {
    const accepted = held.accept({
      headers: { 'sec-websocket-version': '13' },
      query: '',
      client: { host: '', port: 0 },
    });
    assert.ok('open' in accepted);
    const socket = new StalledSocket();
    socket.reader = accepted.open(socket);
    return socket;
  });
  const say = (index: number, bytes: number): void => given[index]!.send(['x'.repeat(bytes)]);
  return { unsent, sockets, say };
};

test('of the sockets for which too much waits, the one that has not got on for longest is cut', () => {
  const { unsent, sockets, say } = givenSockets(3);
  say(0, 400);
  say(1, 400);
  sockets[0]!.take(100);

  say(2, 400);

  assert.deepEqual(
    sockets.map(({ isCut }) => isCut),
    [false, true, false],
  );
  assert.equal(unsent.bytes, 700);
});

test('a client that makes the server say more, and reads none of it, does not get on by that', () => {
  const { sockets, say } = givenSockets(2);
  say(0, 400);
  say(1, 400);

  say(0, 400);

  assert.deepEqual(
    sockets.map(({ isCut }) => isCut),
    [true, false],
  );
});

test('nothing is counted for a client that has read everything, or has gone', () => {
  const { unsent, sockets, say } = givenSockets(2);
  say(0, 300);
  say(1, 300);

  sockets[0]!.take(300);
  sockets[1]!.cut();
  say(1, 300);

  assert.equal(unsent.bytes, 0);
});
