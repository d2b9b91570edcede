/** The whole course of a consent, with a real provider. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createOAuth, type OAuthOptions, type OAuthProviderConfig } from '../../../runtime/oauth/oauth.ts';
import { identityProvider, type Registration } from '../../support/identity-provider.ts';
import { subject } from '../../support/token-subject.ts';

type World = Registration & { config?: Partial<OAuthProviderConfig>; options?: Partial<OAuthOptions> };

/** A provider `bank`, an OAuth that knows it, a clock that is set by hand, and what the token endpoint was asked. */
const world = async (t: TestContext, { config, options, ...registration }: World = {}) => {
  const bank = await identityProvider(t, registration);
  const clock = { ms: 1_000_000 };
  const asked: URLSearchParams[] = [];
  const oauth = createOAuth({
    providers: { bank: { ...bank.config, ...config } },
    now: () => clock.ms,
    timeoutMs: 300_000,
    fetch: (url, init) => {
      asked.push(new URLSearchParams(String(init.body)));
      return fetch(url, init);
    },
    ...options,
  });
  t.after(() => oauth.stop());
  const begin = (user: string | undefined = 'user-1', scopes?: string[]) =>
    oauth.begin({ provider: 'bank', user, executionId: 'execution-1', ...(scopes && { scopes }) });
  return { bank, clock, asked, oauth, begin };
};

test('a user who is sent to the provider gets an address with everything it needs', async (t) => {
  const { begin, bank, oauth } = await world(t, { config: { authorizationParams: { prompt: 'login' } } });

  const { state, authUrl, expiresInMs } = begin();

  const { origin, pathname, searchParams } = new URL(authUrl);
  const { code_challenge: challenge, ...rest } = Object.fromEntries(searchParams);
  assert.equal(origin + pathname, `${bank.issuer}/auth`);
  assert.match(state, /^[\w-]{22,}$/);
  assert.match(challenge ?? '', /^[\w-]{43}$/);
  assert.equal(expiresInMs, 300_000);
  assert.equal(oauth.pending, 1);
  assert.deepEqual(rest, {
    response_type: 'code',
    client_id: 'lab-client',
    redirect_uri: 'http://127.0.0.1:8000/auth/redirect',
    scope: 'read write',
    state,
    prompt: 'login',
    code_challenge_method: 'S256',
  });
  assert.ok(authUrl.includes('scope=read+write'));
});

test('a user who agrees has a token that the provider knows, also for later executions', async (t) => {
  const { begin, bank, oauth, clock } = await world(t);
  const { state, authUrl } = begin('user-1', ['openid', 'read']);

  const outcome = await oauth.complete({ url: await bank.accept(authUrl, 'alice'), user: 'user-1' });

  const token = oauth.claim(state);
  assert.deepEqual(outcome, { outcome: 'granted', executionId: 'execution-1', state });
  assert.equal(await bank.whoHas(token?.value ?? ''), 'alice');
  assert.equal(token?.expiresAt, clock.ms + 3_600_000);
  assert.deepEqual(token?.scopes, ['openid', 'read']);
  assert.equal(await oauth.token(subject('user-1'), 'bank', ['read', 'openid']), token);
  assert.equal(await oauth.token(subject('user-1'), 'bank'), undefined, 'other scopes are another consent');
  assert.equal(await oauth.token(subject('user-2'), 'bank', ['openid', 'read']), undefined);
  assert.equal(oauth.pending, 0);
});

test('a user who refuses is taken at their word: nothing is asked of the provider', async (t) => {
  const { begin, bank, oauth, asked } = await world(t);
  const { state, authUrl } = begin();

  const outcome = await oauth.complete({ url: await bank.refuse(authUrl), user: 'user-1' });

  assert.deepEqual(outcome, {
    outcome: 'refused',
    executionId: 'execution-1',
    state,
    error: 'access_denied',
    description: 'End-User aborted interaction',
  });
  assert.deepEqual(asked, []);
  assert.equal(oauth.claim(state), undefined);
});

