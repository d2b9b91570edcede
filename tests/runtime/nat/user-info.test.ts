import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  type Claims,
  type Credential,
  type JwtUserInfo,
  natNamespace,
  remembering,
  userInfoOf,
  uuidV5,
} from '../../../runtime/nat/user-info.ts';

const session = (text: string): Credential => ({ kind: 'session', session: text });
const apiKey = (key: string): Credential => ({ kind: 'api_key', key });
const basic = (username: string, password: string): Credential => ({ kind: 'basic', username, password });
const jwt = (claims: Claims): Credential => ({ kind: 'jwt', claims });

/** What the original derives; clients and stores know these users by them. */
const vectors: [who: string, credential: Credential, userId: string][] = [
  ['session alice', session('alice'), '7b031fd4-714b-598e-b755-a517d069edc5'],
  ['session bob', session('bob'), 'e0d43398-5fc8-5c1d-95d5-d39399e69f51'],
  ['session key1', session('key1'), 'c72ec60d-946b-537b-8730-d44272b441f4'],
  ['API key k', apiKey('k'), '99b6cec1-d195-581d-8650-621fc7bb62a4'],
  ['API key sk-service-abc123', apiKey('sk-service-abc123'), '06d2b7c6-c9cf-58f3-a90b-ed272501211d'],
  ['Basic alice:s3cret', basic('alice', 's3cret'), 'acc6fc5a-2d86-52ef-b55f-6e20b1bbc2ce'],
  ['Basic bob:pw', basic('bob', 'pw'), 'ebeb762d-0949-537c-b491-4e4d6dee41bd'],
  [
    'JWT with sub, email and preferred_username',
    jwt({ sub: 'u1', email: 'e@example.com', preferred_username: 'p' }),
    '49b16411-5144-5cd8-a66b-d2adf61a018a',
  ],
  ['JWT without sub', jwt({ email: 'e@example.com', preferred_username: 'p' }), '98048525-a5d1-5c10-8b01-eb123414aa2b'],
  ['JWT with a blank sub', jwt({ sub: '    ', email: 'e@example.com' }), '98048525-a5d1-5c10-8b01-eb123414aa2b'],
  ['JWT with a number as sub', jwt({ sub: 5, email: 'e@example.com' }), '98048525-a5d1-5c10-8b01-eb123414aa2b'],
  ['JWT with a username to trim', jwt({ preferred_username: ' p ' }), 'e7ca2732-4c10-5dfc-9781-4a3fa444db17'],
];

for (const [who, credential, userId] of vectors) {
  test(`a user named by ${who} has the id that NAT gives`, () => {
    const info = userInfoOf(credential);

    assert.equal(info.userId, userId);
    assert.equal(info.kind, credential.kind);
  });
}

test('UUIDv5 is that of RFC 9562, and the namespace is that of NAT', () => {
  const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

  assert.equal(uuidV5('www.example.com', dns), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  assert.equal(uuidV5('nemo-agent-toolkit', dns), natNamespace);
});

test('by kind, only the sub of a JWT keeps the id of NAT', () => {
  const sub = userInfoOf(jwt({ sub: 'alice' }), 'by_kind');
  const others = [
    userInfoOf(session('alice'), 'by_kind'),
    userInfoOf(apiKey('alice'), 'by_kind'),
    userInfoOf(basic('alice', ''), 'by_kind'),
    userInfoOf(jwt({ email: 'alice' }), 'by_kind'),
    userInfoOf(jwt({ preferred_username: 'alice' }), 'by_kind'),
  ];

  assert.equal(sub.userId, userInfoOf(session('alice')).userId);
  assert.equal(new Set([sub, ...others].map((info) => info.userId)).size, 6);
});

test('by kind, the ids of the other kinds stay what they are from release to release', () => {
  const ids = [session('alice'), apiKey('alice'), basic('alice', ''), jwt({ email: 'alice' })].map(
    (credential) => userInfoOf(credential, 'by_kind').userId,
  );

  assert.deepEqual(ids, [
    uuidV5('alice', uuidV5('fermata:session', natNamespace)),
    uuidV5('alice', uuidV5('fermata:api_key', natNamespace)),
    uuidV5('YWxpY2U6', uuidV5('fermata:basic', natNamespace)),
    uuidV5('alice', uuidV5('fermata:email', natNamespace)),
  ]);
});

test('by kind, no text makes a credential of another kind the user of a JWT', () => {
  const text = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom('alice', 'fermata:session', natNamespace, `${natNamespace}alice`, 'session:alice'),
  );

  fc.assert(
    fc.property(text, text, (sub, other) => {
      fc.pre(sub.trim() !== '' && other.trim() !== '');
      const { userId } = userInfoOf(jwt({ sub }), 'by_kind');
      const rivals = [session(other), apiKey(other), basic(other, other), jwt({ email: other })];
      for (const rival of rivals) assert.notEqual(userInfoOf(rival, 'by_kind').userId, userId);
    }),
  );
});

const nobody: [who: string, credential: Credential, message: string][] = [
  ['an empty session', session(''), 'The session is empty'],
  ['an empty API key', apiKey(''), 'API key token is empty'],
  ['a blank API key', apiKey('  '), 'API key token is empty'],
  ['Basic without a name', basic('', 'pw'), 'Basic auth username must not be empty'],
  [
    'a JWT that names no user',
    jwt({ name: 'Nobody', sub: null, email: ' ' }),
    'JWT contains no usable identity claim (sub, email, preferred_username)',
  ],
  ['a session with a broken byte', session('a\uFFFD'), 'The credential contains bytes that are not text'],
  ['an API key with half a character', apiKey('a\uD800'), 'The credential contains bytes that are not text'],
  ['a password with half a character', basic('a', '\uDC00'), 'The credential contains bytes that are not text'],
  ['a sub with half a character', jwt({ sub: 'a\uD800' }), 'The credential contains bytes that are not text'],
];

