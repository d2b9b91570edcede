import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { base64url, type CompactJWSHeaderParameters, CompactSign, exportJWK, type JWK } from 'jose';
import { Failure } from '../../../runtime/errors.ts';
import { createIdentifier } from '../../../server/identity/identifier.ts';
import { createIssuersVerifier } from '../../../server/identity/issuers.ts';
import {
  createJwtVerifier as createStrictVerifier,
  type JwtOptions,
  readUnverified,
} from '../../../server/identity/jwt.ts';

const secret = 'a shared secret of thirty-two bytes, or more';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed25519 = generateKeyPairSync('ed25519');

const pem = (key: KeyObject) =>
  key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }).toString();
const bytes = (text: string) => new TextEncoder().encode(text);
const encoded = (value: unknown) => base64url.encode(JSON.stringify(value));

/** Of tokens that say no more than the test is about. */
const createJwtVerifier = (options: JwtOptions) => createStrictVerifier({ allowWithoutExpiry: true, ...options });

type Signer = KeyObject | Uint8Array;
const sign = (key: Signer, header: CompactJWSHeaderParameters, claims: object = { sub: 'u1' }): Promise<string> =>
  new CompactSign(bytes(JSON.stringify(claims))).setProtectedHeader(header).sign(key);

/** In NAT's words, and with no cause that could carry the token into the log. */
const refused = (reason: string) => (thrown: unknown) => {
  assert.ok(thrown instanceof Failure);
  assert.deepEqual(thrown.toJSON(), { code: 'credential_invalid', message: `Failed to decode JWT: ${reason}` });
  assert.equal(thrown.cause, undefined);
  return true;
};

const accepted: [alg: string, options: JwtOptions, key: Signer][] = [
  ['HS256', { secret }, bytes(secret)],
  ['HS512', { secret }, bytes(secret)],
  ['RS256', { publicKey: pem(rsa.publicKey) }, rsa.privateKey],
  ['PS384', { publicKey: pem(rsa.publicKey) }, rsa.privateKey],
  ['ES256', { publicKey: pem(p256.publicKey) }, p256.privateKey],
  ['ES384', { publicKey: pem(p384.publicKey) }, p384.privateKey],
  ['EdDSA', { publicKey: pem(ed25519.publicKey) }, ed25519.privateKey],
];

for (const [alg, options, key] of accepted) {
  test(`a token signed with ${alg} by the configured key is accepted`, async () => {
    const token = await sign(key, { alg }, { sub: 'u1', groups: ['staff'] });

    const claims = await createJwtVerifier(options)(token);

    assert.deepEqual(claims, { sub: 'u1', groups: ['staff'] });
  });
}

const issuer = 'https://issuer.example';
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

const judged: [what: string, claims: object, reason?: string][] = [
  ['that fits', {}],
  ['for one of several audiences', { aud: ['elsewhere', 'web'] }],
  ['that expired within the tolerance', { exp: inSeconds(-30) }],
  ['that becomes valid within the tolerance', { nbf: inSeconds(30) }],
  ['that has expired', { exp: inSeconds(-90) }, 'it has expired'],
  ['that expired in 1970', { exp: 0 }, 'it has expired'],
  ['that is not valid yet', { nbf: inSeconds(900) }, 'it is not valid yet'],
  ['of another issuer', { iss: 'https://evil.example' }, 'its issuer is not accepted here'],
  ['without an issuer', { iss: undefined }, 'its issuer is not accepted here'],
  ['for another audience', { aud: 'elsewhere' }, 'it was issued for another audience'],
  ['without an audience', { aud: undefined }, 'it was issued for another audience'],
  ['whose expiry is no number', { exp: 'never' }, 'its claims are malformed'],
];

for (const [what, claims, reason] of judged) {
  test(`a well signed token ${what} is ${reason ? 'refused' : 'accepted'}`, async () => {
    const options = { publicKey: pem(rsa.publicKey), issuer, audience: ['api', 'web'], clockToleranceS: 60 };
    const token = await sign(rsa.privateKey, { alg: 'RS256' }, { sub: 'u1', iss: issuer, aud: 'api', ...claims });

    const verdict = createJwtVerifier(options)(token);

    if (reason) await assert.rejects(verdict, refused(reason));
    else assert.equal((await verdict).sub, 'u1');
  });
}

