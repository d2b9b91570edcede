/** Providers that are known by name, each with a stand-in that answers as its documents say. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createOAuth } from '../../../runtime/oauth/oauth.ts';
import { knownProviders, type Name } from '../../support/known-providers.ts';
import { subject } from '../../support/token-subject.ts';

const world = async (t: TestContext, provider: Name) => {
  const stand = await knownProviders(t);
  const clock = { ms: 1_000_000 };
  const oauth = createOAuth({
    providers: { it: stand.config(provider) },
    now: () => clock.ms,
    timeoutMs: 300_000,
    fetch: stand.fetch,
  });
  t.after(() => oauth.stop());
  const begin = (scopes?: string[]) =>
    oauth.begin({ provider: 'it', scopes, user: 'alice', executionId: 'execution-1' });
  const complete = (code: string, scopes?: string[]) => {
    const { state } = begin(scopes);
    return oauth.complete({ url: new URL(`http://host/?code=${code}&state=${state}`), user: 'alice' });
  };
  const token = (scopes?: string[]) => oauth.token(subject('alice'), 'it', scopes);
  return { ...stand, clock, oauth, begin, complete, token };
};

const consents: [provider: Name, scopes: string[] | undefined, address: string, query: Record<string, string>][] = [
  ['github', ['repo', 'gist'], 'https://github.com/login/oauth/authorize', { scope: 'repo gist' }],
  [
    'google',
    ['openid'],
    'https://accounts.google.com/o/oauth2/v2/auth',
    { scope: 'openid', access_type: 'offline', prompt: 'consent' },
  ],
  ['linkedin', undefined, 'https://www.linkedin.com/oauth/v2/authorization', { scope: 'openid profile email' }],
  [
    'microsoft',
    ['Mail.Read'],
    'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    { scope: 'Mail.Read offline_access' },
  ],
  ['notion', undefined, 'https://api.notion.com/v1/oauth/authorize', { owner: 'user' }],
  ['salesforce', ['api'], 'https://login.salesforce.com/services/oauth2/authorize', { scope: 'api refresh_token' }],
  ['slack', ['commands', 'chat:write'], 'https://slack.com/oauth/v2/authorize', { scope: 'commands,chat:write' }],
  [
    'slack_user',
    ['search:read', 'users:read'],
    'https://slack.com/oauth/v2/authorize',
    { user_scope: 'search:read,users:read' },
  ],
  ['twitch', ['chat:read'], 'https://id.twitch.tv/oauth2/authorize', { scope: 'chat:read' }],
];
for (const [provider, scopes, address, query] of consents) {
  test(`a consent of ${provider} is asked for at its address, in its way`, async (t) => {
    const { begin } = await world(t, provider);

    const { origin, pathname, searchParams } = new URL(begin(scopes).authUrl);

    const usual = ['response_type', 'client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method'];
    const own = Object.fromEntries([...searchParams].filter(([name]) => !usual.includes(name)));
    assert.equal(origin + pathname, address);
    assert.deepEqual(own, query);
    assert.equal(searchParams.has('code_challenge'), provider !== 'linkedin');
  });
}

const grants: [provider: Name, code: string, value: string, scopes: string[], lifeS: number | undefined][] = [
  ['github', 'good', 'gho-1', ['repo', 'gist'], undefined],
  ['github', 'expiring', 'ghu-1', [], 28_800],
  ['google', 'good', 'ya29.a', ['https://www.googleapis.com/auth/drive.readonly', 'openid'], 3_599],
  ['linkedin', 'good', 'AQX', ['email', 'openid', 'profile'], 5_184_000],
  ['microsoft', 'good', 'eyJ-0.A-1', ['User.Read', 'Mail.Read'], 3_736],
  ['notion', 'good', 'ntn-1', ['asked'], undefined],
  ['salesforce', 'good', '00D-1', ['refresh_token', 'api'], undefined],
  ['slack', 'bot', 'xoxb-1', ['commands', 'chat:write'], undefined],
  ['slack', 'both', 'xoxb-1', ['commands', 'chat:write'], undefined],
  ['slack', 'user', 'xoxp-1', ['search:read', 'users:read'], 43_200],
  ['slack_user', 'user', 'xoxp-1', ['search:read', 'users:read'], 43_200],
  ['slack_user', 'both', 'xoxp-1', ['search:read', 'users:read'], undefined],
  ['twitch', 'good', 'rfx-1', ['chat:read', 'chat:edit'], 14_124],
];
for (const [provider, code, value, scopes, lifeS] of grants) {
  test(`a token of ${provider} is understood, for code ${code}`, async (t) => {
    const { complete, token, clock } = await world(t, provider);

    const outcome = await complete(code, ['asked']);

    const given = await token(['asked']);
    assert.equal(outcome.outcome, 'granted', JSON.stringify(outcome));
    assert.equal(given?.value, value);
    assert.deepEqual(given?.scopes, scopes);
    assert.equal(given?.expiresAt, lifeS && clock.ms + lifeS * 1_000);
  });
}

const refusals: [provider: Name, error: string][] = [
  ['github', 'bad_verification_code'],
  ['google', 'invalid_grant'],
  ['linkedin', 'invalid_redirect_uri'],
  ['microsoft', 'invalid_grant'],
  ['notion', 'invalid_grant'],
  ['salesforce', 'invalid_grant'],
  ['slack', 'invalid_code'],
  ['slack_user', 'invalid_code'],
  ['twitch', 'Invalid authorization code'],
];
for (const [provider, error] of refusals) {
  test(`a code that ${provider} refuses is rejected in its own words`, async (t) => {
    const { complete } = await world(t, provider);

    const outcome = await complete('unknown-code');

    assert.ok(outcome.outcome === 'failed' && outcome.kind === 'rejected', JSON.stringify(outcome));
    assert.equal(outcome.error, error);
  });
}

test('a bot token is none of a user: no token is given if the user did not give one', async (t) => {
  const { complete } = await world(t, 'slack_user');

  const outcome = await complete('bot');

  assert.ok(outcome.outcome === 'failed' && outcome.kind === 'unusable');
});

const refreshes: [provider: Name, code: string, after: string, used: (string | undefined)[]][] = [
  ['github', 'expiring', 'ghu-2', [undefined, 'ghr-1', 'ghr-2']],
  ['google', 'good', 'ya29.b', [undefined, '1//first', '1//first']],
  ['microsoft', 'good', 'eyJ-0.A-3', [undefined, '0.A-1', '0.A-2']],
  ['slack_user', 'user', 'xoxe.xoxe-3', [undefined, 'xoxe-1', 'xoxe-2']],
  ['twitch', 'good', 'rfx-2', [undefined, '5b9-1', '5b9-2']],
];
for (const [provider, code, after, used] of refreshes) {
  test(`a token of ${provider} is refreshed twice, each time with what it gave last`, async (t) => {
    const { complete, token, clock, requests } = await world(t, provider);
    await complete(code);

    for (let n = 0; n < 2; n += 1) {
      clock.ms += 5_000_000_000;
      await token();
    }

    assert.equal((await token())?.value, after);
    assert.deepEqual(
      requests.map(({ form }) => form.refresh_token),
      used,
    );
  });
}

const revocations: [provider: Name, code: string, method: string, url: string, sent: Record<string, string>][] = [
  ['github', 'good', 'DELETE', 'api.github.com/applications/client-1/token', { access_token: 'gho-1' }],
  ['google', 'good', 'POST', 'oauth2.googleapis.com/revoke', { token: '1//first' }],
  ['notion', 'good', 'POST', 'api.notion.com/v1/oauth/revoke', { token: 'ntn-1' }],
  ['salesforce', 'good', 'POST', 'login.salesforce.com/services/oauth2/revoke', { token: '5Aep' }],
  ['slack', 'bot', 'POST', 'slack.com/api/auth.revoke', {}],
  ['twitch', 'good', 'POST', 'id.twitch.tv/oauth2/revoke', { token: '5b9-1', client_id: 'client-1' }],
];
for (const [provider, code, method, url, sent] of revocations) {
  test(`a token of ${provider} is revoked in its way`, async (t) => {
    const { complete, oauth, requests } = await world(t, provider);
    await complete(code);

    const isTold = await oauth.disconnect(subject('alice'), 'it');

    const { form, ...asked } = requests.at(-1)!;
    assert.equal(isTold, true);
    assert.deepEqual([asked.method, asked.url], [method, url]);
    for (const [name, value] of Object.entries(sent)) assert.equal(form[name], value);
  });
}

test('a provider that has no place to revoke tokens is not told, and the tokens are gone here', async (t) => {
  const { complete, oauth, token } = await world(t, 'linkedin');
  await complete('good');

  const isTold = await oauth.disconnect(subject('alice'), 'it');

  assert.deepEqual([isTold, await token()], [false, undefined]);
});
