/**
 * A stand-in for the hosted Stately inspector: a page of another origin that receives by `createBrowserReceiver` of
 * `@statelyai/inspect`, unchanged, and so does the real handshake. What it has received is in its global `received`.
 */
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { loopback } from './loopback.ts';

const packages = new URL('../../node_modules/', import.meta.url);

/** What the package imports and its browser receiver does not use. */
const UNUSED = ['fast-safe-stringify', 'safe-stable-stringify', 'isomorphic-ws', 'partysocket', 'superjson', '#uuid'];
const STUB = 'export default {}; export const stringify = undefined, uuid = undefined;';

const imports = {
  ...Object.fromEntries(UNUSED.map((name) => [name, '/stub.js'])),
  xstate: '/xstate/dist/xstate.esm.js',
};

const PAGE = `<!DOCTYPE html>
<title>Stand-in</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script>
  const received = [];
  addEventListener('message', ({ data }) => {
    if (data?.type === '@statelyai.disconnected') received.push(data);
  });
</script>
<script type="module">
  import { createBrowserReceiver } from '/@statelyai/inspect/dist/index.mjs';
  createBrowserReceiver().subscribe((message) => received.push(message));
</script>`;

/** Gives its address. */
export const givenStatelyInspector = async (t: TestContext): Promise<string> => {
  const { server, origin } = await loopback(t);
  server.on('request', async ({ url = '' }, response) => {
    const { pathname } = new URL(url, origin);
    try {
      const [type, body] =
        pathname === '/inspect'
          ? ['text/html', PAGE]
          : ['text/javascript', pathname === '/stub.js' ? STUB : await readFile(new URL(`.${pathname}`, packages))];
      response.writeHead(200, { 'content-type': type }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return `${origin}/inspect`;
};
