/** Which adapter serves, as a user meets it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fermata } from '../support/process.ts';

const missing = { NODE_OPTIONS: `--require=${fileURLToPath(new URL('../support/without-uws.cjs', import.meta.url))}` };

const serve = (t: TestContext, words: readonly string[], variables: Readonly<Record<string, string>>) =>
  fermata(t, ['serve', 'examples/02-approval.ts', '--port', '0', ...words], { FERMATA_ADAPTER: '', ...variables });

const start = (url: string) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
  return fetch(`${url}/v1/workflow`, { ...init, body: '{"amount":5000,"reason":"Chairs"}' });
};

const warnings = (log: readonly Record<string, unknown>[]) =>
  log.filter(({ level }) => level === 'warn' || Number(level) === 40);

test('where uWebSockets.js does not load, node:http serves, and one line says so and what it costs', async (t) => {
  const server = serve(t, [], missing);

  assert.equal((await start(await server.url())).status, 202);

  const said = warnings(server.log).filter(({ adapter }) => adapter === 'node');
  assert.equal(said.length, 1);
  assert.match(String(said[0]!.msg), /node:http and ws serve the same routes, with about .* of the requests a second/);
  assert.match(String(said[0]!.reason), /Install @uwsjs\//);
});

test('the adapter that is asked for serves without a word, or the server does not start', async (t) => {
  const asked = serve(t, ['--adapter', 'node'], missing);
  const byVariable = serve(t, [], { FERMATA_ADAPTER: 'node' });
  const refused = serve(t, ['--adapter', 'uws'], missing);

  for (const server of [asked, byVariable]) {
    const reply = await start(await server.url());
    assert.equal(reply.status, 202);
    assert.equal(reply.headers.get('keep-alive'), 'timeout=10', 'node:http says so');
    assert.deepEqual(warnings(server.log), []);
  }
  assert.equal(await refused.ended, 1);
  assert.match(refused.stderr + refused.stdout, /No binding of uWebSockets\.js .* or serve with the node adapter/);
});