const publicKey = pem(rsa.publicKey);
const [header, , signature] = (await sign(rsa.privateKey, { alg: 'RS256' })).split('.');
const embedded = { alg: 'RS256', jwk: await exportJWK(otherRsa.publicKey) };
const victim = encoded({ sub: 'victim' });

const forged: [what: string, options: JwtOptions, token: string, reason: string][] = [
  ['none and no signature, against a key', { publicKey }, `${encoded({ alg: 'none' })}.${victim}.`, 'algorithm'],
  ['none and no signature, against a secret', { secret }, `${encoded({ alg: 'none' })}.${victim}.`, 'algorithm'],
  ['none and a signature', { publicKey }, `${encoded({ alg: 'none' })}.${victim}.${signature}`, 'algorithm'],
  ['HS256 by the PEM of the public key', { publicKey }, await sign(bytes(publicKey), { alg: 'HS256' }), 'algorithm'],
  ['RS256 against a secret', { secret }, await sign(rsa.privateKey, { alg: 'RS256' }), 'algorithm'],
  ['ES256 against an RSA key', { publicKey }, await sign(p256.privateKey, { alg: 'ES256' }), 'algorithm'],
  [
    'RS512 where only RS256 is wanted',
    { publicKey, algorithms: ['RS256'] },
    await sign(rsa.privateKey, { alg: 'RS512' }),
    'algorithm',
  ],
  ['another key', { publicKey }, await sign(otherRsa.privateKey, { alg: 'RS256' }), 'signature'],
  ['a key of its own inside', { publicKey }, await sign(otherRsa.privateKey, embedded), 'signature'],
  ['another secret', { secret }, await sign(bytes(`${secret}!`), { alg: 'HS256' }), 'signature'],
  ['the signature of other claims', { publicKey }, `${header}.${victim}.${signature}`, 'signature'],
  ['no signature', { publicKey }, `${header}.${victim}.`, 'signature'],
  ['a header that is no JSON', { publicKey }, `a.${victim}.${signature}`, 'malformed'],
  ['nothing but dots', { publicKey }, '..', 'malformed'],
  ['letters between dots', { secret }, 'a.b.c', 'malformed'],
];

const reasonOf: Record<string, string> = {
  algorithm: 'its algorithm is not accepted here',
  signature: 'its signature does not match',
  malformed: 'it is malformed',
};

for (const [what, options, token, reason] of forged) {
  test(`a token with ${what} is refused`, async () => {
    await assert.rejects(createJwtVerifier(options)(token), refused(reasonOf[reason]!));
  });
}

