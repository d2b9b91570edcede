/** Which address a client has, and which names are ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetwork } from '../../../server/http/network.ts';

const peer = (host: string) => ({ host, port: 5 });

const chains: [trustProxy: string[], from: string, forwarded: string | undefined, client: string][] = [
  [[], '127.0.0.1', '203.0.113.7', '127.0.0.1'],
  [['loopback'], '127.0.0.1', undefined, '127.0.0.1'],
  [['loopback'], '127.0.0.1', '203.0.113.7', '203.0.113.7'],
  [['loopback'], '::1', '203.0.113.7', '203.0.113.7'],
  [['loopback'], '198.51.100.1', '203.0.113.7', '198.51.100.1'],
  [['loopback'], '127.0.0.1', '127.0.0.1, 203.0.113.7', '203.0.113.7'],
  [['loopback', '10.0.0.0/8'], '127.0.0.1', '192.0.2.1, 203.0.113.7, 10.2.3.4', '203.0.113.7'],
  [['loopback', '10.0.0.0/8'], '127.0.0.1', '10.9.9.9, 10.2.3.4', '10.9.9.9'],
  [['loopback'], '127.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
  [['loopback'], '127.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
  [['loopback'], '127.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
  [['loopback'], '127.0.0.1', '203.0.113.7, unknown', '127.0.0.1'],
  [['loopback'], '127.0.0.1', '203.0.113.7, <script>', '127.0.0.1'],
  [['loopback'], '127.0.0.1', ',', '127.0.0.1'],
  [['2001:db8::/32'], '2001:db8::5', '203.0.113.7', '203.0.113.7'],
  [['loopback'], '', '203.0.113.7', ''],
];

for (const [trustProxy, from, forwarded, client] of chains) {
  test(`trusting [${trustProxy}], a request of ${from || 'a lost client'} for ${forwarded} is from ${client || 'nowhere'}`, () => {
    const network = createNetwork({ host: '0.0.0.0', trustProxy });

    const found = network.clientOf(peer(from), forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });

    assert.equal(found.host, client);
    assert.equal(found.port, client === from ? 5 : 0);
  });
}

test('whether the browser speaks TLS is asked of trusted proxies only', () => {
  const isSecure = (trustProxy: string[], from: string, proto: string, forwarded = '203.0.113.7') => {
    const network = createNetwork({ host: '0.0.0.0', trustProxy });
    const headers = { 'x-forwarded-for': forwarded, 'x-forwarded-proto': proto };
    return network.isSecure({ headers, client: network.clientOf(peer(from), headers) });
  };

  assert.equal(isSecure([], '127.0.0.1', 'https'), false);
  assert.equal(isSecure(['10.0.0.1'], '127.0.0.1', 'https'), false);
  assert.equal(isSecure(['loopback'], '203.0.113.7', 'https'), false);
  assert.equal(isSecure(['loopback'], '127.0.0.1', 'http'), false);
  assert.equal(isSecure(['loopback'], '127.0.0.1', 'http, https'), false, 'the browser speaks to the first one');
  for (const forwarded of ['203.0.113.7', '127.0.0.1', '']) {
    assert.ok(isSecure(['loopback'], '127.0.0.1', 'https', forwarded));
    assert.ok(isSecure(['loopback'], '127.0.0.1', 'HTTPS, http', forwarded));
  }
});

const local = { host: 'localhost' };
const asked: [options: Parameters<typeof createNetwork>[0], name: string | undefined, isKnown: boolean][] = [
  [local, 'localhost:8000', true],
  [local, '127.0.0.1', true],
  [local, '127.8.9.1:80', true],
  [local, '[::1]:8000', true],
  [local, 'LocalHost.', true],
  [local, 'chat.localhost:8000', true],
  [local, undefined, true],
  [local, 'evil.example', false],
  [local, 'evil.example:8000', false],
  [local, 'localhost.evil.example', false],
  [local, 'notlocalhost', false],
  [local, '127.0.0.1.evil.example', false],
  [local, '127.0.0.1@evil.example', false],
  [local, '10.0.0.1', false],
  [local, '', false],
  [{ host: '127.0.0.1' }, 'localhost', true],
  [{ host: '::1' }, 'evil.example', false],
  [{ ...local, allowedHosts: ['app.example'] }, 'APP.example:8443', true],
  [{ ...local, allowedHosts: ['app.example'] }, 'localhost', true],
  [{ ...local, allowedHosts: ['app.example'] }, 'x.app.example', false],
  [{ ...local, allowedHosts: ['.app.example'] }, 'x.app.example', true],
  [{ ...local, allowedHosts: ['.app.example'] }, 'xapp.example', false],
  [{ ...local, trustProxy: ['loopback'] }, 'app.example', true],
  [{ ...local, trustProxy: ['loopback'], allowedHosts: ['app.example'] }, 'evil.example', false],
  [{ host: '0.0.0.0' }, 'anything.example', true],
  [{ host: '0.0.0.0', allowedHosts: ['app.example'] }, 'anything.example', false],
  [{ host: '0.0.0.0', allowedHosts: ['app.example'] }, 'localhost', false],
];

for (const [options, name, isKnown] of asked) {
  test(`to ${JSON.stringify(options)}, the Host ${name} is ${isKnown ? 'known' : 'refused'}`, () => {
    const network = createNetwork(options);
    const check = () => network.checkHost(name === undefined ? {} : { host: name });

    for (let time = 0; time < 2; time += 1) {
      if (isKnown) check();
      else assert.throws(check, { code: 'host_unknown', message: /fermata\.allowed_hosts/ });
    }
  });
}

for (const name of ['10.0.0.0/33', '10.0.0.0/x', '10.0.0.1/8/8', 'proxy.example', '', '::1/129']) {
  test(`the proxy ${JSON.stringify(name)} is refused at start`, () => {
    assert.throws(() => createNetwork({ host: 'localhost', trustProxy: [name] }), {
      code: 'options_invalid',
      message: /^trustProxy must list addresses/,
    });
  });
}
