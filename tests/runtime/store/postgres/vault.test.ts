/** The vault of several processes that share a database. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openPostgres, postgres, withoutPostgres } from '../../../support/postgres.ts';

const SECRET = 'a secret of at least thirty-two characters';

const opened = async (t: TestContext) => {
  const server = await postgres();
  const url = await server.database();
  const stores = [await openPostgres(url, { secret: SECRET }), await openPostgres(url, { secret: SECRET })] as const;
  t.after(() => Promise.all(stores.map((store) => store.close())));
  const sql = (text: string) => server.sql(text, url);
  return { vaults: stores.map(({ vault }) => vault) as never as readonly [Vault, Vault], stores, sql };
};
type Vault = Awaited<ReturnType<typeof openPostgres>>['vault'];

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

it('each process sees what the other one has committed', async (t) => {
  const { vaults } = await opened(t);
  const [first, second] = vaults;

  await first.put('token', 'a', '1');
  await second.put('token', 'b', '2');
  const seen = [await second.get('token', 'a'), await first.entries('token', '')];
  await second.remove('token', 'a');
  await second.change('token', 'b', () => '3');
  await second.put('flow', 'later', '');

  assert.deepEqual(seen, [
    '1',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ]);
  assert.deepEqual(await first.entries('token', ''), [['b', '3']]);
});

it('of processes that claim a name at the same time, one gets it, until it is released', async (t) => {
  const { vaults } = await opened(t);
  for (let round = 0; round < 20; round += 1) {
    const got = await Promise.all(vaults.map((vault) => vault.claim('a')));
    assert.equal(got.filter(Boolean).length, 1);
    const [winner, loser] = got[0] ? vaults : vaults.toReversed();

    winner!.release('a');
    await winner!.get('flow', 'a'); // the release was sent before it

    assert.equal(await loser!.claim('a'), true);
    loser!.release('a');
    await loser!.get('flow', 'a');
  }
});

it('a claim outlives its process for a while, and then another process gets it for good', async (t) => {
  const { stores, vaults, sql } = await opened(t);
  const [first, second] = vaults;
  await first.claim('a');
  await stores[0].close();
  assert.equal(await second.claim('a'), false);
  const [{ left }] = (await sql('SELECT extract(epoch FROM until - now())::int AS left FROM fermata.claims')) as [
    { left: number },
  ];
  assert.ok(left > 5 && left <= 15, `${left} s`);

  await sql("UPDATE fermata.claims SET until = '-infinity'");

  assert.equal(await second.claim('a'), true);
  assert.equal((await sql('SELECT 1 FROM fermata.claims WHERE until > now()')).length, 1);
});

it('a process that wakes up late neither renews nor releases what another one has claimed', async (t) => {
  const { vaults, sql } = await opened(t);
  const [first, second] = vaults;
  await first.claim('a');
  await sql("UPDATE fermata.claims SET until = '-infinity'");
  await second.claim('a');

  first.release('a');
  await first.get('flow', 'a');

  assert.equal(await first.claim('a'), false);
});

it('counters of several processes are added, and none is lost', async (t) => {
  const { vaults } = await opened(t);
  const counts = { createdAt: 1, lastActivity: 2, totalRequests: 1, errorCount: 0, totalLatencyMs: 3 };

  for (let round = 0; round < 10; round += 1) {
    await Promise.all(vaults.flatMap((vault) => [vault.count('a', counts), vault.count('b', counts)]));
  }

  for (const name of ['a', 'b']) {
    const { totalRequests, totalLatencyMs } = JSON.parse((await vaults[0].get('builder', name))!);
    assert.deepEqual([totalRequests, totalLatencyMs], [20, 60]);
  }
});

it('all processes of a database need the same secret, or none, and others are refused by name', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const open = async (secret?: string) => {
    const store = await openPostgres(url, { secret });
    t.after(() => store.close());
    return store;
  };
  const refused = (message: RegExp) => (error: Error & { code?: string }) =>
    error.code === 'options_invalid' && message.test(error.message);

  const without = [await open(), await open()];
  await assert.rejects(open(SECRET), refused(/in use by servers without FERMATA_DATA_SECRET.* \d+\. All servers/));
  for (const store of without) await store.close();
  const first = await open(SECRET);
  await first.vault.put('token', 'a', 'token');
  const second = await open(SECRET);

  await assert.rejects(open(), refused(/encrypted with a FERMATA_DATA_SECRET, and this server has none/));
  await assert.rejects(open('another secret of thirty-two characters'), refused(/this server has another one/));
  for (const store of [first, second]) await store.close();
  await assert.rejects(open('another secret of thirty-two characters'), refused(/this server has another one/));

  assert.equal(await (await open(SECRET)).vault.get('token', 'a'), 'token');
  assert.equal((await server.sql('SELECT id FROM fermata.nodes', url)).length, 1, 'those that were refused have left');
});

it('a secret that is lost can be given up', async (t) => {
  const server = await postgres();
  const url = await server.database();
  const first = await openPostgres(url, { secret: SECRET });
  await first.vault.put('token', 'a', 'token');
  await first.close();

  await server.sql("DELETE FROM fermata.settings WHERE name = 'seal_check'", url);
  const next = await openPostgres(url, { secret: 'another secret of thirty-two characters' });
  t.after(() => next.close());

  assert.equal(await next.vault.get('token', 'a'), undefined);
});
