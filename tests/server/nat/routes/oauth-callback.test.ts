/** Where browsers come back to, in both ways in which providers send them. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import { bank } from '../../../support/bank-provider.ts';
import { given, operator } from '../../../support/given.ts';
import { immediate } from '../../../support/in-process.ts';

const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).scopes });
const alice = { 'x-api-key': 'alice' };

const world = async (t: TestContext) => {
  const provider = { ...(await bank(t)), scopes: ['read'] };
  const { call, server, runtime } = await given.server(t, {
    workflow: agent,
    config: { providers: { bank: provider } },
  });
  const start = async (headers: Record<string, string> = alice) => {
    const { body } = await call('POST /v1/workflow', { headers, body: {} });
    return body as { execution_id: string; oauth_state: string; auth_url: string };
  };
  const result = async ({ execution_id: id }: { execution_id: string }) => {
    const execution = immediate(runtime.get(id, operator))!;
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    return execution.context;
  };
  const post = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/auth/redirect`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { origin: 'https://login.example', ...headers },
    });
  return { call, server, start, result, post };
};

test('a callback may be posted as a form, by the page of the provider', async (t) => {
  const { start, post, result } = await world(t);
  const asked = await start();

  const page = await post({ state: asked.oauth_state, code: 'ok', session_state: 'of the provider' });

  assert.equal(page.status, 200);
  assert.match(await page.text(), /Authentication complete/);
  assert.deepEqual((await result(asked)).result, ['read']);
});

test('a refusal may be posted as well, and a state counts once', async (t) => {
  const { start, post, result } = await world(t);
  const asked = await start();

  const refused = await post({ state: asked.oauth_state, error: 'access_denied' });
  const again = await post({ state: asked.oauth_state, code: 'ok' });

  assert.deepEqual([refused.status, again.status], [403, 400]);
  assert.match(JSON.stringify(await result(asked)), /access_denied/);
});

test('a posted callback that is no form, or is too long, settles nothing', async (t) => {
  const { call, start, post } = await world(t);
  const { oauth_state: state } = await start();

  const json = await call(`POST /auth/redirect?state=${state}&code=ok`, { body: { state, code: 'ok' } });
  const long = await post({ state, code: 'x'.repeat(100_000) });
  const good = await post({ state, code: 'ok' });

  assert.deepEqual([json.status, long.status, good.status], [400, 413, 200]);
});
