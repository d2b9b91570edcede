import assert from 'node:assert/strict';
import test from 'node:test';
import type { Route } from '../../../server/http/route.ts';
import { createRouter, type Found } from '../../../server/http/router.ts';

const given = {
  route: (pattern: string): Route => {
    const [method, path] = pattern.split(' ');
    return { method: method as Route['method'], path: path!, handle: () => ({ status: 200, body: pattern }) };
  },
  router: (patterns: readonly string[], rootPath?: string) => createRouter(patterns.map(given.route), rootPath),
};

/** `GET /a/:id id=7`, `405 GET, POST`, `slash`, or `404`. */
const shown = (found: Found): string => {
  if (found.kind === 'otherMethod') return `405 ${found.allow}`;
  if (found.kind !== 'route') return found.kind === 'nothing' ? '404' : 'slash';
  const params = Object.entries(found.params).map(([name, value]) => ` ${name}=${value}`);
  return `${found.route.method} ${found.route.path}${params.join('')}`;
};

test('a path finds the route with its method, and the parameters in it', () => {
  const router = given.router([
    'GET /',
    'GET /health',
    'POST /health',
    'POST /executions/:id/interactions/:key/response',
  ]);

  assert.equal(shown(router.find('GET', '/')), 'GET /');
  assert.equal(shown(router.find('GET', '/health')), 'GET /health');
  assert.equal(shown(router.find('POST', '/health')), 'POST /health');
  assert.equal(
    shown(router.find('POST', '/executions/E1/interactions/I1/response')),
    'POST /executions/:id/interactions/:key/response id=E1 key=I1',
  );
});

test('a path that is longer, shorter or different finds nothing', () => {
  const router = given.router(['GET /executions/:id', 'GET /v1/workflow']);

  for (const path of [
    '/',
    '/executions',
    '/executions/a/b',
    '/v1',
    '/v1/workflow/x',
    '/V1/workflow',
    '//executions/a',
    '',
  ]) {
    assert.equal(shown(router.find('GET', path)), '404', path);
  }
});

test('a path with another method names the methods it has, each once', () => {
  const router = given.router(['GET /a/:id', 'POST /a/:id', 'POST /a/new', 'DELETE /a/new']);

  assert.equal(shown(router.find('PUT', '/a/1')), '405 GET, POST');
  assert.equal(shown(router.find('PUT', '/a/new')), '405 POST, DELETE, GET');
  assert.equal(shown(router.find('HEAD', '/a/new')), 'GET /a/:id id=new');
  assert.equal(shown(router.find('get', '/a/1')), '405 GET, POST');
});

test('a literal segment beats a parameter, unless only the parameter has the method or the rest of the path', () => {
  const router = given.router(['GET /a/:id', 'POST /a/new', 'GET /a/:id/rest', 'GET /b/:id', 'GET /b/new']);

  assert.equal(shown(router.find('GET', '/b/new')), 'GET /b/new');
  assert.equal(shown(router.find('GET', '/a/new')), 'GET /a/:id id=new');
  assert.equal(shown(router.find('GET', '/a/new/rest')), 'GET /a/:id/rest id=new');
});

test('a rest takes all segments that are left, decoded, whatever they are', () => {
  const router = given.router(['GET /files/*', 'PUT /files/*', 'GET /files/:id/about', 'GET /files/index']);

  assert.equal(shown(router.find('GET', '/files/a')), 'GET /files/* *=a');
  assert.equal(shown(router.find('GET', '/files/a/b%20c/d')), 'GET /files/* *=a/b c/d');
  assert.equal(shown(router.find('GET', '/files/index')), 'GET /files/index');
  assert.equal(shown(router.find('PUT', '/files/index')), 'PUT /files/* *=index');
  assert.equal(shown(router.find('GET', '/files/a/about')), 'GET /files/:id/about id=a');
  assert.equal(shown(router.find('PUT', '/files/a/about')), 'PUT /files/* *=a/about');
  assert.equal(shown(router.find('POST', '/files/index')), '405 GET, PUT');
  for (const rest of ['', '..', 'a/../b', '%2e%2e/b', 'a%2fb', 'a//b', './a', 'a/%2e', 'a%00b', 'a/']) {
    assert.equal(shown(router.find('GET', `/files/${rest}`)), `GET /files/* *=${decodeURIComponent(rest)}`);
  }
  assert.equal(shown(router.find('GET', '/files/a/%ff')), '404');
  assert.equal(shown(router.find('GET', '/files')), '404');
});

