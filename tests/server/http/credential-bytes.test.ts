/** Credentials with bytes that are no ASCII at their ends: node:http keeps these bytes, and uWebSockets.js cannot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog, workflow } from '../../../runtime/index.ts';
import { createServer } from '../../../server/index.ts';
import { serverDefaults } from '../../../server/options.ts';
import { given } from '../../support/given.ts';
import { rawRequest, sendRaw } from '../../support/http.ts';

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
    const { body } = await sendRaw(t, server.port, rawRequest('POST /v1/workflow', headers, '{}'));
    users.push((JSON.parse(body) as { value: string }).value);
  }

  const [, , key, , , bearer] = users;
  assert.equal(bearer, key, 'a key is one key, however it is sent');
  assert.equal(new Set(users).size, lines.length - 1);
  for (const user of users) assert.match(user, /^[0-9a-f-]{36}$/);
});

const identity = { header: 'X-User' };

test('where a proxy names the user, names that differ in bytes at their ends are different users', async (t) => {
  const { server } = await given.server(t, { workflow: who, config: { identity, adapter: undefined } });
  const users = new Set<string>();
  for (const name of ['jos', 'jos\xe9', 'jos\xc3\xa9', '\xe9jos']) {
    const headers = ['Content-Type: application/json', 'Content-Length: 2', `X-User: ${name}`];
    const { body } = await sendRaw(t, server.port, rawRequest('POST /v1/workflow', headers, '{}'));
    users.add((JSON.parse(body) as { value: string }).value);
  }

  assert.equal(users.size, 4);
});

test('a server says in its log that uWebSockets.js may take two users of a proxy for one', async (t) => {
  const warningsWith = async (adapter: 'uws' | 'node'): Promise<string[]> => {
    const warned: string[] = [];
    const log = { ...silentLog, warn: (_: object, text?: string) => void warned.push(text ?? '') };
    const config = { ...serverDefaults, host: '127.0.0.1', port: 0, identity, adapter };
    const server = await createServer({ workflow: who, config, log });
    t.after(() => server.close());
    return warned.filter((text) => text.includes('--adapter node'));
  };

  assert.equal((await warningsWith('uws')).length, 1);
  assert.equal((await warningsWith('node')).length, 0);
});
