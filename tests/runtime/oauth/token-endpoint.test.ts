/** Token endpoints that do not behave: what a user is told, and what never leaves us. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CallbackOutcome, createOAuth, type OAuthOptions } from '../../../runtime/oauth/oauth.ts';
import { heldAnswer, json, type TokenAnswer, type TokenRequest, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const secret = 'lab-secret';
const code = 'code-of-the-callback';

/** An endpoint that answers so, and a consent that has come to its callback. */
const callback = async (t: TestContext, answer: TokenAnswer, options: Partial<OAuthOptions> = {}) => {
  const endpoint = await tokenEndpoint(t, answer);
  const clock = { ms: 1_000_000 };
  const oauth = createOAuth({
    providers: {
      bank: {
        clientId: 'lab-client',
        clientSecret: secret,
        authorizationUrl: `${endpoint.origin}/authorize`,
        tokenUrl: `${endpoint.origin}/token`,
        redirectUri: 'http://127.0.0.1:8000/auth/redirect',
        scopes: ['read', 'write'],
      },
    },
    now: () => clock.ms,
    timeoutMs: 300_000,
    ...options,
  });
  t.after(() => oauth.stop());
  const { state } = oauth.begin({ provider: 'bank', user: 'user-1', executionId: 'execution-1' });
  const url = new URL(`http://127.0.0.1:8000/auth/redirect?code=${code}&state=${state}`);
  const complete = () => oauth.complete({ url, user: 'user-1' });
  return { endpoint, clock, oauth, state, complete };
};

/** No secret of a request may appear in an outcome. */
const assertSafe = (told: CallbackOutcome, { form, authorization = '', url }: TokenRequest) => {
  const text = JSON.stringify(told);
  for (const kept of [secret, code, url, authorization.replace('Basic ', ''), form.code_verifier ?? '']) {
    assert.ok(kept !== '' && !text.includes(kept), `${kept} is told: ${text}`);
  }
};

const failed = (outcome: CallbackOutcome) => {
  assert.ok(outcome.outcome === 'failed', `the outcome is ${outcome.outcome}`);
  return outcome;
};

test('the client is authenticated and the code is sent as providers without much tolerance expect it', async (t) => {
  const { endpoint, complete } = await callback(t, json({ access_token: 'token-1', token_type: 'Bearer' }));

  const outcome = await complete();

  const { code_verifier: verifier, ...form } = endpoint.requests[0]?.form ?? {};
  assert.equal(outcome.outcome, 'granted');
  assert.equal(endpoint.requests[0]?.authorization, 'Basic bGFiLWNsaWVudDpsYWItc2VjcmV0');
  assert.match(verifier ?? '', /^[A-Za-z0-9._~-]{43,128}$/);
  assert.deepEqual(form, {
    grant_type: 'authorization_code',
    redirect_uri: 'http://127.0.0.1:8000/auth/redirect',
    code,
  });
});

const echo: TokenAnswer = (response, request) => {
  const { form, authorization, url } = request;
  const echoed = `${secret} ${code} ${form.code_verifier} ${url}`;
  json({ error: `no_${secret}`, error_description: `\u202e${echoed}\n${authorization}` }, 400)(response, request);
};
const html: TokenAnswer = (response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>');
const redirect: TokenAnswer = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
const huge: TokenAnswer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ access_token: 'x'.repeat(300_000), token_type: 'Bearer' }));
};
const torn: TokenAnswer = (response) =>
  response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
const plainError: TokenAnswer = (response) => response.writeHead(401, { 'content-type': 'text/plain' }).end('no');

