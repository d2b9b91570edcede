/** The reference for people. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { z } from 'zod';
import { workflow } from '../../../runtime/index.ts';
import { given } from '../../support/given.ts';

const sly = workflow({
  name: '<script>alert(1)</script>',
  description: '<img src=x onerror=alert(1)>',
  input: z.object({ note: z.string().describe('</pre><script>') }),
  run: () => 1,
});

test('the page shows every operation and schema of the document, and links to both', async (t) => {
  const { call } = await given.server(t, { workflow: sly, config: { rootPath: '/api' } });
  const { paths, components } = (await call('GET /openapi.json')).body as {
    paths: Record<string, Record<string, unknown>>;
    components: { schemas: object };
  };

  const { status, body } = await call('GET /docs');

  const page = String(body);
  assert.equal(status, 200);
  for (const [path, item] of Object.entries(paths)) {
    for (const method of Object.keys(item)) assert.ok(page.includes(`<b>${method.toUpperCase()}</b> ${path}<`), path);
  }
  const targets = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  assert.deepEqual([...targets].sort(), Object.keys(components.schemas).sort());
  const links = [...page.matchAll(/ href="([^"]+)"/g)].map(([, href]) => href!);
  for (const href of links) assert.ok(targets.has(href.slice(1)) || href === '/api/openapi.json', href);
});

test('the page loads nothing, runs nothing, and what workflows say is only text in it', async (t) => {
  const { call } = await given.server(t, { workflow: sly });

  const { headers, body } = await call('GET /docs');

  const page = String(body);
  const style = /<style>([^<]*)<\/style>/.exec(page)?.[1] ?? '';
  const digest = createHash('sha256').update(style).digest('base64');
  const elements = new Set([...page.matchAll(/<([a-z]\w*)/g)].map(([, name]) => name!));
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; /);
  assert.ok(headers.get('content-security-policy')?.includes(`style-src 'sha256-${digest}'`));
  for (const name of ['script', 'img', 'link', 'iframe', 'form']) assert.ok(!elements.has(name), name);
  const known = 'http://default.com'; // a default of NAT's chats, which is text
  assert.doesNotMatch(page.replaceAll(known, ''), /https?:\/\/|url\(|@import| style="/);
});

for (const path of ['/docs', '/openapi.json']) {
  test(`who has ${path} as it is gets it again only if it has changed`, async (t) => {
    const { call } = await given.server(t, { workflow: sly });
    const tag = (await call(`GET ${path}`)).headers.get('etag') ?? '';

    const known = await call(`GET ${path}`, { headers: { 'if-none-match': `"other", W/${tag}` } });
    const other = await call(`GET ${path}`, { headers: { 'if-none-match': '"other"' } });

    assert.deepEqual([known.status, known.body], [304, undefined]);
    assert.equal(known.headers.get('etag'), tag);
    assert.equal(other.status, 200);
  });
}

for (const path of ['/docs', '/inspect']) {
  test(`${path} is dark where the reader's system is: the scheme is that of the whole page`, async (t) => {
    const { call } = await given.server(t, { workflow: workflow({ name: 'one', run: () => 1 }) });

    const page = String((await call(`GET ${path}`)).body);

    assert.deepEqual(page.match(/[^\n]*color-scheme[^\n]*/g), ['  :root { color-scheme: light dark; }']);
    assert.doesNotMatch(page, /#[0-9a-f]{3,6};|background/);
  });
}