test('an error beside a code is still a refusal', async (t) => {
  const { begin, oauth, asked } = await world(t);
  const { state } = begin();

  const url = new URL(`http://host/auth/redirect?error=access_denied&code=stolen&state=${state}`);
  const outcome = await oauth.complete({ url, user: undefined });

  assert.equal(outcome.outcome, 'refused');
  assert.deepEqual(asked, []);
});

test('a code that was issued for another consent is refused by the provider', async (t) => {
  const { begin, bank, oauth } = await world(t);
  const [mine, stolen] = [begin(), begin('user-2')];
  const url = await bank.accept(stolen.authUrl, 'mallory');
  url.searchParams.set('state', mine.state);

  const outcome = await oauth.complete({ url, user: 'user-1' });

  assert.ok(outcome.outcome === 'failed' && outcome.kind === 'rejected');
  assert.equal(outcome.error, 'invalid_grant');
  assert.equal(await oauth.token(subject('user-1'), 'bank'), undefined);
});

test('a consent whose challenge was taken away on its way is refused by the provider', async (t) => {
  const { begin, bank, oauth } = await world(t);
  const url = new URL(begin().authUrl);
  url.searchParams.delete('code_challenge');
  url.searchParams.delete('code_challenge_method');

  const outcome = await oauth.complete({ url: await bank.accept(url.href), user: 'user-1' });

  assert.ok(outcome.outcome === 'failed' && outcome.error === 'invalid_grant');
});

test('of parallel callbacks with one state exactly one asks the provider, and a reload comes too late', async (t) => {
  const { begin, bank, oauth, asked } = await world(t);
  const url = await bank.accept(begin().authUrl);

  const outcomes = await Promise.all([1, 2, 3].map(() => oauth.complete({ url, user: 'user-1' })));
  const reload = await oauth.complete({ url, user: 'user-1' });

  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ['granted', 'unknown_state', 'unknown_state'],
  );
  assert.deepEqual(reload, { outcome: 'unknown_state' });
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.get('grant_type'), 'authorization_code');
  assert.match(asked[0]?.get('code_verifier') ?? '', /^[A-Za-z0-9._~-]{43,128}$/);
});

test('the browser of another user cannot finish a consent, and does not spoil it', async (t) => {
  const { begin, bank, oauth, asked } = await world(t);
  const url = await bank.accept(begin('user-1').authUrl);

  const stranger = await oauth.complete({ url, user: 'user-2' });
  const askedByStranger = asked.length;
  const owner = await oauth.complete({ url, user: 'user-1' });

  assert.deepEqual(stranger, { outcome: 'unknown_state' });
  assert.equal(askedByStranger, 0);
  assert.equal(owner.outcome, 'granted');
});

test('a browser without an identity may finish a consent', async (t) => {
  const { begin, bank, oauth } = await world(t);
  const url = await bank.accept(begin('user-1').authUrl);

  const outcome = await oauth.complete({ url, user: undefined });

  assert.equal(outcome.outcome, 'granted');
  assert.ok(await oauth.token(subject('user-1'), 'bank'));
});

test('the token of an execution without owner is returned once, and stored for no other execution', async (t) => {
  const { bank, oauth } = await world(t);
  const { state, authUrl } = oauth.begin({ provider: 'bank', user: undefined, executionId: 'execution-1' });
  await oauth.complete({ url: await bank.accept(authUrl), user: undefined });

  const [first, second] = [oauth.claim(state), oauth.claim(state)];

  assert.ok(first?.value);
  assert.equal(second, undefined);
  assert.equal(await oauth.token(subject('undefined'), 'bank'), undefined);
  assert.equal(await oauth.token(subject(undefined, 'execution-2'), 'bank'), undefined);
  assert.equal(await oauth.token(subject(undefined), 'bank'), first);
  oauth.release('execution-1');
  assert.equal(await oauth.token(subject(undefined), 'bank'), undefined);
});

test('a callback counts only if it is from the issuer that was configured', async (t) => {
  const { begin, bank, oauth, asked } = await world(t, { config: { issuer: 'https://other.example' } });
  const url = await bank.accept(begin().authUrl);

  const outcome = await oauth.complete({ url, user: 'user-1' });

  assert.equal(url.searchParams.get('iss'), bank.issuer);
  assert.ok(outcome.outcome === 'failed' && outcome.kind === 'unusable');
  assert.deepEqual(asked, []);
});