const answers: [name: string, answer: TokenAnswer, kind: string, error?: string][] = [
  ['refuses the code', json({ error: 'invalid_grant' }, 400), 'rejected', 'invalid_grant'],
  [
    'puts markup into its error',
    json({ error: '<b>bad</b>', error_description: 'not text' }, 400),
    'rejected',
    '<b>bad</b>',
  ],
  ['repeats what it was sent', echo, 'rejected', 'no_[removed]'],
  ['describes its error by a number', json({ error: 'odd', error_description: 7 }, 400), 'rejected', 'odd'],
  ['hides an error under status 200', json({ error: 'bad_code' }), 'rejected', 'bad_code'],
  ['hides an error under status 201', json({ ok: false, error: 'bad_code' }, 201), 'rejected', 'bad_code'],
  ['says it with a status of its own', json({ status: 400, message: 'Bad state' }, 400), 'rejected', 'Bad state'],
  [
    'says it in an object',
    json({ error: { type: 'OAuthException', message: 'No' } }, 400),
    'rejected',
    'OAuthException',
  ],
  [
    'challenges beside its error',
    json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic' }),
    'rejected',
    'invalid_client',
  ],
  ['gives neither token nor error', json({ message: 'no' }, 400), 'unusable'],
  ['succeeds without a token', json({ token_type: 'Bearer' }), 'unusable'],
  ['gives a token that is no text', json({ access_token: 7, token_type: 'Bearer' }), 'unusable'],
  ['gives a token that needs a proof', json({ access_token: 'token-1', token_type: 'DPoP' }), 'unusable'],
  ['gives a life of no number', json({ access_token: 'token-1', expires_in: 'soon' }), 'unusable'],
  ['answers with a list', json(['token-1']), 'unusable'],
  ['talks HTML', html, 'unusable'],
  ['refuses in plain text', plainError, 'unusable'],
  ['sends us elsewhere', redirect, 'unusable'],
  ['does not stop talking', huge, 'unusable'],
  ['is down', json({ error: 'server_error' }, 500), 'unreachable'],
  ['is busy', json({ error: 'slow_down' }, 429), 'unreachable'],
  ['hangs up', (response) => response.destroy(), 'unreachable'],
  ['hangs up in the middle', torn, 'unreachable'],
];

for (const [name, answer, kind, error] of answers) {
  test(`a consent fails as ${kind}, once and without a secret in its reason, if the provider ${name}`, async (t) => {
    const { endpoint, oauth, state, complete } = await callback(t, answer);

    const outcome = failed(await complete());

    assert.equal(outcome.kind, kind);
    assert.equal(outcome.error, error);
    assert.ok(outcome.reason.length > 10);
    assert.equal(endpoint.requests.length, 1);
    assertSafe(outcome, endpoint.requests[0] ?? assert.fail());
    assert.doesNotMatch(JSON.stringify(outcome), /\u202e|\\n/);
    assert.equal(oauth.claim(state), undefined);
    assert.equal(await oauth.token(subject('user-1'), 'bank'), undefined);
    assert.deepEqual(await complete(), { outcome: 'unknown_state' });
  });
}

const generous: [name: string, body: Record<string, unknown>][] = [
  ['no token type', { access_token: 'token-1' }],
  ['an ID token that nobody can check', { access_token: 'token-1', token_type: 'bearer', id_token: 'a.b.c' }],
  [
    'null for what it does not have',
    { access_token: 'token-1', token_type: 'Bearer', expires_in: null, refresh_token: null },
  ],
  ['its life as text', { access_token: 'token-1', token_type: 'Bearer', expires_in: '3600' }],
  ['a life of no seconds', { access_token: 'token-1', token_type: 'Bearer', expires_in: 0 }],
  ['scopes as a list', { access_token: 'token-1', token_type: 'Bearer', scope: ['read', 'write'] }],
  ['scopes with commas', { access_token: 'token-1', token_type: 'Bearer', scope: 'read, write' }],
  ['a token of Slack for a bot', { ok: true, access_token: 'token-1', token_type: 'bot', scope: 'read,write' }],
  ['a token of Slack for a user', { ok: true, authed_user: { access_token: 'token-1', token_type: 'user' } }],
];
for (const [name, body] of generous) {
  test(`a token is good even if the provider gives ${name}`, async (t) => {
    const { oauth, state, complete } = await callback(t, json(body));

    await complete();

    const token = oauth.claim(state);
    assert.equal(token?.value, 'token-1');
    assert.deepEqual(token.scopes, ['read', 'write']);
  });
}

