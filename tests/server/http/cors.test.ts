import assert from 'node:assert/strict';
import test from 'node:test';
import { type CorsOptions, createCors } from '../../../server/http/cors.ts';

const given = {
  /** The `cors` profile of the conformance suite. */
  lab: (more: CorsOptions = {}) =>
    createCors({
      allowOrigins: ['http://app.example'],
      allowMethods: ['GET', 'POST'],
      allowHeaders: ['x-lab'],
      allowCredentials: true,
      exposeHeaders: ['Observability-Trace-Id'],
      ...more,
    }),
  preflight: { origin: 'http://app.example', method: 'POST', headers: undefined },
};

const allowed = (cors: ReturnType<typeof createCors>, origin: string): string | undefined =>
  Object.fromEntries(cors.linesFor(origin))['access-control-allow-origin'];

test('a page of a known origin may read the answer, what is exposed, and send cookies', () => {
  const cors = given.lab();

  assert.deepEqual(Object.fromEntries(cors.linesFor('http://app.example')), {
    'access-control-allow-origin': 'http://app.example',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Observability-Trace-Id',
    vary: 'Origin',
  });
});

test('a foreign origin gets the same, but not the header that lets its page read the answer', () => {
  const cors = given.lab();

  for (const origin of ['http://evil.example', 'https://app.example', 'http://app.example.evil.example', 'null']) {
    assert.deepEqual(Object.fromEntries(cors.linesFor(origin)), {
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Observability-Trace-Id',
      vary: 'Origin',
    });
  }
});

test('a request without origin only learns that the answer depends on it', () => {
  assert.deepEqual(given.lab().linesFor(''), [['vary', 'Origin']]);
});

test('by default nothing depends on the origin, and no origin may call', () => {
  const cors = createCors({});

  assert.deepEqual(cors.linesFor(''), []);
  assert.deepEqual(cors.linesFor('http://app.example'), []);
  assert.deepEqual(cors.preflight(given.preflight), {
    status: 400,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'Accept, Accept-Language, Content-Language, Content-Type',
      'access-control-max-age': '600',
    },
    body: 'Disallowed CORS origin, method',
  });
});

test('null in a configuration is the default', () => {
  const nothing = {
    allowOrigins: null,
    allowOriginRegex: null,
    allowMethods: null,
    allowHeaders: null,
    allowCredentials: null,
    exposeHeaders: null,
    maxAgeS: null,
  };

  assert.deepEqual(createCors(nothing).preflight(given.preflight), createCors({}).preflight(given.preflight));
});

test('a preflight request for what is allowed is answered with all of it', () => {
  const reply = given.lab().preflight({ ...given.preflight, headers: 'Content-Type,  X-LAB' });

  assert.deepEqual(reply, {
    status: 200,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'access-control-allow-origin': 'http://app.example',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Accept, Accept-Language, Content-Language, Content-Type, x-lab',
      'access-control-max-age': '600',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    },
    body: 'OK',
  });
});

test('a preflight request is refused for its origin, method or headers, and for each that fails', () => {
  const cors = given.lab();
  const refused = { origin: 'http://evil.example', method: 'DELETE', headers: 'x-lab, x-other' };

  assert.equal(cors.preflight({ ...given.preflight, origin: refused.origin }).body, 'Disallowed CORS origin');
  assert.equal(cors.preflight({ ...given.preflight, method: refused.method }).body, 'Disallowed CORS method');
  assert.equal(cors.preflight({ ...given.preflight, headers: refused.headers }).body, 'Disallowed CORS headers');
  assert.equal(cors.preflight(refused).body, 'Disallowed CORS origin, method, headers');
  assert.equal(cors.preflight(refused).headers?.['access-control-allow-origin'], undefined);
  assert.equal(cors.preflight({ ...given.preflight, method: 'post' }).body, 'Disallowed CORS method');
});

test('any origin may call without cookies where the origins are a star', () => {
  const cors = given.lab({ allowOrigins: ['*'], allowCredentials: false, exposeHeaders: [] });

  assert.deepEqual(cors.linesFor('http://any.example'), [['access-control-allow-origin', '*']]);
  assert.deepEqual(cors.linesFor(''), []);
  assert.equal(cors.preflight({ ...given.preflight, origin: 'null' }).headers?.['access-control-allow-origin'], '*');
});

test('with cookies a star names the origin, since no browser takes a star then', () => {
  const cors = given.lab({ allowOrigins: ['*'] });

  assert.equal(allowed(cors, 'http://any.example'), 'http://any.example');
  assert.deepEqual(cors.linesFor(''), [['vary', 'Origin']]);
});

test('a regular expression must match an origin as a whole', () => {
  const cors = createCors({ allowOriginRegex: 'https://[a-z]+\\.example|http://localhost:\\d+' });

  assert.equal(allowed(cors, 'https://app.example'), 'https://app.example');
  assert.equal(allowed(cors, 'http://localhost:5173'), 'http://localhost:5173');
  for (const origin of [
    'https://app.example.evil',
    'xhttps://app.example',
    'http://localhost:',
    'https://app.example\n',
  ]) {
    assert.equal(allowed(cors, origin), undefined, origin);
  }
});

test('a star for methods or headers allows any, and the asked headers are repeated', () => {
  const cors = given.lab({ allowMethods: ['*'], allowHeaders: ['*'] });

  const reply = cors.preflight({ ...given.preflight, method: 'DELETE', headers: 'x-one, X-Two' });

  assert.equal(reply.status, 200);
  assert.equal(reply.headers?.['access-control-allow-methods'], 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT');
  assert.equal(reply.headers?.['access-control-allow-headers'], 'x-one, X-Two');
  assert.equal(cors.preflight(given.preflight).headers?.['access-control-allow-headers'], undefined);
});

test('how long a browser may remember is the configured number of seconds', () => {
  assert.equal(given.lab({ maxAgeS: 5 }).preflight(given.preflight).headers?.['access-control-max-age'], '5');
});