/** An issuer on the loopback interface; `answer` may be replaced while it runs. */
const givenIssuer = async (t: TestContext, answer: RequestListener) => {
  const issuer = { answer, asked: 0, url: '' };
  const server = createServer((request, response) => {
    issuer.asked += 1;
    issuer.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  return issuer;
};

const publishing =
  (...keys: JWK[]): RequestListener =>
  (_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));

const rsaJwk = { ...(await exportJWK(rsa.publicKey)), kid: 'one', alg: 'RS256' };
const p256Jwk = { ...(await exportJWK(p256.publicKey)), kid: 'two' };

test('tokens of an issuer that publishes its keys are accepted, and the keys are fetched once', async (t) => {
  const issuer = await givenIssuer(t, publishing(rsaJwk, p256Jwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  const tokens = await Promise.all([
    sign(rsa.privateKey, { alg: 'RS256', kid: 'one' }),
    sign(p256.privateKey, { alg: 'ES256', kid: 'two' }),
    sign(rsa.privateKey, { alg: 'RS256' }),
  ]);

  const claims = await Promise.all(tokens.map(verify));

  assert.deepEqual(claims, [{ sub: 'u1' }, { sub: 'u1' }, { sub: 'u1' }]);
  assert.equal(issuer.asked, 1);
});

test('a token that never expires is refused, unless such are allowed', async () => {
  const token = await sign(bytes(secret), { alg: 'HS256' });

  await assert.rejects(createStrictVerifier({ secret })(token), refused('it has no expiry (exp)'));
  assert.deepEqual(await createStrictVerifier({ secret, allowWithoutExpiry: true })(token), { sub: 'u1' });
});

const scoped: [claims: object, isEnough: boolean][] = [
  [{ scope: 'read write' }, true],
  [{ scope: 'write admin read' }, true],
  [{ scp: ['read', 'write'] }, true],
  [{ scp: 'read', scope: 'write' }, true],
  [{ scope: 'read' }, false],
  [{ scope: 'readwrite' }, false],
  [{ scope: 5 }, false],
  [{}, false],
];

for (const [claims, isEnough] of scoped) {
  test(`a token with ${JSON.stringify(claims)} is ${isEnough ? 'enough' : 'not enough'} for read and write`, async () => {
    const verdict = createJwtVerifier({ secret, scopes: ['read', 'write'] })(
      await sign(bytes(secret), { alg: 'HS256' }, { sub: 'u1', ...claims }),
    );

    if (isEnough) assert.equal((await verdict).sub, 'u1');
    else await assert.rejects(verdict, refused('it lacks a scope that is needed here'));
  });
}

test('each of several issuers vouches for its own tokens, by its own key, audience and scopes', async (t) => {
  const [a, b] = [await givenIssuer(t, publishing(rsaJwk)), await givenIssuer(t, publishing(p256Jwk))];
  const verify = createIssuersVerifier([
    { issuerUrl: 'https://a.example', jwksUri: a.url, audience: 'api', scopes: ['run'] },
    { issuerUrl: 'https://b.example', jwksUri: b.url, audience: 'web', leewayS: 0 },
  ]);
  const claims = { sub: 'u1', exp: inSeconds(60) };
  const byA = (more: object) => sign(rsa.privateKey, { alg: 'RS256', kid: 'one' }, { ...claims, ...more });
  const byB = (more: object) => sign(p256.privateKey, { alg: 'ES256', kid: 'two' }, { ...claims, ...more });
  const [ofA, ofB] = [
    { iss: 'https://a.example', aud: 'api', scope: 'run' },
    { iss: 'https://b.example', aud: 'web' },
  ];

  assert.equal((await verify(await byA(ofA))).issuer, 'https://a.example');
  assert.equal((await verify(await byB(ofB))).issuer, 'https://b.example');
  const bad: [token: string, reason: string][] = [
    [await byA({ ...ofA, scope: 'read' }), 'it lacks a scope that is needed here'],
    [await byA({ ...ofA, aud: 'web' }), 'it was issued for another audience'],
    [await byA({ ...ofA, iss: 'https://c.example' }), 'its issuer is not accepted here'],
    [await byA({ ...ofA, iss: 'https://a.example/' }), 'its issuer is not accepted here'],
    [await byA({ ...ofA, iss: ['https://a.example'] }), 'its issuer is not accepted here'],
    [await byA({ ...ofA, iss: undefined }), 'its issuer is not accepted here'],
    [await byA({ ...ofA, iss: '__proto__' }), 'its issuer is not accepted here'],
    [await byA({ ...ofA, exp: undefined }), 'it has no expiry (exp)'],
    [await byA({ ...ofA, exp: inSeconds(-90) }), 'it has expired'],
    [await byB({ ...ofB, exp: inSeconds(-30) }), 'it has expired'],
    ['a.b.c', 'it is not made of base64url and JSON'],
  ];
  for (const [token, reason] of bad) await assert.rejects(verify(token), refused(reason));
  assert.equal((await verify(await byA({ ...ofA, exp: inSeconds(-30) }))).issuer, 'https://a.example');
  // The key of the one issuer says nothing for the other.
  await assert.rejects(verify(await byA(ofB)), { code: 'identity_unavailable' });
});

test('two issuers with the same key ids and the same subjects stay apart, whatever is mixed up', async (t) => {
  const otherJwk = { ...(await exportJWK(otherRsa.publicKey)), kid: 'one', alg: 'RS256' };
  const [a, b] = [await givenIssuer(t, publishing(rsaJwk)), await givenIssuer(t, publishing(otherJwk))];
  const [urlA, urlB] = ['https://a.example', 'https://b.example'];
  const { identify } = createIdentifier({
    issuers: [
      { issuerUrl: urlA, jwksUri: a.url, audience: 'api' },
      { issuerUrl: urlB, jwksUri: b.url, audience: 'api' },
    ],
  });
  const userOf = async (token: string) => (await identify({ authorization: `Bearer ${token}` }))?.userId;
  const claims = { sub: 'u1', aud: 'api', exp: inSeconds(60) };
  const signed = (key: KeyObject, iss: unknown, header: object = {}, more: object = {}) =>
    sign(key, { alg: 'RS256', kid: 'one', ...header }, { ...claims, iss, ...more });
  const [ofA, ofB] = [
    await userOf(await signed(rsa.privateKey, urlA)),
    await userOf(await signed(otherRsa.privateKey, urlB)),
  ];
  assert.ok(ofA !== undefined && ofB !== undefined);
  assert.notEqual(ofA, ofB);

  const mixedUp = [
    await signed(otherRsa.privateKey, urlA),
    await signed(rsa.privateKey, urlB),
    await signed(otherRsa.privateKey, urlA, { jku: b.url, jwk: otherJwk, x5u: b.url }),
    await signed(otherRsa.privateKey, urlA, { iss: urlB }),
    await signed(otherRsa.privateKey, [urlA, urlB]),
    await signed(otherRsa.privateKey, urlB, {}, { iss: `${urlB} ${urlA}` }),
    await signed(otherRsa.privateKey, `${urlB}/../a.example`),
  ];
  for (const token of mixedUp) await assert.rejects(userOf(token), { code: 'credential_invalid' });
  // Members that look like an identity are claims of the issuer that has signed them.
  for (const more of [
    { issuer: urlA },
    { azp: urlA },
    { 'https://a.example': true },
    { email: 'u1', preferred_username: 'u1' },
  ]) {
    assert.equal(await userOf(await signed(otherRsa.privateKey, urlB, {}, more)), ofB);
  }
});

test('a token with an unknown key id is refused, and another one waits until the keys are fetched again', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  const token = await sign(rsa.privateKey, { alg: 'RS256', kid: 'unknown' });

  await assert.rejects(verify(token), refused('no key of the issuer fits'));
  t.mock.timers.tick(10_000);
  await assert.rejects(verify(token), { code: 'identity_unavailable', retryAfterMs: 20_000 });
  assert.equal(issuer.asked, 1);

  t.mock.timers.tick(20_000);
  await assert.rejects(verify(token), refused('no key of the issuer fits'));
  assert.equal(issuer.asked, 2);
});

test('while the issuer is away, known keys serve for a day, and unknown ones wait', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  const token = await sign(rsa.privateKey, { alg: 'RS256', kid: 'one' });
  await verify(token);
  issuer.answer = (request) => request.socket.destroy();

  for (const hours of [1, 12, 10]) {
    t.mock.timers.tick(hours * 3_600_000);
    assert.deepEqual(await verify(token), { sub: 'u1' });
  }
  const unknown = verify(await sign(p256.privateKey, { alg: 'ES256', kid: 'two' }));
  await assert.rejects(unknown, { code: 'identity_unavailable', retryAfterMs: 2_000 });
  t.mock.timers.tick(2 * 3_600_000);
  await assert.rejects(verify(token), { code: 'identity_unavailable' });
});

test('keys that are ten minutes old are fetched anew while they serve', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  const token = await sign(rsa.privateKey, { alg: 'RS256', kid: 'one' });
  await verify(token);

  t.mock.timers.tick(600_001);
  const fetched = new Promise<void>((resolve) => {
    issuer.answer = (request, response) => {
      publishing(p256Jwk)(request, response);
      response.on('close', resolve);
    };
  });
  assert.deepEqual(await verify(token), { sub: 'u1' }, 'it does not wait for the issuer');
  await fetched;

  const isGood = () =>
    verify(token).then(
      () => true,
      () => false,
    );
  for (let turn = 0; turn < 10_000 && (await isGood()); turn += 1) await setImmediate();
  assert.equal(await isGood(), false, 'the key that was withdrawn is gone');
});

