/** Connections that end before a request: uWebSockets.js answers HTTP/1.0 with 505, and does not say so. */
import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { silentLog, workflow } from '../../../../runtime/index.ts';
import { createServer } from '../../../../server/index.ts';
import { turns } from '../../../support/given.ts';
import { nginx } from '../../../support/proxy.ts';
import { openSocket } from '../../../support/web-socket.ts';

const echo = workflow({ name: 'echo', run: (input: unknown) => input });

const given = async (t: TestContext) => {
  const hints: string[] = [];
  const log = {
    ...silentLog,
    info: (_: object, message: string) => void (/HTTP\/1\.0/.test(message) && hints.push(message)),
  };
  const config = { adapter: 'uws', host: '127.0.0.1', port: 0 } as const;
  const server = await createServer({ workflow: echo, config, log });
  t.after(() => server.close());
  const send = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let received = '';
      const socket = connectSocket(server.port, '127.0.0.1', () => socket.write(text));
      socket.setEncoding('latin1').on('data', (data: string) => {
        received += data;
      });
      socket.on('close', () => resolve(received));
    });
  return { server, hints, send };
};

test('the first request of HTTP/1.0 is a line in the log that says what to do, and others are none', async (t) => {
  const { hints, send } = await given(t);

  for (let count = 0; count < 3; count += 1) {
    assert.match(await send('GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n'), /^HTTP\/1\.1 505 /);
  }

  assert.equal(hints.length, 1);
  assert.match(hints[0]!, /proxy_http_version 1\.1/);
});

test('requests, sockets and idle connections that end are no such line', async (t) => {
  const { server, hints, send } = await given(t);

  await send('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const { client } = await openSocket(`${server.url}/websocket`);
  client?.close();
  await client?.closed();
  await send('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await turns(20);

  assert.deepEqual(hints, []);
});

test('nginx without settings gets 505, and the log says which settings it needs', {
  skip: nginx.missing,
}, async (t) => {
  const { server, hints } = await given(t);
  const proxy = await nginx.start(server.port, (settings) =>
    settings.replace(/proxy_pass [^}]*\}/, 'proxy_pass http://127.0.0.1:8000; }'),
  );
  t.after(() => proxy.stop());

  const { status } = await fetch(`${proxy.url}/health`);

  assert.equal(status, 505);
  assert.equal(hints.length, 1);
});