test('a rest that does not end a path is refused', () => {
  assert.throws(() => given.router(['GET /files/*/about']), /ends a path.*files/);
});

test('of two routes with the same path and method the first one wins', () => {
  const first = given.route('GET /a');
  const router = createRouter([first, given.route('GET /a')]);

  const found = router.find('GET', '/a');

  assert.ok(found.kind === 'route');
  assert.equal(found.route, first);
});

test('a slash too many is told apart from an unknown path, for any method', () => {
  const router = given.router(['GET /health', 'GET /executions/:id']);

  assert.equal(shown(router.find('GET', '/health/')), 'slash');
  assert.equal(shown(router.find('POST', '/health///')), 'slash');
  assert.equal(shown(router.find('GET', '/executions/E1/')), 'slash');
  assert.equal(shown(router.find('GET', '/executions/')), '404');
  assert.equal(shown(router.find('GET', '/nothing/')), '404');
  assert.equal(shown(router.find('GET', '/')), '404');
  assert.equal(shown(router.find('GET', '//')), '404');
});

test('segments are compared and given decoded', () => {
  const router = given.router(['GET /executions/:id', 'GET /grüße']);

  assert.equal(shown(router.find('GET', '/executions/a%20b%3F%C3%A9')), 'GET /executions/:id id=a b?é');
  assert.equal(shown(router.find('GET', '/%65xecutions/1')), 'GET /executions/:id id=1');
  assert.equal(shown(router.find('GET', '/gr%C3%BC%C3%9Fe')), 'GET /grüße');
});

test('an id that is no name finds nothing: encoded slash, dots, NUL, broken encoding, nothing at all', () => {
  const router = given.router(['GET /executions/:id', 'GET /executions/:id/rest']);

  const ids = [
    'a%2Fb',
    '%2e%2e%2Fx',
    '..',
    '.',
    '%2E%2e',
    '%00',
    'a%00b',
    '%',
    '%4',
    '%zz',
    '%ff',
    '%C3',
    '%ED%A0%80',
    '',
  ];
  for (const id of ids) {
    assert.equal(shown(router.find('GET', `/executions/${id}`)), '404', id);
    assert.equal(shown(router.find('GET', `/executions/${id}/rest`)), '404', id);
  }
});

test('the names of what every object has are ordinary segments and parameters', () => {
  const router = given.router(['GET /:id', 'GET /constructor/:id']);

  assert.equal(shown(router.find('GET', '/__proto__')), 'GET /:id id=__proto__');
  assert.equal(shown(router.find('GET', '/constructor/toString')), 'GET /constructor/:id id=toString');
  assert.equal(shown(router.find('constructor', '/x')), '405 GET');
});

test('the root path is taken off where a path is below it, and only there', () => {
  const router = given.router(['GET /health'], '/pfx/');

  assert.equal(router.inner('/pfx/health'), '/health');
  assert.equal(router.inner('/health'), '/health');
  assert.equal(router.inner('/pfx'), '/');
  assert.equal(router.inner('/pfx/'), '/');
  assert.equal(router.inner('/pfxhealth'), '/pfxhealth');
  assert.equal(router.inner('/pfx/pfx/health'), '/pfx/health');
});

test('a route or a root path without a slash in front is refused by name', () => {
  assert.throws(() => given.router(['GET health']), /must start with a slash, got "health"/);
  assert.throws(() => given.router(['GET /health'], 'pfx'), /must start with a slash, got "pfx"/);
});
