/** A server speaks the protocols that it is given, each of which gets what the server has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { createServer, type Protocol } from '../../server/index.ts';
import { readJsonBody } from '../../server/wire/json-body.ts';
import { startRequest } from '../../server/wire/start.ts';
import { given } from '../support/given.ts';
import { openSocket } from '../support/web-socket.ts';

const echo = workflow({ name: 'echo', run: (input) => input });

/** Starts the workflow of the server, and says what came of it. */
const toy: Protocol = ({ runtime, served, who }) => ({
  name: 'toy',
  routes: [
    {
      method: 'POST',
      path: '/toy',
      about: null,
      handle: async (call) => {
        const body = readJsonBody(call.headers['content-type'], call.body);
        const input = { raw: body, value: body };
        const started = { workflow: served[0]!.workflow, input, interactive: true, streaming: false };
        const { execution } = await runtime.start(startRequest(call, body, await who(call), started));
        return { status: 202, body: execution.id };
      },
    },
    {
      method: 'GET',
      path: '/toy/:id',
      about: null,
      handle: async (call) => {
        const execution = await runtime.get(call.params.id!, await who(call));
        return { status: 200, body: String(execution?.context.result) };
      },
    },
  ],
});

test('a protocol starts executions and shows them, and no other route is there', async (t) => {
  const { server, call } = await given.server(t, { workflow: echo, protocols: [toy] });

  const started = await call('POST /toy', { body: 'hello' });
  const shown = await call(`GET /toy/${started.body}`);

  assert.equal(shown.body, 'hello');
  assert.deepEqual(server.routes, ['POST /toy', 'GET /toy/:id']);
  assert.equal((await call('GET /health')).status, 404);
});

test('a protocol has sockets, below the root path too, and is closed after the last run', async () => {
  const events: string[] = [];
  const talking: Protocol = ({ runtime }) => ({
    name: 'talking',
    routes: [],
    sockets: [
      {
        path: '/talk',
        maxMessageBytes: 100,
        maxUnsentBytes: 100,
        idleTimeoutMs: 120_000,
        accept: (_, path) => ({
          open: (socket) => {
            socket.send([JSON.stringify({ path })]);
            return { message: () => {}, drained: () => {}, closed: () => events.push('socket closed') };
          },
        }),
      },
    ],
    close: () => {
      events.push(runtime.isAccepting ? 'closed too early' : 'closed');
    },
  });
  const server = await createServer({
    workflow: echo,
    config: { port: 0, rootPath: '/base' },
    protocols: [talking],
  });
  const origin = server.url.slice(0, -'/base'.length);

  const heard = [];
  for (const path of ['/talk', '/base/talk']) {
    const { client } = await openSocket(origin + path);
    heard.push(...(await client!.until(() => true)));
  }
  await server.close();

  assert.deepEqual(heard, [{ path: '/talk' }, { path: '/base/talk' }]);
  assert.deepEqual(events.toSorted(), ['closed', 'socket closed', 'socket closed']);
});

test('what a protocol throws keeps the server from starting, and those before it are closed', async () => {
  const events: string[] = [];
  const first: Protocol = () => ({ name: 'first', routes: [], close: () => void events.push('closed') });
  const broken: Protocol = () => {
    throw new Error('no room left');
  };

  await assert.rejects(
    createServer({ workflow: echo, config: { port: 0 }, protocols: [first, broken] }),
    /no room left/,
  );
  assert.deepEqual(events, ['closed']);
});
