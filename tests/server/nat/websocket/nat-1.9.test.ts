/** What the last release of NAT has on sockets: who counts is configured, and pages say how they open consents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import { givenSocketServer, isComplete, isError, textsOf, userMessage } from '../../../support/socket-server.ts';

const whoAmI = workflow({ name: 'who', run: async (_: unknown, ctx) => ctx.user ?? 'nobody' });
const isAuth = ({ type }: { type?: unknown }) => type === 'auth_response_message';

const rejected: [what: string, config: object, query: string, headers: Record<string, string>, details: string][] = [
  ['without the header of the proxy', { header: 'x-user' }, '', {}, "Configured identity header 'x-user' is missing"],
  [
    'with a header that says nothing',
    { header: 'x-user' },
    '?session=alice',
    { 'x-user': '' },
    "Configured identity header 'x-user' must not be empty",
  ],
  [
    'with a kind of credential that is not accepted',
    { accepted: ['basic'] },
    '?session=alice',
    {},
    "Identity credential type 'session_cookie' is not accepted",
  ],
];

for (const [what, identity, query, headers, details] of rejected) {
  test(`a socket ${what} is told so and closed, and restores nothing`, async (t) => {
    const { connect } = await givenSocketServer(t, { workflow: whoAmI, config: { identity } });

    const client = await connect(query, headers);
    const [message] = await client.until(isAuth);

    assert.equal(message?.status, 'error');
    assert.equal((message?.payload as { details: string }).details, details);
    await client.when(() => client.code !== undefined).catch(() => {});
    assert.equal(client.code, 1008);
  });
}

test('behind the proxy its header is the user, and no message replaces it', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: whoAmI, config: { identity: { header: 'X-User' } } });
  const client = await connect('?session=mallory', { 'x-user': 'alice', 'x-api-key': 'k' });
  const user = async () => {
    client.send(userMessage('who'));
    return textsOf(await client.until(isComplete))[0];
  };

  const before = await user();
  client.send({ type: 'auth_message', payload: { method: 'api_key', token: 'mallory' } });
  const [refused] = await client.until(isAuth);

  assert.equal(refused?.status, 'error');
  assert.match(String(before), /^[0-9a-f-]{36}$/);
  assert.equal(await user(), before);
});

test('how a page opens consents is taken without a word', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: whoAmI });
  const client = await connect('?session=alice');

  for (const mode of ['redirect', 'popup', undefined]) {
    client.send({ type: 'auth_message', payload: { method: 'oauth_mode_preference', mode } });
  }
  client.send(userMessage('who'));
  const messages = await client.until(isComplete);

  assert.deepEqual(
    messages.map(({ type }) => type).filter((type) => /auth|error/.test(String(type))),
    [],
  );
  client.send({ type: 'auth_message', payload: { method: 'oauth_mode_preference', mode: 'iframe' } });
  assert.ok(isError((await client.until(isError)).at(-1)!));
});
