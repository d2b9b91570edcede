/** The page of the inspector in a real browser, with a stand-in for the hosted inspector beside it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Frame, Page } from 'playwright-core';
import type { ServerOptions } from '../../server/options.ts';
import { givenBrowser } from '../support/browser.ts';
import { asking } from '../support/controlled-server.ts';
import { turns } from '../support/given.ts';
import { until } from '../support/http.ts';
import { givenInspector, type InspectorMessage } from '../support/inspector-server.ts';
import { freePort } from '../support/loopback.ts';
import { givenStatelyInspector } from '../support/stately-inspector.ts';

const operatorKey = 'the key of the operator';

const givenPage = async (t: TestContext, config: Partial<ServerOptions> = {}) => {
  const world = await givenInspector(t, { workflow: asking, config });
  const [browser, inspector] = [await givenBrowser(t), await givenStatelyInspector(t)];
  const page = await browser.context.newPage();
  const { inspection } = world.server.runtime;
  const gone = () => until(() => inspection.inspectors === 0, 'the end of the watcher');
  return { ...world, ...browser, page, inspector, inspection, gone };
};

const openWith = async (page: Page, inspector: string, button: string) => {
  await page.getByLabel('Address of the inspector').fill(inspector);
  await page.getByRole('button', { name: button }).click();
};

const receivedBy = (target: Page | Frame) => target.evaluate('received') as Promise<InspectorMessage[]>;

/** Waits until the inspector has got something that fits, and gives all it has got. */
const received = async (target: Page | Frame, fits: (message: InspectorMessage) => boolean) => {
  for (const start = Date.now(); ; await turns()) {
    const messages = await receivedBy(target);
    if (messages.some(fits)) return messages;
    assert.ok(Date.now() - start < 10_000, `only ${JSON.stringify(messages).slice(0, 1_000)}`);
  }
};

const isEvent = (type: string) => (message: InspectorMessage) =>
  message.type === '@xstate.event' && message.event.type === type;
const isNamed = (name: string) => (message: InspectorMessage) => message.name?.startsWith(name);

test('the inspector in a window shakes hands, gets what there is, and then what happens', async (t) => {
  const { page, inspector, server, call, requests, errors, inspection, gone } = await givenPage(t);
  await call('POST /v1/workflow', { body: {} });
  await page.goto(`${server.url}/inspect`);
  await page.getByText('Not connected.').waitFor();
  assert.deepEqual([requests.length, inspection.inspectors], [1, 0], 'nothing but the page, before a click');

  const [opened] = await Promise.all([page.waitForEvent('popup'), openWith(page, inspector, 'Open in a window')]);
  await received(opened, isNamed('asking execution'));
  await call('POST /v1/workflow', { body: {} });
  const messages = await received(opened, isEvent('interaction.requested'));

  assert.equal(messages[0]?.name, 'inspection');
  assert.equal(messages.filter(isNamed('asking execution')).length, 2);
  assert.match(await page.getByRole('status').innerText(), /^Connected\. http:\/\/127\.0\.0\.1:\d+ is shown/);
  assert.ok(Number(await page.locator('#passed').innerText()) >= messages.length);

  await opened.close();
  await page.getByText('The window of the inspector is closed.').waitFor();
  await gone();
  assert.deepEqual(errors, []);
});

test('the inspector in a frame is connected by the same handshake, and told when it is over', async (t) => {
  const { page, inspector, server, errors, gone } = await givenPage(t);
  await page.goto(`${server.url}/inspect?kind=manager`);

  await openWith(page, inspector, 'Open below');
  await page.getByText('Connected.').waitFor();
  const frame = page.frames()[1]!;
  const messages = await received(frame, isNamed('manager'));
  await page.getByRole('button', { name: 'Disconnect' }).click();
  await gone();

  assert.ok(messages.every(({ name }) => ['inspection', 'manager', 'executions', 'builders'].includes(name)));
  await received(frame, ({ type }) => (type as string) === '@statelyai.disconnected');
  assert.deepEqual(errors, []);
});

test('an inspector that is loaded anew gets everything anew', async (t) => {
  const { page, inspector, server, inspection, gone } = await givenPage(t);
  await page.goto(`${server.url}/inspect`);
  const [opened] = await Promise.all([page.waitForEvent('popup'), openWith(page, inspector, 'Open in a window')]);
  await received(opened, isNamed('manager'));

  await opened.reload();
  await received(opened, isNamed('manager'));

  await until(() => inspection.inspectors === 1, 'the end of the first connection');
  await page.close();
  await gone();
});

test('nothing is sent to a page of another origin than the one that was chosen', async (t) => {
  const { page, inspector, server, inspection } = await givenPage(t);
  await page.goto(`${server.url}/inspect`);
  const elsewhere = inspector.replace('127.0.0.1', 'localhost');
  await page.route(inspector, (route) => route.fulfill({ status: 302, headers: { location: elsewhere } }));

  await openWith(page, inspector, 'Open below');
  await page.getByText('Nothing is sent: the page that answers is of http://localhost').waitFor();

  assert.equal(inspection.inspectors, 0);
});

test('when the server is started anew, the page comes back to it', async (t) => {
  const { page, inspector, server, clock } = await givenPage(t, { port: await freePort() });
  await page.goto(`${server.url}/inspect`);
  await openWith(page, inspector, 'Open below');
  const frame = await (await page.locator('iframe').elementHandle())!.contentFrame();
  await received(frame!, isNamed('manager'));
  const before = (await receivedBy(frame!)).length;

  const closed = server.close();
  await turns();
  clock.advance(60_000);
  await closed;
  await page.getByText('The server has closed the connection; trying again.').waitFor();
  const next = await givenInspector(t, { workflow: asking, config: { port: server.port } });
  await page.getByText('Connected.').waitFor();
  await until(() => next.server.runtime.inspection.inspectors === 1, 'the page');
  await next.call('POST /v1/workflow', { body: {} });

  const messages = await received(frame!, isEvent('interaction.requested'));
  assert.equal(messages.filter(isNamed('inspection')).length, 2);
  assert.ok(messages.length > before);
  await page.close();
  await until(() => next.server.runtime.inspection.inspectors === 0, 'the end of the watcher');
});

test('under a name that is not of this machine an operator signs in, and a cookie lets the page and its socket in', async (t) => {
  const { page, inspector, server, errors, gone } = await givenPage(t, {
    identity: { operatorKey },
    allowedHosts: ['fermata.test'],
  });
  await page.goto(`http://fermata.test:${server.port}/inspect?kind=manager`);
  await page.getByLabel('Operator key').fill('another key, not the right one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This is not the operator key.').waitFor();

  await page.getByLabel('Operator key').fill(operatorKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Not connected.').waitFor();
  await openWith(page, inspector, 'Open below');
  await page.getByText('Connected.').waitFor();
  await received(page.frames()[1]!, isNamed('manager'));
  await page.close();
  await gone();

  assert.ok(
    errors.every((error) => error.includes('status of 403')),
    errors.join('\n'),
  );
});
