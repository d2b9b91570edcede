/** Who may operate: by the key, or at this machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetwork, type NetworkOptions } from '../../../server/http/network.ts';
import { Attempts } from '../../../server/identity/attempts.ts';
import { createIdentifier } from '../../../server/identity/identifier.ts';
import { createOperatorAccess } from '../../../server/identity/operator-access.ts';
import { controlledWorkflow } from '../../support/controlled-workflow.ts';
import { given } from '../../support/given.ts';

const key = 'the key of the operator';
const older = 'the key that was before';
const keys = [key, older];

let time = 0;
const operatorsOf = (operatorKey?: string | readonly string[], more: Partial<NetworkOptions> = {}) =>
  createOperatorAccess({
    identifier: createIdentifier(operatorKey === undefined ? {} : { operatorKey }),
    keys: operatorKey,
    network: createNetwork({ host: 'localhost', ...more }),
    attempts: new Attempts(() => time),
  });
const guarded = operatorsOf(keys);
const open = operatorsOf();
/** Every refusal of a key costs patience. */
const rested = () => {
  time += 3_600_000;
};

const host = 'fermata.example';
const far = (headers: Record<string, string> = {}) => ({
  headers: { host, ...headers },
  client: { host: '203.0.113.7', port: 1 },
});
const near = (headers: Record<string, string> = {}, address = '127.0.0.1') => ({
  headers: { host: 'localhost:8000', ...headers },
  client: { host: address, port: 1 },
});
const cookieOf = (secret: string) => guarded.signIn(secret, far())!.split(';')[0]!;

test('a caller with an operator key is an operator, in any way of sending it', () => {
  for (const one of keys) {
    assert.ok(guarded.mayOperate(far({ 'x-operator-key': one })));
    assert.ok(guarded.mayOperate(far({ authorization: `Bearer ${one.replaceAll(' ', '')}` })) === false);
    assert.ok(guarded.mayOperate(far({ 'x-api-key': one })));
    assert.ok(guarded.mayOperate(far({ cookie: `a=b; ${cookieOf(one)}` })));
  }
  const plain = operatorsOf('akeywithoutspaces');
  assert.ok(plain.mayOperate(far({ authorization: 'Bearer akeywithoutspaces' })));
});

test('other callers are not operators', () => {
  rested();
  for (const headers of [
    {},
    { 'x-operator-key': 'the key of somebody else' },
    { authorization: 'Bearer akeywithoutspaces' },
    { authorization: `Basic ${btoa(key)}` },
    { 'x-api-key': '' },
    { cookie: `fermata-operator=${encodeURIComponent(key)}` },
    { cookie: 'fermata-operator=' },
    { cookie: `fermata-operator=${'ä'.repeat(43)}` },
    { cookie: 'nat-session=operator' },
  ]) {
    assert.equal(guarded.mayOperate(far(headers)), false, JSON.stringify(headers));
    assert.equal(open.mayOperate(far(headers)), false, JSON.stringify(headers));
  }
});

test('without a key a caller on this machine is an operator, and with one only the key counts', () => {
  for (const source of [
    near(),
    near({ host: '127.0.0.1' }),
    near({ host: '[::1]:8000' }, '::1'),
    near({ origin: 'http://localhost:8000' }),
  ]) {
    assert.ok(open.mayOperate(source));
    assert.equal(guarded.mayOperate(source), false);
  }
});

test('a local address makes no operator on a public server, or behind a proxy', () => {
  for (const host of ['0.0.0.0', '::', '10.1.2.3', 'fermata.example']) {
    assert.equal(operatorsOf(undefined, { host }).mayOperate(near()), false, host);
  }
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '::1'])
    assert.ok(operatorsOf(undefined, { host }).mayOperate(near()));
  assert.equal(operatorsOf(undefined, { trustProxy: ['10.0.0.1'] }).mayOperate(near()), false);
  assert.equal(
    operatorsOf(undefined, { trustProxy: ['loopback'] }).mayOperate(near({ 'x-forwarded-for': '127.0.0.1' })),
    false,
  );
});

