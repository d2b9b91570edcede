/** The tokens of users over time, with a token endpoint that is told what to answer. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Failure } from '../../runtime/errors.ts';
import { AccessToken, createOAuth, type OAuthOptions } from '../../runtime/oauth/oauth.ts';
import { subject } from '../support/subject.ts';
import { type Answer, held, json, tokenEndpoint } from '../support/token-endpoint.ts';

const short = json({ access_token: 'token-1', token_type: 'Bearer', expires_in: 1, refresh_token: 'refresh-1' });

/** Users `grant` their tokens, all of them short-lived; then the endpoint may answer otherwise. */
const world = async (t: TestContext, options: Partial<OAuthOptions> = {}) => {
  const endpoint = await tokenEndpoint(t, short);
  const clock = { ms: 1_000_000 };
  const oauth = createOAuth({
    providers: {
      bank: {
        clientId: 'lab-client',
        clientSecret: 'lab-secret',
        authorizationUrl: `${endpoint.origin}/authorize`,
        tokenUrl: `${endpoint.origin}/token`,
        redirectUri: 'http://127.0.0.1:8000/auth/redirect',
      },
    },
    now: () => clock.ms,
    timeoutMs: 300_000,
    ...options,
  });
  t.after(() => oauth.stop());
  const begin = (user?: string) => oauth.begin({ provider: 'bank', user, executionId: 'execution-1' });
  const grant = async (user: string) => {
    const { state } = begin(user);
    return oauth.complete({ url: new URL(`http://host/?code=ok&state=${state}`), user });
  };
  return { endpoint, clock, oauth, begin, grant };
};

test('a token is used to its very end, and then refreshed as the client it was given to', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  endpoint.answer = json({ access_token: 'token-refreshed', token_type: 'Bearer', expires_in: 3600 });

  clock.ms += 999;
  const before = await oauth.token(subject('user-1'), 'bank');
  clock.ms += 1;
  const after = await oauth.token(subject('user-1'), 'bank');

  assert.equal(before?.value, 'token-1');
  assert.equal(after?.value, 'token-refreshed');
  assert.equal(endpoint.requests[1]?.authorization, 'Basic bGFiLWNsaWVudDpsYWItc2VjcmV0');
  assert.deepEqual(endpoint.requests[1]?.form, {
    grant_type: 'refresh_token',
    refresh_token: 'refresh-1',
    client_id: 'lab-client',
  });
});

test('a refresh token that the provider does not replace stays good', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  endpoint.answer = json({ access_token: 'token-2', token_type: 'Bearer', expires_in: 1 });

  clock.ms += 1_000;
  await oauth.token(subject('user-1'), 'bank');
  clock.ms += 1_000;
  await oauth.token(subject('user-1'), 'bank');

  assert.deepEqual(
    endpoint.requests.map(({ form }) => form.refresh_token),
    [undefined, 'refresh-1', 'refresh-1'],
  );
});

test('a token without an end is kept, and one without a refresh token ends with its time', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'for-ever' });
  await grant('user-1');
  endpoint.answer = json({ access_token: 'for-a-second', expires_in: 1 });
  await grant('user-2');

  clock.ms += 1_000_000_000;
  const [forEver, over] = await Promise.all([
    oauth.token(subject('user-1'), 'bank'),
    oauth.token(subject('user-2'), 'bank'),
  ]);

  assert.equal(forEver?.value, 'for-ever');
  assert.equal(over, undefined);
  assert.equal(endpoint.requests.length, 2);
});

test('a user whose refresh token is refused is asked again', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  endpoint.answer = json({ error: 'invalid_grant' }, 400);
  clock.ms += 1_000;

  const tokens = await Promise.all([oauth.token(subject('user-1'), 'bank'), oauth.token(subject('user-1'), 'bank')]);
  const later = await oauth.token(subject('user-1'), 'bank');

  assert.deepEqual([...tokens, later], [undefined, undefined, undefined]);
  assert.equal(endpoint.requests.length, 2);
});

