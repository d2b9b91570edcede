import assert from 'node:assert/strict';
import test from 'node:test';
import { isParsedByNode } from '../../support/adapter.ts';
import { connectRaw, jsonReply, mirror, rawRequest, routeOf, sendRaw, startServer } from '../../support/http.ts';

test('an unknown path, another method and a slash too many get the answers that clients know', async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('GET /health', () => jsonReply('ok')), routeOf('POST /a/:id', mirror)],
  });
  const answerTo = async (line: string, ...headers: string[]) => {
    const { status, headers: got, body } = await sendRaw(t, server.port, rawRequest(line, headers));
    return [status, got['content-type'], got.allow ?? got.location, body];
  };

  const notAllowed = '{"detail":"Method Not Allowed"}';
  assert.deepEqual(await answerTo('GET /nothing'), [404, 'application/json', undefined, '{"detail":"Not Found"}']);
  assert.deepEqual(await answerTo('POST /health'), [405, 'application/json', 'GET', notAllowed]);
  assert.deepEqual(await answerTo('OPTIONS /health'), [405, 'application/json', 'GET', notAllowed]);
  assert.deepEqual(await answerTo('PATCH /a/1'), [405, 'application/json', 'POST', notAllowed]);
  // The parser of Node.js knows a list of methods.
  assert.equal((await answerTo('BREW /a/1'))[0], isParsedByNode() ? 400 : 405);
  assert.deepEqual(await answerTo('GET /health/'), [307, undefined, '/health', '']);
  assert.deepEqual(await answerTo('POST /a/%20/?q=%2F&r'), [307, undefined, '/a/%20?q=%2F&r', '']);
});

test('a HEAD request is answered without a body, and the connection goes on', async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('GET /health', () => jsonReply('ok')), routeOf('POST /start', () => jsonReply('started'))],
  });
  const client = await connectRaw(t, server.port);

  client.send(rawRequest('HEAD /health'));
  const head = await client.answer();
  client.send(rawRequest('HEAD /start'));
  const refused = await client.answer();
  client.send(rawRequest('GET /health'));
  const served = await client.answer();

  assert.deepEqual([head.status, head.headers['content-type'], head.body], [200, 'application/json', '']);
  assert.deepEqual([refused.status, refused.headers.allow, refused.body], [405, 'POST', '']);
  assert.deepEqual([served.status, served.body], [200, '"ok"']);
});

test('ids that are none are not found', async (t) => {
  const server = await startServer(t, { routes: [routeOf('GET /executions/:id', mirror)] });

  for (const id of ['a%2Fb', '..', '%2e%2e', '%00', '%ff', '%', '%E2%82']) {
    const { status, body } = await sendRaw(t, server.port, rawRequest(`GET /executions/${id}`));

    assert.deepEqual([status, body], [404, '{"detail":"Not Found"}'], id);
  }
});

test('with a root path routes answer with and without it, and redirects keep it', async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('GET /health', ({ path }) => jsonReply(path))],
    rootPath: '/pfx',
  });

  assert.equal(await (await fetch(`${server.url}/pfx/health`)).json(), '/health');
  assert.equal(await (await fetch(`${server.url}/health`)).json(), '/health');
  assert.equal((await fetch(`${server.url}/pfxhealth`)).status, 404);
  const redirected = await fetch(`${server.url}/pfx/health/?a=1`, { redirect: 'manual' });
  assert.equal(redirected.headers.get('location'), `${server.url}/pfx/health?a=1`);
});

test('replies and refusals carry the CORS headers of their origin, and a preflight request is answered', async (t) => {
  const server = await startServer(t, {
    routes: [routeOf('POST /a', async () => jsonReply('ok'))],
    cors: { allowOrigins: ['http://app.example'], allowMethods: ['POST'] },
  });
  const client = await connectRaw(t, server.port);
  const headersOf = async (text: string) => {
    client.send(text);
    const { status, headers } = await client.answer();
    return [status, headers['access-control-allow-origin'], headers.vary];
  };

  const origin = 'Origin: http://app.example';
  assert.deepEqual(await headersOf(rawRequest('POST /a', [origin])), [200, 'http://app.example', 'Origin']);
  assert.deepEqual(await headersOf(rawRequest('POST /b', [origin])), [404, 'http://app.example', 'Origin']);
  assert.deepEqual(await headersOf(rawRequest('POST /a', ['Origin: http://evil'])), [200, undefined, 'Origin']);
  assert.deepEqual(await headersOf(rawRequest('POST /a')), [200, undefined, 'Origin']);

  client.send(rawRequest('OPTIONS /any', [origin, 'Access-Control-Request-Method: POST']));
  const preflight = await client.answer();
  assert.deepEqual([preflight.status, preflight.body], [200, 'OK']);
  assert.equal(preflight.headers['access-control-allow-origin'], 'http://app.example');
  assert.equal(preflight.headers.vary, 'Origin');

  client.send(rawRequest('OPTIONS /a', [origin]));
  assert.equal((await client.answer()).status, 405);
});
