/** Consents on sockets, as the last release of NAT has them: asked for beforehand, and in the page itself. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Context, type OAuthProviderConfig, workflow } from '../../../../runtime/index.ts';
import type { ServerOptions } from '../../../../server/options.ts';
import { bank } from '../../../support/bank-provider.ts';
import {
  contentOf,
  givenSocketServer,
  isComplete,
  isPrompt,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';
import type { SocketClient } from '../../../support/web-socket.ts';

const pays = workflow({
  name: 'pays',
  run: async (_: unknown, ctx: Context) => (await ctx.authorize('bank')).value,
});
const page = 'http://127.0.0.1:3000';
const alice = { cookie: 'nat-session=alice', origin: page };

const world = async (
  t: TestContext,
  providers: Readonly<Record<string, Partial<OAuthProviderConfig>>>,
  config: Partial<ServerOptions> = {},
) => {
  const known = await bank(t);
  const all = Object.fromEntries(Object.entries(providers).map(([name, more]) => [name, { ...known, ...more }]));
  const talk = await givenSocketServer(t, { workflow: pays, config: { providers: all, ...config } });
  /** The browser comes back from the provider. */
  const comeBack = async (authUrl: unknown, query = 'code=ok') => {
    const state = new URL(String(authUrl)).searchParams.get('state');
    return talk.call(`GET /auth/redirect?${query}&state=${state}`, { headers: { cookie: alice.cookie } });
  };
  return { ...talk, comeBack };
};

const consentOf = async (client: SocketClient) => contentOf((await client.until(isPrompt)).at(-1)!);
const preferring = (mode: string) => ({ type: 'auth_message', payload: { method: 'oauth_mode_preference', mode } });

test('a user is asked for consents beforehand when their socket connects, and runs use what was given', async (t) => {
  const { connect, comeBack } = await world(t, {
    bank: { preflightAuth: true },
    other: {},
    late: { preflightAuth: true },
  });

  const client = await connect('', alice);
  const [first, second] = [await consentOf(client), await consentOf(client)];
  const { status } = await comeBack(first.text);
  client.send(userMessage('go'));

  assert.deepEqual([first.input_type, second.input_type], ['oauth_consent', 'oauth_consent']);
  assert.notEqual(first.text, second.text);
  assert.equal(status, 200);
  const messages = await client.until(isComplete);
  assert.deepEqual(textsOf(messages), ['token-1']);
  assert.equal(messages.some(isPrompt), false);
  const again = await connect('', alice);
  assert.equal((await consentOf(again)).text, second.text, 'what is given is not asked for again');
});

test('a run that needs a consent while it is asked for beforehand shares it', async (t) => {
  const { connect, comeBack } = await world(t, { bank: { preflightAuth: true } });
  const client = await connect('', alice);
  const { text } = await consentOf(client);

  client.send(userMessage('go'));
  const shared = await consentOf(client);
  await comeBack(text);

  assert.equal(shared.text, text);
  assert.deepEqual(textsOf(await client.until(isComplete)), ['token-1']);
});

test('who has not said who they are is asked when they do, and not twice', async (t) => {
  const { connect } = await world(t, { bank: { preflightAuth: true } });
  const client = await connect();

  client.send({ type: 'auth_message', payload: { method: 'api_key', token: 'alice' } });
  const messages = await client.until(isPrompt);
  client.send({ type: 'auth_message', payload: { method: 'api_key', token: 'alice' } });
  await client.until(({ type }) => type === 'auth_response_message');

  assert.deepEqual(
    messages.map(({ type }) => type),
    ['auth_response_message', 'system_interaction_message'],
  );
  assert.deepEqual(client.messages.filter(isPrompt), []);
});

test('a consent that cannot be asked for beforehand is said so by name, and the socket goes on', async (t) => {
  const options = { runtime: { maxConsents: 1 } };
  const { connect } = await world(t, { bank: { preflightAuth: true }, late: { preflightAuth: true } }, options);
  const client = await connect('', alice);

  const messages = await client.until(({ code }) => code === 'user_auth_error');

  assert.equal(messages.filter(isPrompt).length, 1);
  assert.deepEqual(messages.at(-1), {
    code: 'user_auth_error',
    message: "Preflight authentication failed for provider 'late'",
    details: 'default',
  });
});

const modes: [what: string, config: Partial<OAuthProviderConfig>, said: string[], isBack: boolean][] = [
  ['a page that has said nothing', {}, [], false],
  ['a page that wants to be sent there itself', {}, ['redirect'], true],
  ['a page that has changed its mind', {}, ['redirect', 'popup'], false],
  ['a page that has said nothing, of a provider that wants it', { useRedirectAuth: true }, [], true],
  ['a page that wants a window, of a provider that does not', { useRedirectAuth: true }, ['popup'], false],
];

for (const [what, config, said, isBack] of modes) {
  test(`after a consent of ${what}, the browser ${isBack ? 'goes back to it' : 'closes its window'}`, async (t) => {
    const { connect, comeBack } = await world(t, { bank: config });
    const client = await connect('', alice);
    for (const mode of said) client.send(preferring(mode));
    client.send(userMessage('go'));
    const consent = await consentOf(client);

    const { status, headers, body } = await comeBack(consent.text);

    assert.equal(consent.use_redirect, config.useRedirectAuth);
    assert.deepEqual(textsOf(await client.until(isComplete)), ['token-1']);
    if (isBack) {
      assert.deepEqual([status, headers.get('location')], [303, `${page}/?oauth_auth_completed=true`]);
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
    } else {
      assert.equal(status, 200);
      assert.match(String(body), /close\(\)/);
    }
  });
}

test('a page that says what it wants while its run waits is heard; a refusal sends it back without success', async (t) => {
  const { connect, comeBack } = await world(t, { bank: {} });
  const client = await connect('', alice);
  client.send(userMessage('go'));
  const { text } = await consentOf(client);
  client.send(preferring('redirect'));
  client.send({ type: 'nonsense' });
  await client.until(({ type }) => type === 'error_message');

  const { status, headers } = await comeBack(text, 'error=access_denied');

  assert.deepEqual([status, headers.get('location')], [303, `${page}/`]);
  await client.until(isComplete);
});

for (const [said, config, isBack] of [
  ['redirect', {}, true],
  [undefined, { useRedirectAuth: true }, true],
  ['popup', { useRedirectAuth: true }, false],
] as const) {
  test(`a consent beforehand ends as its page wants it, which says ${said} after it was asked`, async (t) => {
    const { connect, comeBack } = await world(t, { bank: { preflightAuth: true, ...config } });
    const client = await connect('', alice);
    const { text } = await consentOf(client);
    if (said !== undefined) client.send(preferring(said));
    client.send({ type: 'nonsense' });
    await client.until(({ type }) => type === 'error_message');

    const { headers } = await comeBack(text);

    assert.equal(headers.get('location'), isBack ? `${page}/?oauth_auth_completed=true` : null);
  });
}

test('a run started by a request goes back to the page that sent it, if that page may call', async (t) => {
  for (const [origin, isBack] of [
    [page, true],
    ['https://evil.example', false],
    [undefined, false],
  ] as const) {
    const { call, comeBack } = await world(t, { bank: { useRedirectAuth: true } });
    const headers = { ...(origin && { origin }), cookie: alice.cookie };
    const { body } = await call('POST /v1/workflow', { headers, body: {} });

    const { status } = await comeBack((body as { auth_url: string }).auth_url);

    assert.equal(status, isBack ? 303 : 200, String(origin));
  }
});