test('a key that the issuer has added is found once the cooldown is over', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  await verify(await sign(rsa.privateKey, { alg: 'RS256', kid: 'one' }));

  issuer.answer = publishing(rsaJwk, p256Jwk);
  t.mock.timers.tick(30_001);
  const claims = await verify(await sign(p256.privateKey, { alg: 'ES256', kid: 'two' }));

  assert.deepEqual(claims, { sub: 'u1' });
});

test('a token without key id is refused where two keys of the issuer fit', async (t) => {
  const second = { ...(await exportJWK(otherRsa.publicKey)), kid: 'three', alg: 'RS256' };
  const issuer = await givenIssuer(t, publishing(rsaJwk, second));

  const verdict = createJwtVerifier({ jwksUrl: issuer.url })(await sign(rsa.privateKey, { alg: 'RS256' }));

  await assert.rejects(verdict, refused('several keys of the issuer fit, it needs a kid'));
});

test('a token signed by a published key that is too short is refused, and the log learns why', async (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const issuer = await givenIssuer(t, publishing(await exportJWK(weak.publicKey)));
  const token = [encoded({ alg: 'RS256' }), victim, signature].join('.');

  await assert.rejects(createJwtVerifier({ jwksUrl: issuer.url })(token), (thrown: Failure) => {
    assert.equal(thrown.message, 'Failed to decode JWT: it does not fit the key of this server');
    assert.match(String(thrown.cause), /2048 bits/);
    return true;
  });
});