test('a token is good with status 201, and as a form', async (t) => {
  const form: TokenAnswer = (response) =>
    response
      .writeHead(201, { 'content-type': 'application/x-www-form-urlencoded' })
      .end('access_token=token-1&scope=read%2Cwrite&token_type=bearer');

  for (const answer of [json({ access_token: 'token-1', token_type: 'Bearer' }, 201), form]) {
    const { oauth, state, complete } = await callback(t, answer);

    await complete();

    assert.equal(oauth.claim(state)?.value, 'token-1');
  }
});

test('a provider that does not answer in time is unreachable', async (t) => {
  const { endpoint, complete } = await callback(t, () => {}, { requestTimeoutMs: 250 });

  const outcome = failed(await complete());

  assert.equal(outcome.kind, 'unreachable');
  assert.equal(outcome.reason, 'The provider did not answer within 250 ms.');
  assertSafe(outcome, endpoint.requests[0] ?? assert.fail());
});

test('a provider that begins its answer and does not end it in time is unreachable', async (t) => {
  const begun: TokenAnswer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  const { complete } = await callback(t, begun, { requestTimeoutMs: 250 });

  const outcome = failed(await complete());

  assert.equal(outcome.reason, 'The provider did not answer within 250 ms.');
});

test('stopping ends the requests under way, and later ones are not begun', async (t) => {
  const never = heldAnswer(() => {});
  const { endpoint, oauth, complete } = await callback(t, never.answer);
  const { state } = oauth.begin({ provider: 'bank', user: 'user-1', executionId: 'execution-2' });
  const outcome = complete();
  await never.asked;

  oauth.stop();

  const later = new URL(`http://host/auth/redirect?code=${code}&state=${state}`);
  assert.equal(failed(await outcome).reason, 'The server is shutting down.');
  assert.equal(failed(await oauth.complete({ url: later, user: 'user-1' })).kind, 'unreachable');
  assert.equal(endpoint.requests.length, 1);
});

test('a port without a server is unreachable, and its address is not shown', async (t) => {
  const { endpoint, complete } = await callback(t, () => {}, {
    fetch: (_url, init) => fetch('http://127.0.0.1:1/token', init),
  });

  const outcome = failed(await complete());

  assert.equal(outcome.kind, 'unreachable');
  assert.equal(endpoint.requests.length, 0);
  assert.doesNotMatch(JSON.stringify(outcome), /127\.0\.0\.1|ECONN/);
});

const callbacks = [
  ['has neither code nor error', ''],
  ['has two codes', `code=${code}&code=other&`],
  ['is signed, which nobody asked for', `response=jwt&code=${code}&`],
];
for (const [name, query] of callbacks) {
  test(`a callback that ${name} fails without a request`, async (t) => {
    const { endpoint, oauth, state } = await callback(t, json({ access_token: 'token-1' }));

    const url = new URL(`http://host/auth/redirect?${query}state=${state}`);
    const outcome = failed(await oauth.complete({ url, user: 'user-1' }));

    assert.equal(outcome.kind, 'unusable');
    assert.deepEqual(endpoint.requests, []);
  });
}

test('a callback with two states belongs to no consent', async (t) => {
  const { oauth, state, complete } = await callback(t, json({ access_token: 'token-1' }));

  const url = new URL(`http://host/auth/redirect?code=${code}&state=${state}&state=${state}`);
  const outcome = await oauth.complete({ url, user: 'user-1' });

  assert.deepEqual(outcome, { outcome: 'unknown_state' });
  assert.equal((await complete()).outcome, 'granted');
});

test('a consent that is abandoned while its code is exchanged leaves a token to the user, and none to claim', async (t) => {
  const exchange = heldAnswer(json({ access_token: 'token-1' }));
  const { oauth, state, complete } = await callback(t, exchange.answer);
  const outcome = complete();
  await exchange.asked;

  oauth.abandon(state);
  exchange.release();

  assert.equal((await outcome).outcome, 'granted');
  assert.equal(oauth.claim(state), undefined);
  assert.equal((await oauth.token(subject('user-1'), 'bank'))?.value, 'token-1');
});
