/** Credentials with bytes that are no ASCII at their ends: node:http keeps these bytes, and uWebSockets.js cannot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { given } from '../../support/given.ts';
import { ask, request } from '../../support/http.ts';

const who = workflow({ name: 'who', run: async (_: unknown, ctx) => String(ctx.user) });

const lines = [
  'X-API-Key: secret-k',
  'X-API-Key: secret-k\xfc',
  'X-API-Key: \xfcsecret-k',
  'X-API-Key: m\xfcller',
  'X-API-Key: \xfc',
  'Authorization: Bearer \xfcsecret-k',
  'Cookie: nat-session=a\xfc',
  'Cookie: nat-session=a',
];

test('on node:http credentials that differ in bytes at their ends are different users', async (t) => {
  const { server } = await given.server(t, { workflow: who, config: { adapter: 'node' } });
  const users: string[] = [];
  for (const line of lines) {
    const headers = ['Content-Type: application/json', 'Content-Length: 2', line];
    const { body } = await ask(t, server.port, request('POST /v1/workflow', headers, '{}'));
    users.push((JSON.parse(body) as { value: string }).value);
  }

  const [, , key, , , bearer] = users;
  assert.equal(bearer, key, 'a key is one key, however it is sent');
  assert.equal(new Set(users).size, lines.length - 1);
  for (const user of users) assert.match(user, /^[0-9a-f-]{36}$/);
});