test('HS256 by a published key is refused without asking the issuer', async (t) => {
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const token = await sign(bytes(publicKey), { alg: 'HS256', kid: 'one' });

  await assert.rejects(createJwtVerifier({ jwksUrl: issuer.url })(token), refused(reasonOf.algorithm!));

  assert.equal(issuer.asked, 0);
});

const down: [what: string, answer: RequestListener][] = [
  ['answers 500', (_, response) => response.writeHead(500).end()],
  ['sends elsewhere', (_, response) => response.writeHead(302, { location: '/keys' }).end()],
  ['answers a page', (_, response) => response.end('<html>')],
  ['answers JSON that holds no keys', (_, response) => response.end('{"error":"down"}')],
  ['hangs up', (request) => request.socket.destroy()],
  ['never answers', () => {}],
  [
    'answers more than keys have',
    (_, response) => response.end(' '.repeat(2_000_000) + JSON.stringify({ keys: [rsaJwk] })),
  ],
];

for (const [what, answer] of down) {
  test(`while the issuer ${what}, a retry may help, and the issuer is left alone for a moment`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const issuer = await givenIssuer(t, answer);
    const verify = createJwtVerifier({ jwksUrl: issuer.url, jwksTimeoutMs: 100 });
    const token = await sign(rsa.privateKey, { alg: 'RS256' });

    const unavailable = { name: 'Failure', retryable: true, message: /^The keys that verify JWTs cannot be fetched/ };
    await assert.rejects(verify(token), { ...unavailable, retryAfterMs: 2_000 });
    t.mock.timers.tick(500);
    await assert.rejects(verify(token), { ...unavailable, retryAfterMs: 1_500 });
    assert.equal(issuer.asked, 1);

    issuer.answer = publishing(rsaJwk);
    t.mock.timers.tick(40_000);
    assert.deepEqual(await verify(token), { sub: 'u1' });
  });
}

