/** What pages of others can make a browser do: requests that it sends without asking, with the user's cookies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { call, given } from '../../support/given.ts';

const statusOf = async (url: string, path: string, headers: Record<string, string>): Promise<number> =>
  (await call(url, `GET ${path}`, { headers })).status;

const app = 'https://app.example';

/** What a browser says of where a request comes from; and whether it may start a run. */
const visits: [what: string, headers: Record<string, string>, isLetIn: boolean][] = [
  ['an image in a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, false],
  ['a link in a page of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, false],
  ['a page of another host of the site', { 'sec-fetch-site': 'same-site' }, false],
  ['a script of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  ['a script that may call', { 'sec-fetch-site': 'cross-site', origin: app }, true],
  ['a page of our own', { 'sec-fetch-site': 'same-origin' }, true],
  ['a user who types the address', { 'sec-fetch-site': 'none' }, true],
  ['no browser', {}, true],
];

test('a workflow that a GET starts is not started by pages of others', async (t) => {
  let runs = 0;
  const served = workflow({ name: 'served', run: async () => (runs += 1) });
  const paths = { method: 'GET', path: '/run', legacyPath: null } as const;
  const { server } = await given.server(t, {
    workflow: served,
    config: { workflow: paths, cors: { allowOrigins: [app] } },
  });

  for (const path of ['/run', '/run/stream', '/run/full']) {
    for (const [what, headers, isLetIn] of visits) {
      const before = runs;
      assert.equal(await statusOf(server.url, path, headers), isLetIn ? 200 : 403, `${path}: ${what}`);
      assert.equal(runs - before, isLetIn ? 1 : 0, `${path}: ${what}`);
    }
  }
});

test('a browser that comes back from a provider comes from another site, and is let in', async (t) => {
  const { server } = await given.server(t, { workflow: workflow({ name: 'served', run: async () => 1 }) });

  const status = await statusOf(server.url, '/auth/redirect?state=x&code=y', { 'sec-fetch-site': 'cross-site' });

  assert.equal(status, 400);
});