for (const [who, credential, message] of nobody) {
  test(`${who} is refused as a credential`, () => {
    assert.throws(() => userInfoOf(credential), { name: 'Failure', code: 'credential_invalid', message });
  });
}

test('names outside ASCII are text like any other', () => {
  const { userId } = userInfoOf(basic('Zoë', 'p:ä🙂'));

  assert.equal(userId, uuidV5(Buffer.from('Zoë:p:ä🙂').toString('base64'), natNamespace));
});

test('a workflow reads what the user showed, and neither a log nor JSON does', () => {
  const infos = [session('s-secret'), apiKey('k-secret'), basic('ada', 'p-secret')].map((each) => userInfoOf(each));

  assert.deepEqual(
    infos.map((info) => (info.kind === 'basic' ? info.details.password : info.details)),
    ['s-secret', 'k-secret', 'p-secret'],
  );
  for (const shown of [inspect(infos, { depth: 9 }), JSON.stringify(infos), JSON.stringify({ ...infos[1] })]) {
    assert.doesNotMatch(shown, /secret/);
  }
  assert.equal(JSON.stringify(infos[2]!.details), '{"username":"ada"}');
});

test('the identity of a user cannot be changed', () => {
  const claims = { sub: 'u1', groups: ['staff'] };
  const info = userInfoOf(jwt(claims));

  assert.throws(() => Object.assign(info, { userId: 'another' }), TypeError);
  assert.throws(() => Object.assign(info.details, { subject: 'another' }), TypeError);
  assert.throws(() => (detailsOf(claims).groups as string[]).push('admins'), TypeError);
  assert.equal(Object.isFrozen(claims), false);
});

const detailsOf = (claims: Claims): JwtUserInfo => {
  const info = userInfoOf(jwt({ sub: 'u1', ...claims }));
  assert.equal(info.kind, 'jwt');
  return info.details as JwtUserInfo;
};

test('a JWT tells all that NAT reads from it', () => {
  const claims = {
    given_name: 'Ada',
    family_name: 'Lovelace',
    name: 'Somebody Else',
    email: 'ada@example.com',
    preferred_username: ' ada ',
    roles: ['author'],
    realm_access: { roles: ['reader'] },
    groups: ['staff', 'chess'],
    scope: 'openid  profile',
    iss: 'https://issuer.example',
    sub: 'u1',
    aud: ['api', 'web'],
    exp: 2_000_000_000,
    iat: 1_700_000_000,
    azp: 'console',
    client_id: 'other',
  };

  assert.deepEqual(detailsOf(claims), {
    given_name: 'Ada',
    family_name: 'Lovelace',
    email: 'ada@example.com',
    preferred_username: 'ada',
    roles: ['author'],
    groups: ['staff', 'chess'],
    scopes: ['openid', 'profile'],
    issuer: 'https://issuer.example',
    subject: 'u1',
    audience: ['api', 'web'],
    expires_at: 2_000_000_000,
    issued_at: 1_700_000_000,
    client_id: 'console',
    claims,
  });
});

const fallbacks: [what: string, claims: Claims, expected: Partial<JwtUserInfo>][] = [
  ['a full name', { name: 'Ada King Lovelace' }, { given_name: 'Ada', family_name: 'King Lovelace' }],
  ['a single name', { name: ' Ada ' }, { given_name: 'Ada', family_name: undefined }],
  ['roles of a Keycloak realm', { realm_access: { roles: ['reader'] } }, { roles: ['reader'] }],
  ['one audience', { aud: 'api' }, { audience: ['api'] }],
  ['a client without azp', { client_id: 'other' }, { client_id: 'other' }],
  ['nothing more', {}, { roles: [], groups: [], scopes: [], audience: [], expires_at: undefined, email: undefined }],
  ['odd roles', { roles: ['a', 5, null, { b: 1 }] }, { roles: ['a'] }],
  ['roles that are no list', { roles: 'admin', realm_access: 'x' }, { roles: [] }],
  ['odd groups', { groups: [['nested'], 'b'] }, { groups: ['b'] }],
  ['odd audiences', { aud: [1, 'api', null] }, { audience: ['api'] }],
  ['an audience that is no text', { aud: 7 }, { audience: [] }],
  ['times that are no whole numbers', { exp: 1.5, iat: '1' }, { expires_at: undefined, issued_at: undefined }],
];

for (const [what, claims, expected] of fallbacks) {
  test(`a JWT with ${what} is read without refusing its user`, () => {
    const details = detailsOf(claims);

    assert.deepEqual({ ...details, ...expected }, details);
  });
}

test('what was derived lately is remembered, the longest unused goes first, and long keys are never kept', () => {
  const made: string[] = [];
  const derive = remembering((key) => `${made.push(key)}`, { limit: 2, longest: 3 });

  for (const key of ['a', 'b', 'a', 'c', 'a', 'b', 'long', 'long']) derive(key);

  assert.deepEqual(made, ['a', 'b', 'c', 'b', 'long', 'long']);
});
