/** Tokens of users who do not come back: a row with a refresh token, or without an end, does not stay for ever. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createOAuth } from '../../../runtime/oauth/oauth.ts';
import { immediate } from '../../support/in-process.ts';
import { reopenableStore } from '../../support/reopenable-store.ts';
import { json, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const DAY = 24 * 3_600_000;
const refreshable = json({ access_token: 'access', expires_in: 3_600, refresh_token: 'refresh' });
const endless = json({ access_token: 'access' });

const world = async (t: TestContext, answer = refreshable, tokenRetentionMs = 30 * DAY) => {
  const endpoint = await tokenEndpoint(t, answer);
  const kept = await reopenableStore(t, 'a key of 32 random bytes, say');
  const clock = { ms: 1_000_000 };
  const bank = {
    clientId: 'lab-client',
    authorizationUrl: `${endpoint.origin}/authorize`,
    tokenUrl: `${endpoint.origin}/token`,
    redirectUri: 'http://127.0.0.1:8000/auth/redirect',
  };
  const start = () => {
    const { vault } = kept.store;
    const options = { providers: { bank }, now: () => clock.ms, timeoutMs: 300_000, vault, tokenRetentionMs };
    const oauth = createOAuth(options);
    t.after(() => oauth.stop());
    const consent = async (user: string) => {
      const { state } = oauth.begin({ provider: 'bank', user, executionId: 'execution' });
      await oauth.complete({ url: new URL(`http://host/?code=ok&state=${state}`), user });
    };
    return { consent, use: (user: string) => oauth.token(subject(user), 'bank') };
  };
  const rows = () => immediate(kept.store.vault.entries('token', '', '', 1_000));
  return { start, rows, clock, kept };
};

for (const [what, answer] of [
  ['with a refresh token', refreshable],
  ['without an end', endless],
] as const) {
  test(`a token ${what} is deleted once it was not used for the whole retention`, async (t) => {
    const { start, rows, clock } = await world(t, answer);
    const { consent, use } = start();
    for (let user = 0; user < 8; user += 1) await consent(`departed ${user}`);

    clock.ms += 30 * DAY;
    for (let user = 0; user < 4; user += 1) await consent(`present ${user}`);

    assert.equal(rows().length, 4);
    assert.equal(await use('departed 0'), undefined);
    assert.equal((await use('present 0'))?.value, 'access');
  });
}

test('each use begins the retention again, in this process and in the next one', async (t) => {
  const { start, rows, clock, kept } = await world(t, endless);
  let life = start();
  await life.consent('alice');
  await life.consent('departed');

  for (let week = 0; week < 8; week += 1) {
    clock.ms += 7 * DAY;
    assert.equal((await life.use('alice'))?.value, 'access', `week ${week}`);
    await kept.reopen();
    life = start();
  }
  for (let user = 0; user < 4; user += 1) await life.consent(`present ${user}`);

  assert.equal(rows().length, 5);
  assert.equal(await life.use('departed'), undefined);
});

test('a token in memory is not returned after its retention either, and a user who comes back consents again', async (t) => {
  const { start, clock } = await world(t);
  const { consent, use } = start();
  await consent('alice');

  clock.ms += 30 * DAY - 1;
  assert.equal((await use('alice'))?.value, 'access');
  clock.ms += 30 * DAY;
  assert.equal(await use('alice'), undefined);
  await consent('alice');

  assert.equal((await use('alice'))?.value, 'access');
});

test('a row of an older version, which does not say when it was used, begins its retention when it is found', async (t) => {
  const { start, rows, clock, kept } = await world(t);
  const { consent } = start();
  await consent('alice');
  const { vault } = kept.store;
  const [row] = rows();
  const { usedAt, ...older } = JSON.parse(row![1]!) as Record<string, unknown>;
  assert.equal(usedAt, clock.ms);
  vault.put('token', row![0], JSON.stringify(older));
  await kept.reopen();
  const next = start();

  clock.ms += 300 * DAY;
  for (let user = 0; user < 4; user += 1) await next.consent('present');
  assert.equal(rows().length, 2);
  clock.ms += 30 * DAY;
  for (let user = 0; user < 4; user += 1) await next.consent('present');

  assert.equal(rows().length, 1);
});

test('uses do not write more than one row a day', async (t) => {
  const { start, clock, kept } = await world(t, endless);
  const { consent, use } = start();
  await consent('alice');
  let writes = 0;
  const { vault } = kept.store;
  const change = vault.change.bind(vault);
  t.mock.method(vault, 'change', (...given: Parameters<typeof change>) => {
    writes += 1;
    return change(...given);
  });

  for (let hour = 0; hour < 48; hour += 1) {
    clock.ms += 3_600_000;
    await use('alice');
  }

  assert.equal(writes, 2);
});
