/** The console while the line breaks, while the server restarts, and for a caller without access. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../support/http.ts';
import { openOffice, useBrowser } from './support/desk.ts';
import { lineTo } from './support/line.ts';

const sitDown = useBrowser();
const expense = { amount: 5, purpose: 'Paper', category: 'equipment' };

test('a page whose line was cut says so, and has missed nothing when it is mended', async (t) => {
  const server = await openOffice(t);
  const line = await lineTo(t, server.port);
  const { page, show } = await sitDown(t, line.url);
  const { client } = await sitDown(t, server.url);
  const { executionId } = await client.start(expense);

  await show(`executions/${executionId}`);
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  line.cut();
  await page.getByText('Reconnecting').waitFor();
  const [open] = await client.inbox();
  assert.ok(open?.status === 'interaction_required');
  await client.answer(open, 'yes');
  await client.follow(executionId);
  line.mend();
  await page.locator('h1 .status.completed').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();

  const facts = (await page.locator('.timeline details > p').allTextContents()).map(
    (text) => /fact (\d+)/.exec(text)?.[1],
  );
  assert.deepEqual(
    facts,
    facts.map((_, index) => String(index + 1)),
  );
});

test('a page outlives its server, and the next one goes on with what it shows', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'fermata-console-'));
  t.after(() => rm(data, { recursive: true }));
  const first = await openOffice(t, { data });
  const line = await lineTo(t, first.port);
  const { page, show, client } = await sitDown(t, line.url);
  const { executionId } = await client.start(expense);

  await show(`executions/${executionId}`);
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  await first.close();
  await page.getByText('Reconnecting').waitFor();
  line.leadTo((await openOffice(t, { data })).port);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.locator('h1 .status.completed').waitFor();

  assert.equal((await client.get(executionId)).status, 'completed');
});

test('what a server has forgotten that kept it in memory is said to be gone', async (t) => {
  const first = await openOffice(t);
  const line = await lineTo(t, first.port);
  const { page, show, client } = await sitDown(t, line.url);
  const { executionId } = await client.start({ version: '2.4' }, { path: '/v1/release-notes' });

  await show(`executions/${executionId}`);
  await page.locator('.timeline li').first().waitFor();
  line.cut();
  await first.close();
  line.leadTo((await openOffice(t)).port);
  line.mend();

  await page.getByText('does not know this execution any more').waitFor();
  await show('executions');
  await page.getByText('No executions yet').waitFor();
});

test('a hidden page holds no connection, and resumes when it is visible', async (t) => {
  const server = await openOffice(t);
  const { page, show, client } = await sitDown(t, server.url);
  const { executionId } = await client.start(expense);
  const hide = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
       document.dispatchEvent(new Event('visibilitychange'));`,
    );

  await page.clock.install();
  await show(`executions/${executionId}`);
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  await hide(true);
  await page.clock.runFor(11_000);
  await until(() => server.openRequests === 0, 'the end of the streams');
  await client.cancel(executionId);
  await hide(false);

  await page.locator('h1 .status.cancelled').waitFor();
});

test('seven tabs of one browser hold one stream, and each shows what happens', async (t) => {
  const server = await openOffice(t);
  const desks = [];
  for (let tab = 0; tab < 7; tab += 1) desks.push(await sitDown(t, server.url));
  const { client } = desks[0]!;
  const { executionId } = await client.start(expense);
  for (const { show, page } of desks) {
    await show(`executions/${executionId}`);
    await page.getByRole('button', { name: 'Approve' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  }
  await until(() => server.openRequests === 1, 'the end of all requests but one');

  await desks[6]!.page.getByRole('button', { name: 'Approve' }).click();
  for (const { page } of desks) await page.locator('h1 .status.completed').waitFor();
  const second = await client.start(expense);
  await desks[0]!.page.close();
  for (const { show, page } of desks.slice(1)) {
    await show(`executions/${second.executionId}`);
    await page.getByRole('button', { name: 'Approve' }).waitFor();
  }
  await client.cancel(second.executionId);

  for (const { page } of desks.slice(1)) await page.locator('h1 .status.cancelled').waitFor();
});

test('who comes from elsewhere is asked for the operator key, and let in by it', async (t) => {
  const { url } = await openOffice(t, { identity: { operatorKey: 'the key of the operator' } });
  const { page, show, client } = await sitDown(t, url);
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': '203.0.113.9' }); // a proxy has sent it on
  await client.start(expense);

  await show('executions');
  await page.getByLabel('Operator key').fill('another key');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This is not the operator key.').waitFor();
  await page.getByLabel('Operator key').fill('the key of the operator');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.row-link').waitFor();
  await page.reload();
  await page.locator('.row-link').waitFor();

  assert.equal(await page.evaluate('document.cookie'), '', 'no script can read the cookie');
});
