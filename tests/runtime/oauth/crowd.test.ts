/** More runs that need a consent than there are places for consents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { createOAuth } from '../../../runtime/oauth/oauth.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice, given, untilIdle } from '../../support/given.ts';

const bank = {
  clientId: 'lab-client',
  authorizationUrl: 'http://127.0.0.1:9/authorize',
  tokenUrl: 'http://127.0.0.1:9/token',
  redirectUri: 'http://127.0.0.1:8000/auth/redirect',
};
const grants = async () => Response.json({ access_token: 'token-1', token_type: 'Bearer' });
const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).value });

const callbackOf = (state: string) => new URL(`http://host/?code=ok&state=${state}`);

const oauthWith = (maxFlows: number) => {
  const clock = { ms: 1_000_000 };
  const oauth = createOAuth({ providers: { bank }, now: () => clock.ms, timeoutMs: 300_000, maxFlows });
  let count = 0;
  const begin = (user: string | undefined, address?: string) =>
    oauth.begin({ provider: 'bank', user, address, executionId: `execution-${count++}` });
  /** How many are taken of those that are asked for. */
  const crowd = (size: number, user: (place: number) => string | undefined, address: string) => {
    let taken = 0;
    for (let place = 0; place < size; place += 1) {
      try {
        begin(user(place), address);
        taken += 1;
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'queue_full');
      }
    }
    return taken;
  };
  return { clock, oauth, begin, crowd };
};

test('10,050 anonymous starts from one address leave half of the places to others, at the same address too', () => {
  const { begin, crowd } = oauthWith(10_000);

  const taken = crowd(10_050, () => undefined, '203.0.113.7');

  assert.equal(taken, 5_000);
  begin(undefined, '203.0.113.8');
  begin('alice', '203.0.113.7');
  begin('bob', '203.0.113.9');
  assert.throws(() => begin(undefined, '203.0.113.7'), { code: 'queue_full' });
});

test('a caller who invents a user for each start is held by the address, and by the network of an IPv6 address', () => {
  for (const address of ['203.0.113.7', '2001:db8::1']) {
    const { begin, crowd } = oauthWith(1_000);

    const taken = crowd(1_050, (place) => `invented-${place}`, address);

    assert.equal(taken, 750);
    assert.throws(() => begin('another', address.replace('::1', '::2')), { code: 'queue_full' });
    begin('alice', '198.51.100.1');
  }
});

test('each further greedy address takes less, and one more still finds a place', () => {
  const { begin, crowd } = oauthWith(1_000);

  const taken = Array.from({ length: 9 }, (_, place) => crowd(1_000, () => undefined, `203.0.113.${place}`));

  assert.deepEqual(taken, [500, 250, 125, 63, 31, 16, 8, 4, 2]);
  begin(undefined, '198.51.100.1');
});

test('the time to wait is that until the oldest consent is over, and half a minute at most', () => {
  const { begin, clock } = oauthWith(2);
  begin(undefined, '203.0.113.7');

  assert.throws(() => begin(undefined, '203.0.113.7'), { retryAfterMs: 30_000 });
  clock.ms += 290_000;
  assert.throws(() => begin(undefined, '203.0.113.7'), { retryAfterMs: 10_000 });
});

type Waiting = { context: { pauses: readonly { id: string; kind: string }[] } };
const kindOf = ({ context }: Waiting) => context.pauses[0]?.kind;
const stateOf = ({ context }: Waiting) => context.pauses.find(({ kind }) => kind === 'oauth')?.id ?? '';

test('a run that finds no place waits for one without a slot, and has its consent when there is one', async (t) => {
  const options = { maxConsents: 2, maxConcurrency: 1 };
  const { runtime, start, clock } = await given.runtime(t, {
    workflows: [agent],
    providers: { bank },
    options,
    fetch: grants,
  });
  const first = await start();
  const second = await start();
  const third = await start({ by: alice });

  assert.deepEqual([first, second, third].map(kindOf), ['oauth', 'sleep', 'oauth']);
  await runtime.completeOAuth(callbackOf(stateOf(first)), { userId: undefined });
  clock.advance(30_000);
  await untilIdle(runtime);
  assert.equal(kindOf(second), 'oauth');
  await runtime.completeOAuth(callbackOf(stateOf(second)), { userId: undefined });
  await runtime.completeOAuth(callbackOf(stateOf(third)), alice);
  await untilIdle(runtime);

  assert.deepEqual(
    [first, second, third].map(({ context }) => context.result),
    ['token-1', 'token-1', 'token-1'],
  );
});

test('a run waits for a place as long as for a consent, and then fails as one without', async (t) => {
  const { runtime, start, clock } = await given.runtime(t, {
    workflows: [agent],
    providers: { bank },
    options: { maxConsents: 1, oauthTimeoutMs: 90_000 },
  });
  const first = await start({ by: alice });
  const waiting = await start();
  const elapse = async (ms: number) => {
    clock.advance(ms);
    await untilIdle(runtime);
  };

  await elapse(30_000);
  await runtime.cancel(first.id, alice);
  const second = await start({ by: alice });
  await elapse(30_000);
  const kind = kindOf(waiting);
  await elapse(30_000);

  assert.equal(kindOf(second), 'oauth');
  assert.equal(kind, 'sleep');
  assert.match(waiting.context.error?.message ?? '', /^Authentication callback failed: 1 consents are pending/);
});

test('a run that waited for a place goes on after a crash, and through the same calls', async (t) => {
  const world = await DurableWorld.open(t, [agent], {
    providers: { bank },
    options: { maxConsents: 2 },
    fetch: grants,
  });
  const ids = [
    await world.start({ workflow: 'agent', by: anonymous }),
    await world.start({ workflow: 'agent', by: anonymous }),
  ];
  assert.equal(kindOf(world.get(ids[1]!)), 'sleep');

  await world.crashAndReopen(agent);
  await world.runtime.completeOAuth(callbackOf(stateOf(world.get(ids[0]!))), anonymous);
  await world.pass(30_000);
  const waited = stateOf(world.get(ids[1]!));
  await world.crashAndReopen(agent);
  await world.runtime.completeOAuth(callbackOf(waited), anonymous);
  await world.quiet();

  assert.deepEqual(
    ids.map((id) => [world.get(id).context.error, world.get(id).context.result]),
    [
      [null, 'token-1'],
      [null, 'token-1'],
    ],
  );
});

const anonymous = { userId: undefined };
