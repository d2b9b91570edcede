/** What all sockets together may hold of unfinished messages, where the library does not say what each of them holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import { type Tier, Tiers } from '../../../../server/http/uws/tiers.ts';

import { isParsedByNode } from '../../../support/adapter.ts';
import { until } from '../../../support/http.ts';
import { contentOf, givenSocketServer, isComplete, isError, userMessage } from '../../../support/socket-server.ts';

const MB = 1024 * 1024;

/** Opens a socket of this client; undefined if it is refused. */
const open = (tiers: readonly Tier[], address: string) => {
  const tier = tiers.find((each) => each.hasRoomFor(address));
  const socket = { address, cut: assert.fail };
  tier?.take(socket);
  return tier && { bytes: tier.maxMessageBytes, close: () => tier.give(socket) };
};

test('sockets beyond the first ones take shorter messages, further ones are refused, and a closed one makes room', () => {
  const tiers = new Tiers(34 * MB).of({ path: '/socket', maxMessageBytes: 17 * MB });
  const opened = Array.from({ length: 1_000 }, (_, index) => open(tiers, `192.0.2.${index % 250}`));

  const bytes = opened.flatMap((socket) => socket?.bytes ?? []);
  assert.deepEqual(bytes.slice(0, 19), [...Array(2).fill(17 * MB), ...Array(17).fill(2 * MB)]);
  assert.equal(bytes.length, 2 + 17 + 34 * 16);
  assert.equal(opened.at(-1), undefined);

  opened[0]!.close();
  assert.equal(open(tiers, '192.0.2.200')!.bytes, 17 * MB);
});

test('one client may reserve half of each tier, and another one then still gets the longest messages', () => {
  const tiers = new Tiers(68 * MB).of({ path: '/socket', maxMessageBytes: 17 * MB });

  const greedy = Array.from({ length: 1_000 }, () => open(tiers, '192.0.2.66')?.bytes);

  assert.deepEqual(greedy.slice(0, 4), [17 * MB, 17 * MB, 2 * MB, 2 * MB]);
  assert.equal(greedy.filter(Boolean).length, 2 + 17 + 34 * 16);
  assert.equal(open(tiers, '192.0.2.1')!.bytes, 17 * MB);
});

test('the sockets of all paths count together, each by the length of its messages', () => {
  const tiers = new Tiers(4 * MB);
  const [chat, watch] = [
    tiers.of({ path: '/api/chat', maxMessageBytes: 4 * MB }),
    tiers.of({ path: '/api/watch', maxMessageBytes: 1_000 }),
  ];

  assert.deepEqual(
    [...chat, ...watch].map(({ pattern, isLast }) => [pattern, isLast]),
    [
      ['/api/chat', false],
      ['/api/:tier1', false],
      ['/api/:tier2', true],
      ['/api/watch', true],
    ],
  );
  assert.equal(open(chat, '192.0.2.1')!.bytes, 2 * MB);
  assert.equal(open(watch, '192.0.2.1')!.bytes, 1_000);
});

const onUws = { skip: isParsedByNode() && 'the other adapters count what is unfinished' };

const echo = workflow({ name: 'echo', run: async (input: string) => input.length });

test('while a client has many sockets, the next ones take messages up to a megabyte, and say so', onUws, async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: echo });
  const first = await Promise.all(Array.from({ length: 30 }, () => connect()));
  const next = await connect();
  const long = userMessage('x'.repeat(1.5 * MB));

  next.send(long);
  const [error] = (await next.until(isError)).slice(-1);
  assert.match(String(contentOf(error!).details), /1048576 bytes at most/);
  first[0]!.send(long);
  await first[0]!.until(isComplete, 20_000);

  for (const client of first) client.drop();
  await until(() => first.every(({ code }) => code !== undefined), 'the end of the first');
  await assert.doesNotReject(async () => {
    const again = await connect();
    again.send(long);
    await again.until(isComplete, 20_000);
  });
});