test('without an issuer configured a callback may name one at the address of the provider, and no other', async (t) => {
  const { begin, bank, oauth } = await world(t);
  const comeBack = async (iss: string) => {
    const url = await bank.accept(begin().authUrl);
    url.searchParams.set('iss', iss);
    return (await oauth.complete({ url, user: 'user-1' })).outcome;
  };

  assert.equal(await comeBack(`${bank.issuer}/tenant-7`), 'granted');
  for (const iss of ['https://evil.example', `${bank.issuer}.evil.example`, 'no address', '']) {
    assert.equal(await comeBack(iss), 'failed', iss);
  }
});

test('a callback that must name its issuer is good with it, and only with it', async (t) => {
  const bank = await identityProvider(t);
  const providers = { bank: { ...bank.config, issuer: bank.issuer, requireIssuerParameter: true } };
  const oauth = createOAuth({ providers, now: () => 0, timeoutMs: 1 });
  const begin = () => oauth.begin({ provider: 'bank', user: 'user-1', executionId: 'execution-1' });
  const [named, unnamed] = [await bank.accept(begin().authUrl), await bank.accept(begin().authUrl)];
  unnamed.searchParams.delete('iss');

  const outcomes = [
    await oauth.complete({ url: unnamed, user: 'user-1' }),
    await oauth.complete({ url: named, user: 'user-1' }),
  ];

  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ['failed', 'granted'],
  );
});

test('an expired token is refreshed once for all who need it, each time with the newest refresh token', async (t) => {
  const { begin, bank, oauth, clock, asked } = await world(t);
  const { state, authUrl } = begin();
  await oauth.complete({ url: await bank.accept(authUrl), user: 'user-1' });
  const first = oauth.claim(state);

  clock.ms += 3_600_000;
  const [second, shared] = await Promise.all([
    oauth.token(subject('user-1'), 'bank'),
    oauth.token(subject('user-1'), 'bank'),
  ]);
  clock.ms += 3_600_000;
  const third = await oauth.token(subject('user-1'), 'bank');

  const refreshes = asked.slice(1);
  assert.deepEqual(
    refreshes.map((form) => [form.get('grant_type'), form.get('client_id')]),
    [
      ['refresh_token', 'lab-client'],
      ['refresh_token', 'lab-client'],
    ],
  );
  assert.notEqual(refreshes[0]?.get('refresh_token'), refreshes[1]?.get('refresh_token'));
  assert.equal(shared, second);
  assert.equal(new Set([first?.value, second?.value, third?.value]).size, 3);
  assert.deepEqual(third?.scopes, ['read', 'write']);
});

test('a consent that takes too long is over', async (t) => {
  const { begin, bank, oauth, clock, asked } = await world(t);
  const url = await bank.accept(begin().authUrl);

  clock.ms += 300_000;
  const outcome = await oauth.complete({ url, user: 'user-1' });

  assert.deepEqual(outcome, { outcome: 'unknown_state' });
  assert.deepEqual(asked, []);
  assert.equal(oauth.pending, 0);
});

test('an abandoned consent is over, and abandoning an unknown one is harmless', async (t) => {
  const { begin, bank, oauth } = await world(t);
  const { state, authUrl } = begin();
  const url = await bank.accept(authUrl);

  oauth.abandon(state);
  oauth.abandon('unknown');

  assert.deepEqual(await oauth.complete({ url, user: 'user-1' }), { outcome: 'unknown_state' });
});

for (const registration of [
  { tokenEndpointAuthMethod: 'client_secret_basic', clientSecret: 'p-q_r.s:t u/v+w%x"y~z' },
  { tokenEndpointAuthMethod: 'client_secret_post' },
  { tokenEndpointAuthMethod: 'none' },
] as const satisfies Registration[]) {
  test(`a client can authenticate by ${registration.tokenEndpointAuthMethod}`, async (t) => {
    const { begin, bank, oauth } = await world(t, registration);
    const url = await bank.accept(begin().authUrl);

    const outcome = await oauth.complete({ url, user: 'user-1' });

    assert.equal(outcome.outcome, 'granted');
  });
}