test('keys that were fetched stay in use while the issuer is down', async (t) => {
  const issuer = await givenIssuer(t, publishing(rsaJwk));
  const verify = createJwtVerifier({ jwksUrl: issuer.url });
  const token = await sign(rsa.privateKey, { alg: 'RS256', kid: 'one' });
  await verify(token);

  issuer.answer = (request) => request.socket.destroy();

  assert.deepEqual(await verify(token), { sub: 'u1' });
});

test('an unverified token is read whatever its algorithm, signature and expiry are', () => {
  const token = `${encoded({ alg: 'none' })}.${encoded({ sub: 'u1', exp: 0 })}.c2ln`;

  assert.deepEqual(readUnverified(token), { sub: 'u1', exp: 0 });
});

const unreadable: [what: string, token: string][] = [
  ['letters', 'a.b.c'],
  ['nothing', '..'],
  ['a list as claims', `${encoded({ alg: 'none' })}.${encoded(['u1'])}.`],
  ['bytes that are no text', `${encoded({ alg: 'none' })}.${base64url.encode(Uint8Array.of(0x22, 0xff, 0x22))}.`],
  ['a header that is no JSON', `a.${victim}.`],
];

for (const [what, token] of unreadable) {
  test(`an unverified token of ${what} is refused`, () => {
    assert.throws(() => readUnverified(token), refused('it is not made of base64url and JSON'));
  });
}

const badOptions: [options: JwtOptions, message: RegExp][] = [
  [{}, /^jwt needs exactly one of secret, publicKey and jwksUrl/],
  [{ secret, publicKey }, /^jwt needs exactly one of/],
  [{ secret: 5 as unknown as string }, /^jwt needs exactly one of/],
  [{ secret, issuers: 'x' } as JwtOptions, /^unknown option jwt\.issuers$/],
  [{ secret: 'too short' }, /^jwt\.secret must have at least 32 bytes, got 9$/],
  [{ secret: publicKey }, /^jwt\.secret must be a shared secret, got PEM/],
  [{ publicKey: 'not a key' }, /^jwt\.publicKey must be PEM$/],
  [{ publicKey: pem(rsa.privateKey) }, /^jwt\.publicKey must be a public key, got a private one$/],
  [
    { publicKey: pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey) },
    /^jwt\.publicKey must have at least 2048 bits, got 1024$/,
  ],
  [
    { publicKey: pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) },
    /^jwt\.publicKey must lie on P-256, P-384 or P-521, got secp256k1$/,
  ],
  [
    { publicKey: pem(generateKeyPairSync('x25519').publicKey) },
    /^jwt\.publicKey must be RSA, EC or Ed25519, got x25519$/,
  ],
  [{ jwksUrl: 'not a URL' }, /^jwt\.jwksUrl must be a https URL/],
  [{ jwksUrl: 'http://issuer.example/jwks' }, /^jwt\.jwksUrl must be a https URL/],
  [{ jwksUrl: 'http://127.0.0.1.evil.example/jwks' }, /^jwt\.jwksUrl must be a https URL/],
  [{ jwksUrl: 'https://issuer.example/jwks', jwksTimeoutMs: 0 }, /^jwt\.jwksTimeoutMs must be .* at least 1, got 0$/],
  [{ publicKey, algorithms: ['HS256'] }, /^jwt\.algorithms may hold RS256, .* with this key, got HS256$/],
  [{ secret, algorithms: ['none'] }, /^jwt\.algorithms may hold HS256, HS384, HS512 with this key, got none$/],
  [{ secret, algorithms: [] }, /^jwt\.algorithms must not be empty$/],
  [{ secret, issuer: '' }, /^jwt\.issuer must not be empty$/],
  [{ secret, audience: [] }, /^jwt\.audience must not be empty$/],
  [{ secret, clockToleranceS: -1 }, /^jwt\.clockToleranceS must be a number of at least 0, got -1$/],
];

for (const [options, message] of badOptions) {
  test(`options for JWTs are refused at start: ${message.source}`, () => {
    assert.throws(() => createJwtVerifier(options), { code: 'options_invalid', message });
  });
}
