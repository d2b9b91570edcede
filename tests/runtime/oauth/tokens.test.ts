/** The tokens of users over time, with a token endpoint that is told what to answer. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Failure } from '../../../runtime/errors.ts';
import { AccessToken, createOAuth, type OAuthOptions } from '../../../runtime/oauth/oauth.ts';
import { heldAnswer, json, type TokenAnswer, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const short = json({ access_token: 'token-1', token_type: 'Bearer', expires_in: 1, refresh_token: 'refresh-1' });

/** Users `grant` their tokens, all of them short-lived; then the endpoint may answer otherwise. */
const world = async (t: TestContext, options: Partial<OAuthOptions> = {}) => {
  const endpoint = await tokenEndpoint(t, short);
  const clock = { ms: 1_000_000 };
  const waits: number[] = [];
  const oauth = createOAuth({
    providers: {
      bank: {
        clientId: 'lab-client',
        clientSecret: 'lab-secret',
        authorizationUrl: `${endpoint.origin}/authorize`,
        tokenUrl: `${endpoint.origin}/token`,
        revocationUrl: `${endpoint.origin}/revoke`,
        redirectUri: 'http://127.0.0.1:8000/auth/redirect',
      },
    },
    now: () => clock.ms,
    timeoutMs: 300_000,
    wait: async (ms) => void waits.push(ms),
    ...options,
  });
  t.after(() => oauth.stop());
  const begin = (user?: string, scopes?: string[]) =>
    oauth.begin({ provider: 'bank', user, scopes, executionId: 'execution-1' });
  const grant = async (user: string, scopes?: string[]) => {
    const { state } = begin(user, scopes);
    return oauth.complete({ url: new URL(`http://host/?code=ok&state=${state}`), user });
  };
  return { endpoint, clock, oauth, begin, grant, waits };
};

test('a token is refreshed 30 seconds before its end, as the client it was given to', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'token-1', expires_in: 3600, refresh_token: 'refresh-1' });
  await grant('user-1');
  endpoint.answer = json({ access_token: 'token-refreshed', token_type: 'Bearer', expires_in: 3600 });

  clock.ms += 3_569_999;
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

test('a token of a short life is used for half of it, and not refreshed with every call', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'token-1', expires_in: 20, refresh_token: 'refresh-1' });
  await grant('user-1');

  clock.ms += 9_999;
  await oauth.token(subject('user-1'), 'bank');
  const before = endpoint.requests.length;
  clock.ms += 1;
  await oauth.token(subject('user-1'), 'bank');

  assert.deepEqual([before, endpoint.requests.length], [1, 2]);
});

for (const [name, answer, refreshes] of [
  ['is down', json({}, 503), 3],
  ['refuses', json({ error: 'invalid_grant' }, 400), 1],
] as [string, TokenAnswer, number][]) {
  test(`a token that is still good is given if the provider ${name} when it is refreshed early`, async (t) => {
    const { endpoint, clock, oauth, grant } = await world(t);
    endpoint.answer = json({ access_token: 'token-1', expires_in: 3600, refresh_token: 'refresh-1' });
    await grant('user-1');
    endpoint.answer = answer;

    clock.ms += 3_580_000;
    const first = await oauth.token(subject('user-1'), 'bank');
    const second = await oauth.token(subject('user-1'), 'bank');

    assert.deepEqual([first?.value, second?.value], ['token-1', 'token-1']);
    assert.equal(endpoint.requests.length, 1 + refreshes, 'it is not tried with every call');
  });
}

test('a refresh is sent again after 5xx and resets, and not after a refusal', async (t) => {
  const { endpoint, clock, oauth, grant, waits } = await world(t);
  await grant('user-1');
  const answers = [json({}, 502), (response) => response.destroy(), json({ access_token: 'token-2' })] as TokenAnswer[];
  endpoint.answer = (...asked) => answers.shift()!(...asked);
  clock.ms += 1_000;

  const token = await oauth.token(subject('user-1'), 'bank');

  assert.equal(token?.value, 'token-2');
  assert.equal(endpoint.requests.length, 4);
  assert.deepEqual(waits, [250, 1_000]);
});

test('a provider that is too busy is not asked again at once', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t);
  await grant('user-1');
  endpoint.answer = json({}, 429);
  clock.ms += 1_000;

  await assert.rejects(oauth.token(subject('user-1'), 'bank'), { code: 'oauth_failed' });

  assert.equal(endpoint.requests.length, 2);
});

const scoped = (endpoint: { answer: TokenAnswer }, scope: string | undefined, value = 'token-1') => {
  endpoint.answer = json({ access_token: value, token_type: 'Bearer', ...(scope && { scope }) });
};

test('a token with more scopes satisfies a request, and one with fewer does not', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  scoped(endpoint, undefined);
  await grant('user-1', ['read', 'write', 'admin']);

  const values = [];
  for (const scopes of [['write'], ['admin', 'read'], [], ['read', 'delete']]) {
    values.push((await oauth.token(subject('user-1'), 'bank', scopes))?.value);
  }

  assert.deepEqual(values, ['token-1', 'token-1', 'token-1', undefined]);
});

test('a scope that was granted without being asked for counts, and so does one under another name', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  scoped(endpoint, 'read write https://bank.example/userinfo.email');
  await grant('user-1', ['email', 'read']);

  const [extra, asked] = [
    await oauth.token(subject('user-1'), 'bank', ['write']),
    await oauth.token(subject('user-1'), 'bank', ['email']),
  ];

  assert.deepEqual([extra?.value, asked?.value], ['token-1', 'token-1']);
});

