/** Credentials must not be found in the files of a server. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { createServer } from '../../../server/index.ts';

const asker = workflow({
  name: 'asker',
  run: async (_input: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
});

const OPERATOR_KEY = 'the-key-of-the-operator';
const headers = {
  'x-operator-key': OPERATOR_KEY,
  'x-api-key': 'the-key-of-a-caller',
  cookie: 'nat-session=the-session-of-a-caller',
  'proxy-authorization': 'Basic the-password-of-a-proxy',
  'x-auth-token': 'the-token-of-a-gateway',
  'x-forwarded-access-token': 'the-token-of-another-gateway',
  'x-goog-iap-jwt-assertion': 'what-google-asserts',
  'x-whatever': 'the-secret-of-a-header-nobody-knows',
  referer: 'https://app.example/?token=the-token-of-a-page',
};
const query = {
  session: 'the-session-of-a-socket',
  access_token: 'the-token-of-a-link',
  sig: 'the-signature-of-a-link',
};

for (const dataSecret of [undefined, 'a secret of more than enough characters']) {
  test(`credentials are in no file, ${dataSecret === undefined ? 'without a secret' : 'with one'}`, async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'fermata-'));
    t.after(() => rmSync(data, { recursive: true }));
    const config = { host: '127.0.0.1', port: 0, data, dataSecret, identity: { operatorKey: OPERATOR_KEY } };
    const server = await createServer({ workflow: asker, config });

    const started = await fetch(`${server.url}/v1/workflow?${new URLSearchParams(query)}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'what-is-no-credential' },
      body: '{}',
    });
    assert.equal(started.status, 202);
    const files = readdirSync(data).map((name) => join(data, name));
    const bytes = files.map((file) => readFileSync(file, 'latin1')).join('');
    const modes = files.map((file) => statSync(file).mode & 0o077);
    await server.close();

    assert.ok(bytes.includes('what-is-no-credential'));
    for (const value of [...Object.values(headers), ...Object.values(query)])
      assert.ok(!bytes.includes(value.split(/[= ]/).at(-1)!), value);
    assert.deepEqual(new Set(modes), new Set([0]), 'other users cannot read them');
  });
}
