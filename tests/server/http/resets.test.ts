/** Clients that reset their connection at any moment: the process of the server goes on. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isOnWeb } from '../../support/adapter.ts';
import { temporaryDirectory } from '../../support/durable.ts';
import { rawRequest } from '../../support/http.ts';
import { type FermataProcess, fermata } from '../../support/process.ts';

const AT_ONCE = 20;

const givenServer = async (t: TestContext, variables: Readonly<Record<string, string>> = {}) => {
  const server = fermata(t, ['serve', 'examples/02-approval.ts', '--port', '0'], variables);
  const url = await server.url();
  return { server, url, port: Number(new URL(url).port) };
};

/** Connects, sends, and resets the connection after so many turns of the event loop. */
const reset = async (port: number, text: string, turns: number): Promise<void> => {
  const socket: Socket = connect(port, 'localhost');
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
  socket.write(text, 'latin1');
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  socket.resetAndDestroy();
};

const resetOften = async (port: number, text: string, tries: number, server: FermataProcess): Promise<void> => {
  for (let begun = 0; begun < tries && !server.isOver; begun += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => reset(port, text, index % 4)));
  }
};

const json = (path: string, body: string): string =>
  rawRequest(`POST ${path}`, ['Content-Type: application/json', `Content-Length: ${body.length}`], body);

const upgrade = rawRequest('GET /websocket', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]);

const visits: Readonly<Record<string, string>> = {
  'a large document': rawRequest('GET /openapi.json'),
  'a start': json('/v1/workflow', '{"amount":5000,"reason":"Chairs"}'),
  'a stream': json('/v1/workflow/stream', '{"amount":5000,"reason":"Chairs"}'),
  'a socket': upgrade,
  'a watcher of the actors': upgrade.replace('/websocket', '/inspect/socket'),
};

const ofCommand = { skip: isOnWeb() && 'the command has no such adapter' };

for (const store of ['memory', 'durable'] as const) {
  test(`connections that are reset do not end the process: ${store} store`, ofCommand, async (t) => {
    const { server, url, port } = await givenServer(
      t,
      store === 'durable' ? { FERMATA_DATA: temporaryDirectory(t) } : {},
    );

    for (const [what, text] of Object.entries(visits)) {
      await resetOften(port, text, 800, server);
      assert.ok(
        !server.isOver,
        `${what}: the process ended with ${await (server.isOver && server.ended)} ${server.stderr}`,
      );
    }

    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.deepEqual(
      server.log.filter(({ level }) => Number(level) >= 50 || level === 'error'),
      [],
    );
  });
}
