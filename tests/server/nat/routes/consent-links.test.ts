/** Consents that are bound to the user of their run: who may give them, in which browser, and where it goes afterwards. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import type { ServerOptions } from '../../../../server/index.ts';
import { bank } from '../../../support/bank-provider.ts';
import { given, operator } from '../../../support/given.ts';
import { immediate } from '../../../support/in-process.ts';

const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).scopes });
const alice = { 'x-api-key': 'alice' };
const mallory = { 'x-api-key': 'mallory' };

const world = async (t: TestContext, more: Partial<ServerOptions> = {}, redirectUri?: string) => {
  const provider = { ...(await bank(t)), scopes: ['read'], ...(redirectUri && { redirectUri }) };
  const made = await given.server(t, {
    workflow: agent,
    config: {
      providers: { bank: provider },
      bindConsents: true,
      consentReturnOrigins: ['https://app.example'],
      ...more,
    },
  });
  const { call, runtime, server } = made;
  const start = async (headers: Record<string, string> = alice) => {
    const { body } = await call('POST /v1/workflow', { headers, body: {} });
    return body as { execution_id: string; oauth_state: string; auth_url: string };
  };
  const result = async ({ execution_id: id }: { execution_id: string }) => {
    const execution = immediate(runtime.get(id, operator))!;
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    return execution.context;
  };
  /** Follows the link of the consent, as this caller. */
  const follow = async ({ auth_url }: { auth_url: string }, headers: Record<string, string> = {}, query = '') => {
    const { pathname, search } = new URL(auth_url + query);
    const reply = await call(`GET ${pathname}${search}`, { headers });
    return { ...reply, cookie: reply.headers.get('set-cookie')?.split(';')[0] ?? '' };
  };
  const comeBack = ({ oauth_state: state }: { oauth_state: string }, headers: Record<string, string> = {}) =>
    call(`GET /auth/redirect?state=${state}&code=ok`, { headers });
  return { ...made, provider, start, result, follow, comeBack, url: server.url };
};

test('the link of a consent leads its user to the provider, and the browser that comes back may give it', async (t) => {
  const { start, follow, comeBack, result, provider } = await world(t);
  const asked = await start();
  assert.equal(asked.auth_url, `http://127.0.0.1/oauth/connect/${asked.oauth_state}`);

  const sent = await follow(asked, alice);

  const to = new URL(sent.headers.get('location') ?? '');
  assert.equal(sent.status, 303);
  assert.equal(to.origin + to.pathname, provider.authorizationUrl);
  assert.equal(to.searchParams.get('state'), asked.oauth_state);
  assert.match(
    sent.headers.get('set-cookie') ?? '',
    /^fermata-consent-[\w-]{16}=[\w-]{43}; Path=\/auth\/redirect; Max-Age=300; HttpOnly; SameSite=Lax$/,
  );
  const back = await comeBack(asked, { cookie: sent.cookie });
  assert.equal(back.status, 200);
  assert.deepEqual((await result(asked)).result, ['read']);
});

test('a consent cannot be given by a browser that the user did not come with, and stays open for the right one', async (t) => {
  const { start, follow, comeBack, result } = await world(t);
  const asked = await start(mallory);
  const other = await start(alice);
  const { cookie } = await follow(asked, mallory);
  const { cookie: ofOther } = await follow(other, alice);
  const name = cookie.split('=')[0];

  for (const cookie of ['', ofOther, `${name}=`, `${name}=x`, `${name}=${ofOther.split('=')[1]}`]) {
    const back = await comeBack(asked, cookie === '' ? {} : { cookie });
    assert.equal(back.status, 400, cookie);
  }
  assert.equal((await comeBack(asked, { cookie, ...alice })).status, 400, 'a browser of another user');

  assert.equal((await comeBack(asked, { cookie })).status, 200);
  assert.deepEqual((await result(asked)).result, ['read']);
  assert.equal((await comeBack(other, { cookie: ofOther })).status, 200);
  await result(other);
});

test('the link lets only the user of the run pass', async (t) => {
  const { start, follow, comeBack, result } = await world(t, { identity: { operatorKey: 'the key of the operator' } });
  const asked = await start();

  for (const headers of [mallory, { 'x-operator-key': 'the key of the operator', ...mallory }]) {
    const reply = await follow(asked, headers);
    assert.deepEqual([reply.status, reply.cookie], [404, '']);
  }
  for (const headers of [{}, { 'x-operator-key': 'the key of the operator' }]) {
    const reply = await follow(asked, headers);
    assert.deepEqual([reply.status, reply.cookie], [401, '']);
  }
  assert.equal((await follow({ auth_url: asked.auth_url.replace(/[^/]*$/, 'unknown') }, alice)).status, 404);

  const { cookie } = await follow(asked, alice);
  await comeBack(asked, { cookie });
  await result(asked);
  assert.equal((await follow(asked, alice)).status, 404, 'a consent that was given');
});

