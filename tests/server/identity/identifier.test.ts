import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { base64url, CompactSign } from 'jose';
import { Failure } from '../../../runtime/errors.ts';
import { natNamespace, uuidV5 } from '../../../runtime/nat/user-info.ts';
import { readCookies } from '../../../server/http/cookies.ts';
import { noteRepeated } from '../../../server/http/repeated-headers.ts';
import { createIdentifier, type Headers, type Identifier } from '../../../server/identity/identifier.ts';
import type { IdentityOptions } from '../../../server/identity/options.ts';

const encoded = (value: unknown) => base64url.encode(JSON.stringify(value));
const unsigned = (claims: object) => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.c2ln`;
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

const secret = 'a shared secret of thirty-two bytes, or more';
const signed = (claims: object): Promise<string> =>
  new CompactSign(new TextEncoder().encode(JSON.stringify({ exp: 9e9, ...claims })))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));

/** As NAT: everything is mapped, nothing is checked. */
const lab = createIdentifier({ allowUnverifiedJwts: true });
const verifying = createIdentifier({ jwt: { secret } });

const alice = '7b031fd4-714b-598e-b755-a517d069edc5';
const bob = 'e0d43398-5fc8-5c1d-95d5-d39399e69f51';
const k = '99b6cec1-d195-581d-8650-621fc7bb62a4';
const service = '06d2b7c6-c9cf-58f3-a90b-ed272501211d';
const u1 = '49b16411-5144-5cd8-a66b-d2adf61a018a';
const e = '98048525-a5d1-5c10-8b01-eb123414aa2b';
const aliceBasic = 'acc6fc5a-2d86-52ef-b55f-6e20b1bbc2ce';
const bobBasic = 'ebeb762d-0949-537c-b491-4e4d6dee41bd';

const cookie = 'nat-session=alice';
const jwt = `Bearer ${unsigned({ sub: 'u1' })}`;
const broken = 'Bearer a.b.c';

const order: [headers: Headers, kind: string | undefined, userId: string | undefined][] = [
  [{}, undefined, undefined],
  [{ 'x-lab': 'x', cookie: 'other=1' }, undefined, undefined],

  [{ cookie }, 'session', alice],
  [{ cookie, authorization: jwt }, 'session', alice],
  [{ cookie, authorization: broken }, 'session', alice],
  [{ cookie, authorization: 'Bearer k', 'x-api-key': 'other' }, 'session', alice],
  [{ cookie, authorization: basic('bob:pw') }, 'session', alice],
  [{ cookie, 'x-api-key': 'k' }, 'session', alice],

  [{ authorization: jwt }, 'jwt', u1],
  [{ authorization: jwt, 'x-api-key': 'k' }, 'jwt', u1],
  [{ authorization: `Bearer ${unsigned({ sub: 'u1', exp: 0 })}` }, 'jwt', u1],
  [{ authorization: `Bearer ${unsigned({ sub: ' ', email: 'e@example.com' })}` }, 'jwt', e],
  [{ authorization: 'Bearer sk-service-abc123' }, 'api_key', service],
  [{ authorization: 'Bearer k', 'x-api-key': 'other' }, 'api_key', k],
  [{ authorization: basic('alice:s3cret'), 'x-api-key': 'k' }, 'basic', aliceBasic],
  [{ authorization: basic('bob:pw') }, 'basic', bobBasic],
  [{ authorization: basic('alice:') }, 'basic', uuidV5('YWxpY2U6', natNamespace)],
  [{ authorization: basic('a:b:c') }, 'basic', uuidV5('YTpiOmM=', natNamespace)],

  [{ authorization: 'Digest something', 'x-api-key': 'k' }, 'api_key', k],
  [{ authorization: 'Bearer', 'x-api-key': 'k' }, 'api_key', k],
  [{ authorization: 'Digest something' }, undefined, undefined],
  [{ 'x-api-key': 'sk-service-abc123' }, 'api_key', service],
  [{ 'x-api-key': 'a.b.c' }, 'api_key', uuidV5('a.b.c', natNamespace)],
];

for (const [headers, kind, userId] of order) {
  test(`a request with ${JSON.stringify(headers)} comes from ${kind ?? 'no user'}`, () => {
    const identity = lab.identify(headers);

    assert.ok(!(identity instanceof Promise));
    assert.equal(identity?.kind, kind);
    assert.equal(identity?.userId, userId);
    assert.equal(identity?.info.userId, userId);
    assert.equal(identity?.verified, identity && false);
  });
}

const odd: [headers: Headers, userId: string | undefined][] = [
  [{ cookie: 'nat-session="alice"' }, alice],
  [{ cookie: String.raw`nat-session="\141li\ce"` }, alice],
  [{ cookie: 'nat-session="' }, uuidV5('"', natNamespace)],
  [{ cookie: 'nat-session=al%69ce' }, uuidV5('al%69ce', natNamespace)],
  [{ cookie: 'nat-session=%zz' }, uuidV5('%zz', natNamespace)],
  [{ cookie: 'nat-session=a=b' }, uuidV5('a=b', natNamespace)],
  [{ cookie: 'nat-session=alice; nat-session=bob' }, bob],
  [{ cookie: 'nat-session=; nat-session=bob', 'x-api-key': 'k' }, bob],
  [{ cookie: 'nat-session=bob; nat-session=', 'x-api-key': 'k' }, k],
  [{ cookie: ' ;;a;b=1 ; nat-session = alice ;' }, alice],
  [{ cookie: 'x-nat-session=bob' }, undefined],
  [{ cookie: 'NAT-SESSION=bob' }, undefined],
  [{ cookie: 'nat-session' }, undefined],
  [{ cookie: 'nat-session=""', 'x-api-key': 'k' }, k],
  [{ cookie: '' }, undefined],
  [{ cookie: `${'a=b; '.repeat(20_000)}nat-session=alice` }, alice],
  [{ cookie: `nat-session=${'s'.repeat(10_000)}` }, uuidV5('s'.repeat(10_000), natNamespace)],

  [{ authorization: '' }, undefined],
  [{ authorization: ' ' }, undefined],
  [{ authorization: 'Bearer' }, undefined],
  [{ authorization: 'Bearer ' }, undefined],
  [{ authorization: 'Basic' }, undefined],
  [{ authorization: 'Bearer  k' }, k],
  [{ authorization: 'bEARER\tk' }, k],
  [{ authorization: '\t Bearer \t k \t' }, k],
  [{ authorization: 'Bearerk' }, undefined],
  [{ authorization: 'Bearer a b' }, uuidV5('a b', natNamespace)],
  [{ authorization: 'Bearer schlüssel' }, uuidV5('schlüssel', natNamespace)],
  [{ authorization: 'Bearer a.b' }, uuidV5('a.b', natNamespace)],
  [{ authorization: 'Bearer a.b.c.d' }, uuidV5('a.b.c.d', natNamespace)],
  [{ authorization: `Bearer ${'k'.repeat(10_240)}` }, uuidV5('k'.repeat(10_240), natNamespace)],
  [{ authorization: `Bearer${' '.repeat(10_240)}` }, undefined],
  [{ authorization: 'BASIC Ym9iOnB3' }, bobBasic],
  [{ 'x-api-key': ' k ' }, k],
  [{ 'x-api-key': ' ' }, undefined],
];

for (const [headers, userId] of odd) {
  test(`the odd headers ${JSON.stringify(headers).slice(0, 70)} name ${userId ?? 'no user'}`, async () => {
    const identity = await lab.identify(headers);

    assert.equal(identity?.userId, userId);
  });
}

test('a workflow sees the cookies of a request as the identity does', () => {
  const cookies = readCookies('a=1; nat-session="alice"; a=2;flag; empty=; __proto__=x; = y');

  assert.deepEqual(Object.entries(cookies), [
    ['a', '2'],
    ['nat-session', 'alice'],
    ['empty', ''],
    ['__proto__', 'x'],
    ['', 'y'],
  ]);
  assert.deepEqual(readCookies(undefined), {});
});

const noClaim = 'JWT contains no usable identity claim (sub, email, preferred_username)';
const undecoded = 'Failed to decode JWT: it is not made of base64url and JSON';
const noBase64 = 'Failed to decode Basic auth credential: it is not base64';

const refusals: [headers: Headers, message: string][] = [
  [{ authorization: broken }, undecoded],
  [{ authorization: `Bearer ${'x'.repeat(10_240)}..` }, undecoded],
  [{ authorization: 'Bearer ä.ö.ü' }, undecoded],
  [{ authorization: `Bearer ${unsigned({ name: 'Nobody' })}` }, noClaim],
  [{ authorization: broken, 'x-api-key': 'k' }, undecoded],
  [{ authorization: 'Basic bm9jb2xvbg==' }, 'Basic auth credential must contain a colon separator (username:password)'],
  [{ authorization: 'Basic OnB3' }, 'Basic auth username must not be empty'],
  [{ authorization: 'Basic !!!' }, noBase64],
  [{ authorization: 'Basic YTpi Yzpk' }, noBase64],
  [{ authorization: 'Basic YWxpY2U6czNjcmV' }, noBase64],
  [{ authorization: 'Basic /zr/' }, 'Failed to decode Basic auth credential: it is not UTF-8'],
  [{ 'x-api-key': 'k\uFFFD' }, 'The credential contains bytes that are not text'],
];

for (const [headers, message] of refusals) {
  test(`a request with ${JSON.stringify(headers).slice(0, 70)} is refused`, () => {
    assert.throws(() => lab.identify(headers), { name: 'Failure', code: 'credential_invalid', message });
  });
}

test('without a key and without the option, a JWT is refused with what to set', () => {
  const message = /no key to verify it with; set jwt\.secret, jwt\.publicKey or jwt\.jwksUrl, or allowUnverifiedJwts$/;

  assert.throws(() => createIdentifier().identify({ authorization: jwt }), { code: 'credential_invalid', message });
});

test('a JWT that is verified names its user, with the id that NAT gives', async () => {
  const authorization = `Bearer ${await signed({ sub: 'u1', groups: ['staff'] })}`;

  const identity = await verifying.identify({ authorization });

  assert.equal(identity?.userId, u1);
  assert.equal(identity?.verified, true);
  assert.deepEqual(identity?.info.kind === 'jwt' && identity.info.details.groups, ['staff']);
});

test('a JWT with a valid signature and without a user is refused', async () => {
  const authorization = `Bearer ${await signed({ name: 'Nobody' })}`;

  await assert.rejects(async () => verifying.identify({ authorization }), {
    code: 'credential_invalid',
    message: noClaim,
  });
});

test('while JWTs are verified, other credentials cost no promise', () => {
  const others = [
    { cookie },
    { 'x-api-key': 'k' },
    { authorization: 'Bearer k' },
    { authorization: basic('bob:pw') },
    {},
  ];

  for (const headers of others) assert.ok(!(verifying.identify(headers) instanceof Promise));
});

test('while JWTs are verified, the sub of a user is not that user as a cookie, a key or a name', async () => {
  const users = await Promise.all([
    verifying.identify({ authorization: `Bearer ${await signed({ sub: 'alice' })}` }),
    verifying.identify({ cookie }),
    verifying.identify({ 'x-api-key': 'alice' }),
    verifying.identify({ authorization: basic('alice:') }),
    verifying.identify({ authorization: `Bearer ${await signed({ email: 'alice' })}` }),
  ]);

  assert.equal(users[0]?.userId, alice);
  assert.equal(new Set(users.map((identity) => identity?.userId)).size, 5);
});

test('the scheme of ids can be chosen against the default', () => {
  const asOnNat = createIdentifier({ jwt: { secret }, userIds: 'nat' }).identify({ cookie });
  const apart = createIdentifier({ userIds: 'by_kind' }).identify({ cookie });

  assert.ok(asOnNat && !(asOnNat instanceof Promise) && apart && !(apart instanceof Promise));
  assert.equal(asOnNat.userId, alice);
  assert.notEqual(apart.userId, alice);
});

test('an auth message names a user as headers do', async () => {
  const named = [
    lab.identifyMessage({ method: 'jwt', token: unsigned({ sub: 'alice' }) }),
    lab.identifyMessage({ method: 'api_key', token: 'k' }),
    lab.identifyMessage({ method: 'basic', username: 'alice', password: 's3cret' }),
    await verifying.identifyMessage({ method: 'jwt', token: await signed({ sub: 'u1' }) }),
  ];

  assert.deepEqual(
    (await Promise.all(named)).map(({ kind, userId, verified }) => [kind, userId, verified]),
    [
      ['jwt', alice, false],
      ['api_key', k, false],
      ['basic', aliceBasic, false],
      ['jwt', u1, true],
    ],
  );
});

const refusedMessages: [payload: Parameters<Identifier['identifyMessage']>[0], message: string][] = [
  [{ method: 'jwt', token: '' }, 'JWT token is empty or malformed (expected 3 dot-separated parts)'],
  [{ method: 'jwt', token: 'k' }, 'JWT token is empty or malformed (expected 3 dot-separated parts)'],
  [{ method: 'jwt', token: 'a.b.c' }, undecoded],
  [{ method: 'jwt', token: unsigned({}) }, noClaim],
  [{ method: 'api_key', token: '' }, 'API key token is empty'],
  [{ method: 'basic', username: '', password: 'pw' }, 'Basic auth username must not be empty'],
];

for (const [payload, message] of refusedMessages) {
  test(`an auth message ${JSON.stringify(payload).slice(0, 60)} is refused`, () => {
    assert.throws(() => lab.identifyMessage(payload), { code: 'credential_invalid', message });
  });
}

test('a user whom a verified JWT names with blanks around is not the user without them', async () => {
  const ids = await Promise.all(
    ['alice', ' alice', 'alice ', '\talice'].map(async (sub) => {
      const identity = await verifying.identify({ authorization: `Bearer ${await signed({ sub })}` });
      return identity?.userId;
    }),
  );

  assert.equal(new Set(ids).size, 4);
  assert.equal(ids[0], alice);
});

test('where two issuers share a key, each has its own users', async () => {
  const issuer = ['https://a.example', 'https://b.example'];
  const { identify } = createIdentifier({ jwt: { secret, issuer } });
  const ids = await Promise.all(
    issuer.map(
      async (iss) => (await identify({ authorization: `Bearer ${await signed({ sub: 'alice', iss })}` }))?.userId,
    ),
  );

  assert.notEqual(ids[0], ids[1]);
});

const byProxy = createIdentifier({ header: 'X-User-ID' });

test('where a proxy says who the user is, that counts above all credentials, with the id of NAT', () => {
  const identity = byProxy.identify({ 'x-user-id': ' alice ', cookie, authorization: jwt, 'x-api-key': 'k' });

  assert.ok(identity && !(identity instanceof Promise));
  assert.equal(identity.kind, 'header');
  assert.equal(identity.userId, uuidV5('trusted-header:x-user-id\x1falice', natNamespace));
  assert.equal(identity.info.kind === 'header' && identity.info.details, 'alice');
});

const repeatedHeader = { 'x-user-id': 'alice, bob' };
noteRepeated(repeatedHeader, 'x-user-id');

const unsaid: [headers: Headers, message: string][] = [
  [{}, "Configured identity header 'x-user-id' is missing"],
  [{ cookie, 'x-api-key': 'k' }, "Configured identity header 'x-user-id' is missing"],
  [{ 'x-user-id': ' ' }, "Configured identity header 'x-user-id' must not be empty"],
  [repeatedHeader, "Configured identity header 'x-user-id' must occur exactly once"],
];

for (const [headers, message] of unsaid) {
  test(`behind such a proxy a request with ${JSON.stringify(headers)} is refused`, () => {
    assert.throws(() => byProxy.identify(headers), { code: 'credential_invalid', message });
  });
}

test('behind such a proxy a value with commas is one user, and a message cannot replace the user', () => {
  const identity = byProxy.identify({ 'x-user-id': 'cn=alice,ou=people' });

  assert.ok(identity && !(identity instanceof Promise));
  assert.throws(() => byProxy.identifyMessage({ method: 'api_key', token: 'k' }), {
    code: 'credential_invalid',
    message: 'A message cannot replace the identity that the proxy asserts.',
  });
});

const kinds: [kind: 'session_cookie' | 'jwt' | 'api_key' | 'basic', headers: Headers][] = [
  ['session_cookie', { cookie }],
  ['jwt', { authorization: jwt }],
  ['api_key', { authorization: 'Bearer k' }],
  ['api_key', { 'x-api-key': 'k' }],
  ['basic', { authorization: basic('alice:pw') }],
];

for (const [kind, headers] of kinds) {
  test(`of credentials, ${kind} in ${Object.keys(headers)} counts only where it is accepted`, async () => {
    const others = kinds.map(([other]) => other).filter((other) => other !== kind);
    const only = createIdentifier({ allowUnverifiedJwts: true, accepted: [kind] });
    const allBut = createIdentifier({ allowUnverifiedJwts: true, accepted: others });
    const none = createIdentifier({ allowUnverifiedJwts: true, accepted: [] });

    assert.ok(await only.identify(headers));
    for (const identifier of [allBut, none]) {
      assert.throws(() => identifier.identify(headers), {
        code: 'credential_invalid',
        message: `Identity credential type '${kind}' is not accepted`,
      });
    }
    assert.equal(none.identify({}), undefined);
  });
}

test('an auth message of a kind that is not accepted is refused too', () => {
  const { identifyMessage } = createIdentifier({ allowUnverifiedJwts: true, accepted: ['session_cookie'] });
  const payloads = [
    { method: 'jwt', token: unsigned({ sub: 'u1' }) },
    { method: 'api_key', token: 'k' },
    { method: 'basic', username: 'a', password: 'b' },
  ] as const;

  for (const payload of payloads) {
    const message = `Identity credential type '${payload.method}' is not accepted`;
    assert.throws(() => identifyMessage(payload), { code: 'credential_invalid', message });
  }
});

test('an operator is who sends one of the keys, whole', () => {
  const { isOperator } = createIdentifier({ operatorKey: ['first-operator-key', 'second-operator-key'] });
  const keys = ['first-operator-key', 'second-operator-key', 'first-operator-ke', 'first-operator-key!', ''];

  const verdicts = keys.map((key) => isOperator({ 'x-operator-key': key }));

  assert.deepEqual(verdicts, [true, true, false, false, false]);
  assert.equal(isOperator({ authorization: 'Bearer first-operator-key' }), false);
});

test('without an operator key no caller is an operator', () => {
  assert.equal(createIdentifier().isOperator({ 'x-operator-key': '' }), false);
  assert.equal(createIdentifier({ operatorKey: [] }).isOperator({}), false);
});

const noHeaderName = 'header must be the name of a header that carries no other credential';
const someIssuer = { issuerUrl: 'https://a.example', jwksUri: 'https://a.example/jwks', audience: 'api' };

const badOptions: [options: IdentityOptions, message: string][] = [
  [{ operatorKey: 'fifteen letters' }, 'operatorKey must have at least 16 characters'],
  [{ operatorKey: ['sixteen letters!', ''] }, 'operatorKey must have at least 16 characters'],
  [{ jwt: { secret }, allowUnverifiedJwts: true }, 'jwt and allowUnverifiedJwts exclude each other'],
  [{ allowUnverifiedJwts: 'false' as unknown as boolean }, 'allowUnverifiedJwts must be true or false'],
  [{ userIds: 'other' as 'nat' }, 'userIds must be nat or by_kind'],
  [{ operatorKeys: [] } as IdentityOptions, 'unknown option operatorKeys'],
  [{ issuers: [] }, 'issuers: expected at least one'],
  [{ issuers: [someIssuer, someIssuer] }, 'issuers: two of them have the issuerUrl https://a.example'],
  [{ issuers: [someIssuer], jwt: { secret } }, 'issuers excludes jwt and allowUnverifiedJwts'],
  [{ issuers: [someIssuer], accepted: ['basic'] }, 'issuers needs jwt among the accepted credentials'],
  [{ header: 'x user' }, noHeaderName],
  [{ header: 'X-API-Key' }, noHeaderName],
  [{ header: 'guest-token' }, noHeaderName],
  [{ header: 'x-forwarded-host' }, noHeaderName],
  [{ header: 'Cookie' }, noHeaderName],
  [{ header: 'x-user', accepted: [] }, 'header excludes jwt, issuers, accepted and allowUnverifiedJwts'],
  [{ header: 'x-user', jwt: { secret } }, 'header excludes jwt, issuers, accepted and allowUnverifiedJwts'],
];

for (const [options, message] of badOptions) {
  test(`options are refused at start: ${message}, given ${Object.keys(options)}`, () => {
    assert.throws(() => createIdentifier(options), { code: 'options_invalid', message });
  });
}

test('what the options leave open is said at start, and nothing else', () => {
  const warned: [options: IdentityOptions, about: string[]][] = [
    [{}, []],
    [{ jwt: { secret, audience: 'api' } }, []],
    [{ jwt: { secret } }, ['jwt.audience']],
    [{ jwt: { secret, audience: 'api' }, userIds: 'nat' }, ['userIds']],
    [{ allowUnverifiedJwts: true }, ['allowUnverifiedJwts:']],
    [{ jwt: { jwksUrl: 'https://a.example/jwks', audience: 'api' } }, ['jwt.issuer']],
    [{ header: 'x-user' }, ['header:']],
    [{ issuers: [someIssuer] }, []],
  ];

  for (const [options, about] of warned) {
    const { warnings } = createIdentifier(options);
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ')[0]),
      about,
    );
  }
});

const outcome = async (identifier: Identifier, headers: Headers) => {
  try {
    return await identifier.identify(headers);
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, `${thrown}`);
    return thrown;
  }
};

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const identifiers = [
  lab,
  byProxy,
  verifying,
  createIdentifier(),
  createIdentifier({ jwt: { publicKey: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString() } }),
];

test('for any headers, a caller has an identity, has none, or is refused with a Failure', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  const token = fc
    .tuple(text, text, text)
    .map((parts) => `Bearer ${parts.map((part) => base64url.encode(part)).join('.')}`);
  const header = fc.record(
    {
      cookie: fc.oneof(
        text,
        text.map((value) => `nat-session=${value}`),
      ),
      authorization: fc.oneof(
        text,
        token,
        text.map((value) => `Bearer ${value}`),
        text.map(basic),
      ),
      'x-api-key': text,
    },
    { requiredKeys: [] },
  );

  await fc.assert(
    fc.asyncProperty(header, fc.constantFrom(...identifiers), async (headers, identifier) => {
      const result = await outcome(identifier, headers as Headers);
      if (!(result === undefined || result instanceof Failure)) assert.match(result.userId, /^[0-9a-f-]{36}$/);
    }),
    { numRuns: 500 },
  );
});

test('a JWT with one changed character identifies no user', async () => {
  const token = await signed({ sub: 'u1', email: 'e@example.com' });
  const bytesOf = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (position, character) => {
      fc.pre(token[position] !== '.');
      const changed = token.slice(0, position) + character + token.slice(position + 1);
      fc.pre(bytesOf(changed).join() !== bytesOf(token).join());

      const result = await outcome(verifying, { authorization: `Bearer ${changed}` });

      assert.ok(result instanceof Failure);
    }),
    { numRuns: 300 },
  );
});

test('no refusal repeats the credential or the key', async () => {
  const mark = 'c0ffee';
  const secrets = [
    `Bearer ${mark}.${mark}.${mark}`,
    `Bearer ${unsigned({ name: mark })}`,
    `Bearer ${await signed({ sub: mark, exp: 0 })}`,
    `Bearer ${await signed({ sub: mark, nbf: 9e9 })}`,
    basic(mark),
    basic(`:${mark}`),
    `Basic ${mark}!`,
  ];

  for (const identifier of identifiers) {
    for (const authorization of secrets) {
      const result = await outcome(identifier, { authorization });
      if (result instanceof Failure)
        assert.doesNotMatch(`${result.message} ${result.cause}`, /c0ffee|YzBmZmVl|shared secret/);
    }
  }
});
