/** The console as files, and who is let in by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { given } from '../../support/given.ts';

const hello = workflow({ name: 'hello', run: () => 'hello' });
const operatorKey = 'the key of the operator';

test('the page is looked at anew each time, and what it is made of is kept for good', async (t) => {
  const { call } = await given.server(t, { workflow: hello });

  const page = await call('GET /console');
  const [, script = ''] = /src="\.(\/console\/[^"]+\.js)"/.exec(String(page.body)) ?? [];
  const file = await call(`GET ${script}`, { headers: { 'accept-encoding': 'gzip' } });
  const again = await call('GET /console', { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });

  assert.equal(page.headers.get('cache-control'), 'no-cache');
  assert.equal(file.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(file.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(file.headers.get('content-encoding'), 'gzip');
  assert.equal(again.status, 304);
});

test('the page allows itself no script or style within, and nothing from elsewhere', async (t) => {
  const { call } = await given.server(t, { workflow: hello });

  const { headers, body } = await call('GET /console');

  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|http/);
  assert.doesNotMatch(String(body), /<style|<script(?![^>]* src=)|https?:/);
});

test('a file that there is not is not found, wherever it would be', async (t) => {
  const { call } = await given.server(t, { workflow: hello });

  for (const path of [
    '/console/nothing.js',
    '/console/..%2findex.html',
    '/console/%2e%2e%2findex.html',
    '/console/a/b',
  ]) {
    assert.equal((await call(`GET ${path}`)).status, 404, path);
  }
});

test('without a console, a local address makes no operator', async (t) => {
  const { call } = await given.server(t, { workflow: hello, config: { console: false } });
  const headers = { 'x-as-operator': '1' };

  assert.equal((await call('GET /console')).status, 404);
  assert.equal((await call('GET /builders', { headers })).status, 403);
});

test('a caller on this machine is an operator if it asks for it, and otherwise has no identity', async (t) => {
  const { call } = await given.server(t, { workflow: hello });
  const asked = { 'x-as-operator': '1' };

  assert.equal((await call('GET /builders', { headers: asked })).status, 200);
  assert.equal((await call('GET /builders')).status, 403);
  assert.equal((await call('GET /executions')).status, 404);
  const refused = [{ 'x-forwarded-for': '203.0.113.9' }, { origin: 'https://elsewhere.example' }];
  for (const more of refused)
    assert.equal((await call('GET /builders', { headers: { ...asked, ...more } })).status, 403);
});

test('a browser that has signed in is operator by its cookie, from our pages only', async (t) => {
  const { call } = await given.server(t, { workflow: hello, config: { identity: { operatorKey } } });
  const far = { 'x-forwarded-for': '203.0.113.9' };

  const signedIn = await call('POST /operator', { headers: far, body: { key: operatorKey } });
  const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const statusWith = async (headers: Record<string, string>) =>
    (await call('GET /builders', { headers: { ...far, ...headers } })).status;

  assert.equal(await statusWith({ cookie, 'x-as-operator': '1' }), 200);
  assert.equal(await statusWith({ cookie }), 403, 'without the header that other pages cannot send');
  assert.equal(await statusWith({ cookie, 'x-as-operator': '1', origin: 'https://elsewhere.example' }), 403);
  assert.equal(await statusWith({ 'x-operator-key': operatorKey }), 200);
});

test('the refusal of a sign-in that cannot be read does not repeat the key', async (t) => {
  const { server } = await given.server(t, { workflow: hello, config: { identity: { operatorKey } } });

  const reply = await fetch(`${server.url}/operator`, { method: 'POST', body: JSON.stringify({ key: operatorKey }) });

  assert.equal(reply.status, 422);
  assert.doesNotMatch(await reply.text(), /the key of the operator/);
});