test('a program gets the address of the provider, and the cookie for its browser', async (t) => {
  const { start, follow, comeBack, result, provider } = await world(t);
  const asked = await start();

  const { status, body, cookie } = await follow(asked, { ...alice, accept: 'application/json' });

  assert.equal(status, 200);
  assert.ok((body as { auth_url: string }).auth_url.startsWith(provider.authorizationUrl!));
  assert.equal((await comeBack(asked, { cookie })).status, 200);
  await result(asked);
});

test('the browser returns to the page that it came from, if its origin is listed', async (t) => {
  const { start, follow, comeBack, result } = await world(t);
  for (const page of [
    'https://app.example/agenda?day=1#top',
    'http://127.0.0.1/agenda',
    'https:app.example\\@evil.example', // of app.example, as browsers read it
  ]) {
    const asked = await start({ 'x-api-key': page });
    const { cookie } = await follow(asked, { 'x-api-key': page }, `?return_to=${encodeURIComponent(page)}`);

    const back = await comeBack(asked, { cookie });

    const to = new URL(page);
    to.searchParams.set('oauth_auth_completed', 'true');
    assert.deepEqual([back.status, back.headers.get('location')], [303, to.href]);
    await result(asked);
  }
});

test('a page that is not listed is refused, however it is written', async (t) => {
  const { start, follow, comeBack, result } = await world(t);
  const asked = await start();
  const pages = [
    'https://evil.example/',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'http://app.example/',
    'https://app.example:8443/',
    '//app.example/',
    '/agenda',
    'javascript:alert(1)',
    'blob:https://app.example/7f',
    `https://app.example/${'x'.repeat(2_000)}`,
    '',
  ];
  for (const page of pages) {
    const reply = await follow(asked, alice, `?return_to=${encodeURIComponent(page)}`);
    assert.deepEqual([reply.status, reply.cookie], [422, ''], page);
  }
  const twice = await follow(asked, alice, '?return_to=https://app.example/&return_to=https://app.example/');
  assert.equal(twice.status, 422);

  const { cookie } = await follow(asked, alice, '?return_to=https://app.example/');
  const forged = `${cookie.split('.')[0]}.${Buffer.from('https://evil.example/').toString('base64url')}`;
  const back = await comeBack(asked, { cookie: forged });
  assert.deepEqual([back.status, back.headers.get('location')], [200, null]);
  await result(asked);
});

test('a run without a user gets no consent', async (t) => {
  const { call } = await world(t);

  const { status, body } = await call('POST /v1/workflow', { body: {} });

  assert.equal(status, 422);
  assert.match(JSON.stringify(body), /user/);
});

test('behind a proxy with a prefix the link and the cookie have it too, and the cookie is secure with TLS', async (t) => {
  const { start, follow } = await world(t, {}, 'https://host.example/api/auth/redirect');
  const asked = await start();
  assert.equal(asked.auth_url, `https://host.example/api/oauth/connect/${asked.oauth_state}`);

  const { headers } = await follow({ auth_url: asked.auth_url.replace('/api', '') }, alice);

  assert.match(headers.get('set-cookie') ?? '', /; Path=\/api\/auth\/redirect; .*SameSite=Lax; Secure$/);
});

test('a callback that the provider posts is sent on, because browsers post no such cookie for another site', async (t) => {
  const { start, follow, result, url } = await world(t);
  const asked = await start();
  const { cookie } = await follow(asked, alice);

  const posted = await fetch(`${url}/auth/redirect`, {
    method: 'POST',
    body: new URLSearchParams({ state: asked.oauth_state, code: 'ok' }),
    redirect: 'manual',
  });
  const location = new URL(posted.headers.get('location') ?? '', `${url}/auth/redirect`);
  const back = await fetch(location, { headers: { cookie } });

  assert.deepEqual([posted.status, back.status], [303, 200]);
  assert.deepEqual((await result(asked)).result, ['read']);
});

test('without the option the link leads to the provider, and there is no such route', async (t) => {
  const { start, comeBack, call, provider, result } = await world(t, { bindConsents: false });
  const asked = await start();

  assert.ok(asked.auth_url.startsWith(provider.authorizationUrl!));
  assert.equal((await call(`GET /oauth/connect/${asked.oauth_state}`, { headers: alice })).status, 404);
  assert.equal((await comeBack(asked)).status, 200);
  await result(asked);
});

for (const origin of ['https://app.example/', 'app.example', '*', 'null', 'https://app.example/page']) {
  test(`${JSON.stringify(origin)} is no origin to return to`, async (t) => {
    await assert.rejects(world(t, { consentReturnOrigins: [origin] }), { code: 'options_invalid' });
  });
}
