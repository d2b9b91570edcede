import assert from 'node:assert/strict';
import test from 'node:test';
import { workflow } from '../../../../runtime/index.ts';
import { turns } from '../../../support/given.ts';
import {
  contentOf,
  givenSocketServer,
  isComplete,
  isError,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';

const echo = workflow({ name: 'echo', run: async (input: string) => input });
const whoAmI = workflow({
  name: 'who',
  run: async (_: unknown, ctx) => `${ctx.user ?? 'nobody'} ${ctx.request.cookies['nat-session'] ?? 'no cookie'}`,
});

test('pages may open sockets to their own host, to a loopback from a loopback, and where CORS lets them', async (t) => {
  const { handshakeStatus } = await givenSocketServer(t, {
    workflow: echo,
    config: { cors: { allowOrigins: ['https://app.example'] }, allowedHosts: ['chat.example'] },
  });
  const from = (origin: string, host = '127.0.0.1:8000') => handshakeStatus('', { origin, host });

  assert.equal(await from('http://127.0.0.1:3000'), 101);
  assert.equal(await from('http://localhost:3000'), 101);
  assert.equal(await from('https://app.example'), 101);
  assert.equal(await from('https://chat.example:8443', 'chat.example'), 101);
  assert.equal(await handshakeStatus(), 101);

  assert.equal(await from('http://evil.example'), 403);
  assert.equal(await from('https://app.example.evil.example'), 403);
  assert.equal(await from('http://localhost:3000', 'chat.example'), 403);
  assert.equal(await from('null'), 403);
});

test('a session in the address counts as the cookie, unless there is one, and must be one', async (t) => {
  const { connect, handshakeStatus } = await givenSocketServer(t, { workflow: whoAmI });
  const sessionOf = async (query: string, cookie?: string) => {
    const client = await connect(query, cookie === undefined ? {} : { cookie });
    client.send(userMessage('who'));
    return String(textsOf(await client.until(isComplete))[0]).split(' ')[1];
  };

  assert.equal(await sessionOf('?session=alice'), 'alice');
  assert.equal(await sessionOf('?session=alice', 'nat-session=bob'), 'bob');
  assert.equal(await sessionOf('?session=alice', 'x-nat-session=bob'), 'alice');
  assert.equal(await sessionOf('?session='), 'no');
  assert.equal(await sessionOf('?session=mallory&session=alice'), 'alice', 'the last one, as on NAT');
  assert.equal(await sessionOf('?session[]=alice'), 'no');
  assert.equal(await handshakeStatus('?session=a%20b'), 403);
  assert.equal(await handshakeStatus('?session=a%0A'), 403);
});

test('there is no socket at other paths, and the path answers nothing but handshakes', async (t) => {
  const { handshakeStatus, call, server } = await givenSocketServer(t, {
    workflow: echo,
    config: { rootPath: '/pfx' },
  });

  assert.equal(await handshakeStatus(), 101); // below the root path
  assert.equal((await call('GET /websocket')).status, 404);
  assert.equal(await handshakeStatus('/more'), 404);
  assert.ok(server.url.endsWith('/pfx'));
});

test('a broken credential of the handshake is an error of each run, not of the socket', async (t) => {
  const { connect } = await givenSocketServer(t, { workflow: whoAmI });
  const client = await connect('', { authorization: 'Bearer a.b.c' });

  client.send(userMessage('who'));
  const [error] = await client.until(isComplete);
  client.send({ type: 'auth_message', payload: { method: 'api_key', token: 'k' } });
  client.send(userMessage('who'));

  assert.equal(error?.type, 'error_message');
  assert.equal(contentOf(error!).message, 'credential_invalid');
  assert.match(String(textsOf(await client.until(isComplete))[0]), /^[0-9a-f-]{36} /);
});

test('a server that stops ends the run, says how it ended, and then says goodbye with 1001', async (t) => {
  const { connect, server, clock } = await givenSocketServer(t, {
    workflow: workflow({
      name: 'endless',
      run: (_: unknown, ctx) => new Promise((_, reject) => ctx.signal.addEventListener('abort', reject)),
    }),
  });
  const [busy, idle] = [await connect(), await connect()];
  busy.send(userMessage('go'));
  await busy.until(({ type }) => type === 'system_intermediate_message');

  const closed = server.close();
  await turns();
  clock.advance(60_000);

  assert.equal((await busy.until(isComplete)).filter(isError).length, 1);
  assert.equal(await busy.closed(), 1001);
  assert.equal(await idle.closed(), 1001);
  await closed;
});
