/** The console in a real browser: starting, looking, answering, consenting, cancelling. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityProvider } from '../support/identity-provider.ts';
import { freePort } from '../support/loopback.ts';
import { openOffice, useBrowser } from './support/desk.ts';

const sitDown = useBrowser();

test('a run that is started from the form is answered where it is shown, and shows its result', async (t) => {
  const { url } = await openOffice(t);
  const { page, show } = await sitDown(t, url);

  await show('start');
  await page.getByLabel('Amount').fill('412.5');
  await page.getByLabel('Purpose').fill('Train to Lyon');
  await page.getByLabel('Category').selectOption({ label: 'travel' });
  await page.getByRole('button', { name: 'Start expense-approval' }).click();
  await page.getByText('Needs answer').waitFor();
  const waiting = await page.locator('.statechart .state.active').getAttribute('data-state');
  const path = await page.locator('.statechart .edge.taken').evaluateAll((edges) => edges.length);
  const deadline = await page.locator('.pause .countdown').textContent();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.locator('h1 .status.completed').waitFor();

  assert.equal(waiting, 'active.awaiting_interaction');
  assert.equal(path, 2);
  assert.match(deadline ?? '', /^(8 h|7 h 59 min) left$/);
  assert.match((await page.getByLabel('Result').textContent()) ?? '', /"approved": true/);
  assert.match((await page.getByLabel('Input', { exact: true }).textContent()) ?? '', /"purpose": "Train to Lyon"/);
  assert.equal(await page.locator('.statechart .state.active').getAttribute('data-state'), 'completed');
});

test('an input that the server refuses stays in the form, with the reason', async (t) => {
  const { url } = await openOffice(t);
  const { page, show, client } = await sitDown(t, url);

  await show('start/nightly-report');
  await page.getByRole('button', { name: 'As JSON' }).click();
  await page.getByLabel('JSON', { exact: true }).fill('{"region": 7}');
  await page.getByRole('button', { name: 'Start nightly-report' }).click();
  await page.getByRole('alert').first().waitFor();
  await page.getByRole('button', { name: 'As a form' }).click();

  assert.match((await page.locator('.field .mistake').textContent()) ?? '', /string/);
  assert.deepEqual((await client.list()).executions, []);
});

test('each kind of prompt is answered in the inbox, which empties', async (t) => {
  const { url } = await openOffice(t);
  const { page, show, client } = await sitDown(t, url);
  const { executionId } = await client.start({ version: '2.4' }, { path: '/v1/release-notes' });

  await show('inbox');
  const card = (question: string) => page.locator('.inbox .card', { hasText: question });
  await card('headline').getByRole('textbox').fill('Faster, and calmer');
  await card('headline').getByRole('button').click();
  await card('announced').getByLabel('Blog').check();
  await card('announced').getByLabel('Community chat').check();
  await card('announced').getByRole('button', { name: 'Send 2 chosen' }).click();
  await card('tone').getByLabel('Warm').check();
  await card('tone').getByRole('button').click();
  await card('Who reads it').getByRole('combobox').selectOption({ label: 'Administrators' });
  await card('Who reads it').getByRole('button').click();
  await page.getByText('The inbox is empty').waitFor();
  await show(`executions/${executionId}`);
  await page.getByText('Drafting notes for 2.4.', { exact: true }).waitFor(); // a notification does not wait

  const result = { version: '2.4', headline: 'Faster, and calmer', channels: ['blog', 'chat'], tone: 'warm' };
  assert.deepEqual(await client.follow(executionId), { ...result, audience: 'admins' });
});

test('a consent is given at a real provider, in a tab of its own', async (t) => {
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/auth/redirect`;
  const { config, issuer } = await identityProvider(t, { redirectUri });
  const { url } = await openOffice(t, { port, providers: { calendar: config } });
  const { page, show, client } = await sitDown(t, url);
  const { executionId } = await client.start({}, { path: '/v1/calendar-sync', headers: { 'x-api-key': 'ada' } });

  await show(`executions/${executionId}`);
  const [tab] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: 'Open consent page' }).click(),
  ]);
  await tab.waitForURL(`${issuer}/**`);
  await tab.locator('input[name=login]').fill('ada');
  await tab.locator('input[name=password]').fill('-');
  await tab.locator('button[type=submit]').click();
  await tab.getByRole('button', { name: 'Continue' }).click();
  await page.locator('h1 .status.completed').waitFor();

  assert.deepEqual(await client.follow(executionId), { events: 42, granted: true });
  assert.equal(await page.getByText('Consent granted').count(), 1);
});

test('a run is cancelled after a second look', async (t) => {
  const { url } = await openOffice(t);
  const { page, show, client } = await sitDown(t, url);
  const { executionId } = await client.start({ region: 'north' }, { path: '/v1/nightly-report' });

  await show('executions');
  await page.getByRole('link', { name: 'nightly-report' }).click();
  await page.locator('h1 .status.sleeping').waitFor();
  await page.getByRole('button', { name: 'Cancel execution' }).click();
  await page.getByRole('button', { name: 'Yes, cancel it' }).click();
  await page.locator('h1 .status.cancelled').waitFor();

  assert.equal((await client.get(executionId)).status, 'failed');
  assert.equal(await page.getByRole('button', { name: 'Cancel execution' }).count(), 0);
});

test('the list is filtered by status, and shows what changes while one looks', async (t) => {
  const { url } = await openOffice(t);
  const { page, show, client } = await sitDown(t, url);
  const { executionId } = await client.start({ version: '2.4' }, { path: '/v1/release-notes' });
  await client.start({ region: 'nowhere' }, { path: '/v1/nightly-report' });

  await show('executions');
  await page.locator('tbody .status.failed').waitFor();
  await page.getByRole('button', { name: 'Needs answer' }).click();
  await page.locator('tbody tr').and(page.locator(':only-child')).waitFor();
  const filtered = await page.locator('tbody .row-link').allTextContents();
  await client.cancel(executionId);
  await page.getByText('No execution matches').waitFor();

  assert.deepEqual(filtered, ['release-notes']);
});

test('builders show their slots, their queue and what they have done', async (t) => {
  const { url } = await openOffice(t, { runtime: { maxConcurrency: 1 } });
  const { page, show, client } = await sitDown(t, url);
  const path = '/v1/invoice-import';
  const runs = await Promise.all(['a', 'b'].map((folder) => client.start({ folder }, { path })));

  await show('builders');
  const meters = page.locator('.builder', { hasText: 'invoice-import' }).locator('.meter .number');
  await meters.getByText('1 / 1', { exact: true }).waitFor();
  const [, queue] = await meters.allTextContents();
  for (const { executionId } of runs) await client.cancel(executionId);
  await meters.getByText('0 / 1', { exact: true }).waitFor();

  assert.match(queue ?? '', /^1 \/ /);
});

test('a console under a root path asks its own server only, and finds it', async (t) => {
  const { url } = await openOffice(t, { rootPath: '/behind/a/proxy' });
  const { page, show, client } = await sitDown(t, url);
  await client.start({ region: 'north' }, { path: '/v1/nightly-report' });

  await show('inbox');
  await page.getByText('The inbox is empty').waitFor();
  await page.getByRole('link', { name: 'Executions' }).click();
  await page.locator('tbody .status.sleeping').waitFor();
});

test('a keyboard is enough: past the menu, to the first execution, and to its answer', async (t) => {
  const { url } = await openOffice(t);
  const { page, show, client } = await sitDown(t, url);
  const input = { amount: 5, purpose: 'Paper', category: 'equipment' };
  const { executionId } = await client.start(input);

  await show('executions');
  await page.locator('.row-link').waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const isPast = await page.evaluate('document.activeElement?.id');
  await page.locator('.row-link').focus();
  await page.keyboard.press('Enter');
  const approve = page.getByRole('button', { name: 'Approve' });
  await approve.waitFor();
  for (let tabs = 0; tabs < 12 && !(await approve.evaluate((one) => one.matches(':focus'))); tabs += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.locator('h1 .status.completed').waitFor();

  assert.equal(isPast, 'main');
  assert.equal((await client.get(executionId)).status, 'completed');
});