for (const [name, answer] of [
  ['is down', json({}, 503)],
  ['does not know us for the moment', json({ error: 'invalid_client', error_description: 'not lab-secret' }, 401)],
  ['talks HTML', (response) => void response.end('<h1>Maintenance</h1>')],
] as [string, Answer][]) {
  test(`a refresh fails, and may be tried again, while the provider ${name}`, async (t) => {
    const { endpoint, clock, oauth, grant } = await world(t);
    await grant('user-1');
    endpoint.answer = answer;
    clock.ms += 1_000;

    await assert.rejects(oauth.token(subject('user-1'), 'bank'), (thrown: unknown) => {
      assert.ok(thrown instanceof Failure && thrown.code === 'oauth_failed');
      assert.match(thrown.message, /try again/);
      assert.doesNotMatch(thrown.message, /lab-secret|refresh-1|token-1|127\.0\.0\.1/);
      return true;
    });
    endpoint.answer = json({ access_token: 'token-2', expires_in: 1 });

    assert.equal((await oauth.token(subject('user-1'), 'bank'))?.value, 'token-2');
  });
}

test('a revoked user has no token, also not the one that was being refreshed', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  await grant('user-2');
  const refresh = held(json({ access_token: 'token-2' }));
  endpoint.answer = refresh.answer;
  clock.ms += 1_000;
  const refreshed = oauth.token(subject('user-1'), 'bank');
  await refresh.asked;

  oauth.revoke('user-1');
  refresh.release();

  assert.equal(await refreshed, undefined);
  assert.equal(await oauth.token(subject('user-1'), 'bank'), undefined);
  assert.equal((await oauth.token(subject('user-2'), 'bank'))?.value, 'token-2');
});

test('a consent that overtakes a refresh wins', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  const refresh = held(json({ access_token: 'refreshed' }));
  endpoint.answer = refresh.answer;
  clock.ms += 1_000;
  const refreshed = oauth.token(subject('user-1'), 'bank');
  await refresh.asked;

  endpoint.answer = json({ access_token: 'consented' });
  await grant('user-1');
  refresh.release();

  assert.equal((await refreshed)?.value, 'consented');
  assert.equal((await oauth.token(subject('user-1'), 'bank'))?.value, 'consented');
});

test('the token that was not used for the longest time makes room for a new one', async (t) => {
  const { endpoint, oauth, grant } = await world(t, { maxTokens: 2 });
  endpoint.answer = json({ access_token: 'token-1' });
  await grant('user-1');
  await grant('user-2');
  await oauth.token(subject('user-1'), 'bank');

  await grant('user-3');

  const left = ['user-1', 'user-2', 'user-3'].map(
    async (user) => (await oauth.token(subject(user), 'bank')) !== undefined,
  );
  assert.deepEqual(await Promise.all(left), [true, false, true]);
});

test('consents beyond a limit are refused, of one user or of all, until others are over', async (t) => {
  const { clock, oauth, begin } = await world(t, { maxFlows: 3, maxFlowsPerUser: 2 });
  const first = begin('user-1');
  begin('user-1');

  assert.throws(() => begin('user-1'), { code: 'queue_full' });
  begin(undefined);
  assert.throws(() => begin('user-2'), { code: 'queue_full' });
  oauth.abandon(first.state);
  begin('user-2');
  assert.throws(() => begin('user-1'), { code: 'queue_full' });
  clock.ms += 300_000;
  begin('user-1');

  assert.equal(oauth.pending, 1);
});

test('tokens that nobody claims do not pile up', async (t) => {
  const { oauth, begin } = await world(t, { maxFlows: 2 });
  const states = [];
  for (let n = 0; n < 3; n += 1) {
    const { state } = begin(undefined);
    states.push(state);
    await oauth.complete({ url: new URL(`http://host/?code=ok&state=${state}`), user: undefined });
  }

  const claimed = states.map((state) => oauth.claim(state) !== undefined);

  assert.deepEqual(claimed, [false, true, true]);
});

test('a token that is logged, stored or printed by accident does not show its secret', () => {
  const token = new AccessToken('very-secret', ['read'], 1_000);

  const shown = [JSON.stringify({ token }), inspect({ token }), String(token), JSON.stringify({ ...token })];

  assert.ok(shown.every((text) => !text.includes('very-secret')));
  assert.equal(shown[0], '{"token":{"scopes":["read"],"expiresAt":1000}}');
});