test('wrong keys are slowed down by address, whichever way they come, and a right one always works', () => {
  const operators = operatorsOf(keys);
  const ways = [
    (secret: string) => far({ 'x-operator-key': secret }),
    (secret: string) => far({ authorization: `Bearer ${secret.replaceAll(' ', '')}` }),
    (secret: string) => far({ 'x-api-key': secret }),
  ];
  const cookie = cookieOf(key);
  const required = { code: 'operator_required' };
  for (let tried = 0; tried < 9; tried += 1)
    assert.throws(() => operators.require(ways[tried % 3]!(`wrong ${tried}`)), required);
  assert.equal(operators.signIn('wrong', far()), undefined);

  const slowed = { code: 'too_many_attempts', retryAfterMs: 6_000 };
  for (const way of ways) assert.throws(() => operators.require(way('another')), slowed);
  assert.throws(() => operators.signIn('another', far()), slowed);
  for (const one of keys) {
    assert.ok(operators.hasKey(far({ 'x-operator-key': one })));
    assert.ok(operators.mayOperate(far({ 'x-api-key': one })));
    assert.ok(operators.signIn(one, far()));
  }
  assert.ok(operators.mayOperate(far({ cookie })), 'a browser that has signed in is not locked out');
  assert.equal(operators.mayOperate(far()), false, 'and a caller without a key is not limited');
  assert.throws(() => operators.mayOperate(far({ 'x-operator-key': 'wrong' })), slowed, 'a right key takes none back');
  const elsewhere = { host: '203.0.113.8', port: 1 };
  assert.equal(operators.mayOperate({ ...far({ 'x-operator-key': 'wrong' }), client: elsewhere }), false);

  time += 6_000;
  assert.equal(operators.mayOperate(far({ 'x-operator-key': 'wrong' })), false);
  assert.throws(() => operators.mayOperate(far({ 'x-operator-key': 'wrong' })), slowed);
});

test('the own key of a user is no wrong operator key where users may come in too', () => {
  const operators = operatorsOf(keys);
  const ofUsers = [{ authorization: 'Bearer mine' }, { 'x-api-key': 'mine' }];

  for (let asked = 0; asked < 30; asked += 1) assert.equal(operators.mayOperate(far(ofUsers[asked % 2]!)), false);

  for (let tried = 0; tried < 10; tried += 1) assert.equal(operators.hasKey(far({ 'x-operator-key': 'wrong' })), false);
  assert.throws(() => operators.hasKey(far({ 'x-operator-key': 'wrong' })), { code: 'too_many_attempts' });
});

test('an address that tries many different keys of users is slowed down, and known ones are not', () => {
  const operators = operatorsOf(keys);
  const ofUser = (name: string) => far({ 'x-api-key': name });
  rested();
  for (let tried = 0; tried < 49; tried += 1) assert.equal(operators.mayOperate(ofUser(`guess ${tried}`)), false);
  assert.equal(operators.mayOperate(ofUser('mine')), false);

  const slowed = { code: 'too_many_attempts' };
  assert.throws(() => operators.mayOperate(ofUser('guess 49')), slowed);
  assert.throws(() => operators.mayOperate(far({ authorization: 'Bearer guess49' })), slowed);
  for (let asked = 0; asked < 100; asked += 1) assert.equal(operators.mayOperate(ofUser('mine')), false);
  for (const one of keys) assert.ok(operators.mayOperate(ofUser(one)));
  assert.equal(operators.mayOperate({ ...ofUser('guess 50'), client: { host: '203.0.113.9', port: 1 } }), false);

  time += 200_000;
  assert.equal(operators.mayOperate(ofUser('mine')), false);
  assert.throws(() => operators.mayOperate(ofUser('guess 51')), { ...slowed, retryAfterMs: 100_000 });
  time += 100_000;
  assert.equal(operators.mayOperate(ofUser('guess 51')), false);
});

test('tokens of users, which change, are not taken for guesses', () => {
  const operators = operatorsOf(keys);
  for (let asked = 0; asked < 200; asked += 1) {
    assert.equal(operators.mayOperate(far({ authorization: `Bearer header.claims${asked}.signature` })), false);
  }
});

test('the addresses of one IPv6 network are one address', () => {
  const operators = operatorsOf(keys);
  const from = (host: string) => ({ headers: { host: 'a', 'x-operator-key': 'wrong' }, client: { host, port: 1 } });
  for (let tried = 0; tried < 10; tried += 1) operators.mayOperate(from(`2001:db8::${tried + 1}`));

  assert.throws(() => operators.mayOperate(from('2001:db8:0:0:ffff::')), { code: 'too_many_attempts' });
  assert.equal(operators.mayOperate(from('2001:db8:0:1::1')), false);
});

test('what came through a proxy is not from this machine', () => {
  for (const name of [
    ...[
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-port',
      'x-real-ip',
      'via',
    ],
    ...['x-client-ip', 'true-client-ip', 'cf-connecting-ip', 'cdn-loop', 'x-envoy-external-address', 'x-amzn-trace-id'],
  ]) {
    assert.equal(open.mayOperate(near({ [name]: '127.0.0.1' })), false, name);
  }
});