test('of several tokens that would do, that with the fewest scopes is given', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  scoped(endpoint, undefined, 'wide');
  await grant('user-1', ['read', 'write', 'admin']);
  scoped(endpoint, undefined, 'narrow');
  await grant('user-1', ['read', 'write']);

  const token = await oauth.token(subject('user-1'), 'bank', ['read']);

  assert.equal(token?.value, 'narrow');
});

test('if the token that fits best is over, another one that fits is given', async (t) => {
  const { endpoint, oauth, grant, clock } = await world(t);
  scoped(endpoint, undefined, 'wide');
  await grant('user-1', ['read', 'write']);
  endpoint.answer = json({ access_token: 'narrow', expires_in: 1 });
  await grant('user-1', ['read']);
  clock.ms += 1_000;

  const token = await oauth.token(subject('user-1'), 'bank', ['read']);

  assert.equal(token?.value, 'wide');
});

test('two consents that share a refresh token are refreshed one after the other, each with the newest', async (t) => {
  const { endpoint, oauth, grant, clock } = await world(t);
  endpoint.answer = json({ access_token: 'token-1', expires_in: 1, refresh_token: 'refresh-1' });
  await grant('user-1', ['read']);
  await grant('user-1', ['write']);
  let n = 1;
  endpoint.answer = (response, asked) => {
    const isNewest = asked.form.refresh_token === `refresh-${n}`;
    n += 1;
    const body = { access_token: `token-${n}`, expires_in: 3600, refresh_token: `refresh-${n}` };
    json(isNewest ? body : { error: 'invalid_grant' }, isNewest ? 200 : 400)(response, asked);
  };
  clock.ms += 1_000;

  const tokens = await Promise.all(['read', 'write'].map((scope) => oauth.token(subject('user-1'), 'bank', [scope])));

  assert.deepEqual(tokens.map((token) => token?.value).sort(), ['token-2', 'token-3']);
});

test('a token that is being refreshed is not refreshed again because it had to make room meanwhile', async (t) => {
  const { endpoint, clock, oauth, grant } = await world(t, { maxTokens: 1 });
  await grant('user-1');
  const refresh = heldAnswer(json({ access_token: 'token-2' }));
  endpoint.answer = refresh.answer;
  clock.ms += 1_000;
  const first = oauth.token(subject('user-1'), 'bank');
  await refresh.asked;

  endpoint.answer = json({ access_token: 'other' });
  await grant('user-2');
  const second = oauth.token(subject('user-1'), 'bank');
  refresh.release();

  assert.deepEqual([(await first)?.value, (await second)?.value], ['token-2', 'token-2']);
});

test('a token that the API of the provider refuses is not given again: it is refreshed', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'dead', refresh_token: 'refresh-1' });
  await grant('user-1');
  endpoint.answer = json({ access_token: 'token-2' });
  const dead = (await oauth.token(subject('user-1'), 'bank'))!;

  oauth.reject(subject('user-1'), 'bank', dead);
  const tokens = await Promise.all([1, 2].map(() => oauth.token(subject('user-1'), 'bank')));
  oauth.reject(subject('user-1'), 'bank', dead);
  const later = await oauth.token(subject('user-1'), 'bank');

  assert.deepEqual(
    [...tokens, later].map((token) => token?.value),
    ['token-2', 'token-2', 'token-2'],
  );
  assert.equal(endpoint.requests.length, 2);
});

test('a refused token without a refresh token asks for consent, and one while the provider is down is not given', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'for-ever' });
  await grant('user-1');
  endpoint.answer = json({ access_token: 'with-refresh', refresh_token: 'refresh-1' });
  await grant('user-2');
  endpoint.answer = json({}, 503);

  for (const user of ['user-1', 'user-2']) {
    oauth.reject(subject(user), 'bank', (await oauth.token(subject(user), 'bank'))!);
  }

  assert.equal(await oauth.token(subject('user-1'), 'bank'), undefined);
  await assert.rejects(oauth.token(subject('user-2'), 'bank'), { code: 'oauth_failed' });
});

test('a disconnected user has no token of the provider, which is told', async (t) => {
  const { endpoint, oauth, grant } = await world(t);
  endpoint.answer = json({ access_token: 'token-1', refresh_token: 'refresh-1' });
  await grant('user-1', ['read']);
  await grant('user-1', ['write']);
  await grant('user-2', ['read']);
  endpoint.requests.length = 0;
  endpoint.answer = (response) => void response.writeHead(200).end();

  const isTold = await oauth.disconnect(subject('user-1'), 'bank');

  assert.equal(isTold, true);
  assert.deepEqual(
    endpoint.requests.map(({ url, form }) => [url, form.token]),
    [[`${endpoint.origin}/revoke`, 'refresh-1']],
    'two consents with one refresh token are one',
  );
  assert.equal(await oauth.token(subject('user-1'), 'bank', ['read']), undefined);
  assert.equal(await oauth.token(subject('user-1'), 'bank', ['write']), undefined);
  assert.ok(await oauth.token(subject('user-2'), 'bank', ['read']));
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
] as [string, TokenAnswer][]) {
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
  const refresh = heldAnswer(json({ access_token: 'token-2' }));
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
  const refresh = heldAnswer(json({ access_token: 'refreshed' }));
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

test('unclaimed tokens do not accumulate', async (t) => {
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
