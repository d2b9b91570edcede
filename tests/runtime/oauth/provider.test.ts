import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../runtime/errors.ts';
import { createOAuth, type OAuthProviderConfig } from '../../../runtime/oauth/oauth.ts';
import { subject } from '../../support/token-subject.ts';

const good: OAuthProviderConfig = {
  clientId: 'lab-client',
  clientSecret: 'lab-secret',
  authorizationUrl: 'https://bank.example/authorize?tenant=7',
  tokenUrl: 'https://bank.example/token',
  redirectUri: 'https://app.example/auth/redirect',
};
const create = (config: object) =>
  createOAuth({ providers: { bank: config as OAuthProviderConfig }, now: () => 0, timeoutMs: 1_000 });

const refused: [key: string, why: string, config: object][] = [
  ['clientId', 'is missing', { ...good, clientId: undefined }],
  ['clientId', 'is empty', { ...good, clientId: '' }],
  [
    'clientSecret',
    'is missing for the way it is to be sent',
    { ...good, clientSecret: undefined, tokenEndpointAuthMethod: 'client_secret_post' },
  ],
  ['tokenUrl', 'is relative', { ...good, tokenUrl: '/token' }],
  ['tokenUrl', 'is plain http beyond loopback', { ...good, tokenUrl: 'http://bank.example/token' }],
  ['tokenUrl', 'only looks like loopback', { ...good, tokenUrl: 'http://127.0.0.1.bank.example/token' }],
  ['tokenUrl', 'carries credentials', { ...good, tokenUrl: 'https://me:lab-secret@bank.example/token' }],
  ['authorizationUrl', 'is no web address', { ...good, authorizationUrl: 'javascript:alert(1)' }],
  ['redirectUri', 'has a fragment', { ...good, redirectUri: 'https://app.example/#callback' }],
  ['issuer', 'is missing though it is required', { ...good, requireIssuerParameter: true }],
  ['scopes', 'has a space in it', { ...good, scopes: ['read write'] }],
  ['tokenEndpointAuthMethod', 'is none that we know', { ...good, tokenEndpointAuthMethod: 'private_key_jwt' }],
  [
    'authorizationParams',
    'would switch PKCE off',
    { ...good, authorizationParams: { code_challenge_method: 'plain' } },
  ],
  ['client_id', 'is no key of ours', { ...good, client_id: 'lab-secret' }],
];
for (const [key, why, config] of refused) {
  test(`a provider whose ${key} ${why} is refused by that key, and without its values`, () => {
    assert.throws(
      () => create(config),
      (thrown: unknown) => {
        assert.ok(thrown instanceof Failure && thrown.code === 'options_invalid');
        assert.match(thrown.message, new RegExp(`^OAuth provider "bank": .*\\b${key}\\b`));
        assert.doesNotMatch(thrown.message, /lab-secret/);
        return true;
      },
    );
  });
}

for (const host of ['localhost', 'bank.localhost', '127.0.0.1', '127.8.8.8', '[::1]']) {
  test(`a provider on ${host} may be plain http`, () => {
    const tokenUrl = `http://${host}:8080/token`;

    assert.doesNotThrow(() => create({ ...good, tokenUrl }));
  });
}

test('a provider in a network that is said to be safe may be plain http', () => {
  const tokenUrl = 'http://bank.internal/token';

  assert.doesNotThrow(() => create({ ...good, tokenUrl, allowInsecureHttp: true }));
});

test('the query of an authorization address is kept, and no scope is asked for if none is configured', () => {
  const oauth = create(good);

  const { authUrl } = oauth.begin({ provider: 'bank', user: undefined, executionId: 'execution-1' });

  const { searchParams } = new URL(authUrl);
  assert.equal(searchParams.get('tenant'), '7');
  assert.equal(searchParams.has('scope'), false);
});

test('a workflow that names a provider or scope that cannot be is told so', async () => {
  const oauth = create(good);
  const begin = { user: 'user-1', executionId: 'execution-1' };

  const unknown = { code: 'options_invalid', message: 'no OAuth provider is called "shop"; configured: bank' };
  assert.throws(() => oauth.begin({ ...begin, provider: 'shop' }), unknown);
  await assert.rejects(oauth.token(subject('user-1'), 'shop'), unknown);
  assert.throws(() => oauth.begin({ ...begin, provider: 'bank', scopes: ['a b'] }), { code: 'options_invalid' });
});

test('scopes that a workflow names replace the configured ones, and each is asked for once', () => {
  const oauth = create({ ...good, scopes: ['read'] });
  const scopes = ['write', 'admin', 'write'];

  const { authUrl } = oauth.begin({ provider: 'bank', scopes, user: undefined, executionId: 'execution-1' });

  assert.equal(new URL(authUrl).searchParams.get('scope'), 'write admin');
});

test('states and verifiers contain the randomness that is given, and enough of it', () => {
  const asked: number[] = [];
  const random = (bytes: number) => {
    asked.push(bytes);
    return Buffer.alloc(bytes, asked.length);
  };
  const oauth = createOAuth({ providers: { bank: good }, now: () => 0, timeoutMs: 1_000, random });

  const { state } = oauth.begin({ provider: 'bank', user: undefined, executionId: 'execution-1' });

  assert.ok(state.endsWith(Buffer.alloc(24, 1).toString('base64url')));
  assert.ok(asked.every((bytes) => bytes >= 16 && bytes <= 96));
});