test('a request that closes its connection, as those of nginx without settings do, is not from this machine', () => {
  assert.equal(open.mayOperate(near({ connection: 'close' })), false);
  assert.equal(open.mayOperate(near({ connection: 'Close' })), false);
  assert.equal(open.mayOperate(near({ connection: 'keep-alive' })), true);
  for (const connection of ['close', 'keep-alive']) assert.equal(guarded.mayOperate(near({ connection })), false);
});

test('a page whose name was made to point to this machine may not', () => {
  for (const name of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:8000', '']) {
    assert.equal(open.mayOperate(near({ host: name })), false, name);
  }
  assert.equal(open.mayOperate({ headers: {}, client: { host: '127.0.0.1', port: 1 } }), false);
});

test('what browsers add by themselves does not count for pages of others, the key does', () => {
  for (const origin of [
    'https://evil.example',
    'http://localhost:3000',
    'http://localhost',
    'null',
    `https://x.${host}`,
  ]) {
    assert.equal(open.mayOperate(near({ origin })), false, origin);
    assert.equal(guarded.mayOperate(far({ origin, cookie: cookieOf(key) })), false, origin);
    assert.ok(guarded.mayOperate(far({ origin, 'x-operator-key': key })));
  }
  assert.ok(guarded.mayOperate(far({ origin: `https://${host}`, cookie: cookieOf(key) })));
});

test('the cookie holds no key, is kept from scripts and other sites, and is secure where the connection is', () => {
  const cookie = guarded.signIn(key, far())!;

  assert.match(cookie, /^fermata-operator=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.doesNotMatch(guarded.signIn(key, far({ 'x-forwarded-proto': 'https' }))!, /Secure/, 'any client can send it');
  assert.notEqual(cookie, guarded.signIn(older, far()));
  assert.equal(guarded.signIn('the key of somebody else', far()), undefined);
  assert.equal(open.signIn(key, far()), undefined);
});

test('a refusal says what to do', () => {
  assert.throws(() => guarded.require(far()), { code: 'operator_required', message: /X-Operator-Key/ });
  assert.throws(() => open.require(far()), { code: 'operator_required', message: /configure operator_key/ });
});

const proxied = { 'x-forwarded-for': '203.0.113.7' };

test('the cookie is secure where a trusted proxy says that the browser speaks TLS', async (t) => {
  const served = controlledWorkflow().workflow;
  const identity = { operatorKey: key };
  const behind = await given.server(t, { workflow: served, config: { identity, trustProxy: ['loopback'] } });
  const bare = await given.server(t, { workflow: served, config: { identity } });
  const headers = { 'x-forwarded-proto': 'https', ...proxied };

  const [secure, plain] = await Promise.all(
    [behind, bare].map(({ call }) => call('POST /operator', { headers, body: { key } })),
  );

  assert.match(secure!.headers.get('set-cookie')!, /; Secure$/);
  assert.doesNotMatch(plain!.headers.get('set-cookie')!, /Secure/);
});

test('a browser that is refused may sign in, and out again', async (t) => {
  const { call } = await given.server(t, {
    workflow: controlledWorkflow().workflow,
    config: { identity: { operatorKey: key } },
  });
  const visit = (headers: Record<string, string>) =>
    call('GET /inspect', { headers: { accept: 'text/html', ...proxied, ...headers } });

  const refused = await visit({});
  const wrong = await call('POST /operator', { headers: proxied, body: { key: 'another' } });
  const form = await call('POST /operator', { headers: { ...proxied, 'content-type': 'text/plain' }, body: { key } });
  const right = await call('POST /operator', { headers: proxied, body: { key } });
  const cookie = right.headers.get('set-cookie')?.split(';')[0] ?? '';
  const left = await call('DELETE /operator', { headers: { cookie } });

  assert.equal(refused.status, 403);
  assert.match(String(refused.body), /Operator key/);
  assert.equal(wrong.status, 403);
  assert.equal(form.status, 422);
  assert.equal(right.status, 204);
  assert.equal((await visit({ cookie })).status, 200);
  assert.match(left.headers.get('set-cookie') ?? '', /Max-Age=0/);
});

test('a program that is refused is told so in its own words', async (t) => {
  const { call } = await given.server(t, { workflow: controlledWorkflow().workflow });

  const { status, body } = await call('GET /inspect', { headers: proxied });

  assert.equal(status, 403);
  assert.equal((body as { code: string }).code, 'operator_required');
});

test('with one option there are no pages for operators', async (t) => {
  const { call } = await given.server(t, { workflow: controlledWorkflow().workflow, config: { console: false } });

  for (const line of ['GET /inspect', 'GET /inspect/socket', 'POST /operator']) {
    assert.equal((await call(line)).status, 404, line);
  }
});
