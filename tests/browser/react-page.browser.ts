/** The page of `docs/react.md` in a real browser: it starts, streams, asks and shows the result. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { build } from 'esbuild';
import { createHandler } from '../../server/index.ts';
import { givenBrowser } from '../support/browser.ts';
import { folderOf } from '../support/guide.ts';
import { readPage } from '../support/markdown.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Page and API at one origin, as behind a proxy. */
const servePage = async (t: TestContext, script: string, handler: (request: Request) => Promise<Response>) => {
  const html =
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/app.js"></script>';
  const api = getRequestListener(handler);
  const server = createServer((request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(html);
    else if (request.url === '/app.js') response.setHeader('content-type', 'text/javascript').end(script);
    else void api(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

test('the page of the guide shows a prompt, sends the answer, and shows output and result', async (t) => {
  const front = await folderOf(t, await readPage('docs/react.md'));
  const back = await folderOf(t, await readPage('docs/first-agent.md'));
  const { outputFiles } = await build({
    entryPoints: [join(front, 'app.tsx')],
    alias: { '@fermata/client': join(root, 'client/index.ts') },
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const { default: workflow } = await import(join(back, 'refund-agent.ts'));
  const handler = await createHandler({ workflow });
  t.after(() => handler.close());
  const url = await servePage(t, outputFiles[0]!.text, handler);
  const { context, errors } = await givenBrowser(t);
  const page = await context.newPage();

  await page.goto(url);
  await page.getByRole('button', { name: 'Ask for a refund' }).click();
  await page.getByText('Refund 40 euros for order A17?').waitFor();
  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  await page.getByText('This is done: order A17 was refunded 40 euros', { exact: true }).waitFor();
  await page.locator('pre').waitFor();

  assert.match(
    (await page.locator('pre').textContent()) ?? '',
    /"reply":"This is done: order A17 was refunded 40 euros"/,
  );
  assert.equal(await page.locator('form').count(), 0);
  assert.deepEqual(errors, []);
});
