/** A server with several workflows, and a browser on it. Forbidden actions of the page fail the test. */
import assert from 'node:assert/strict';
import { after, before, type TestContext } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Client, createClient } from '../../../client/index.ts';
import { createServer, type Server, type ServerOptions } from '../../../server/index.ts';
import { asOperator, behindProxy, settingsBehindProxy } from '../../support/proxy-setup.ts';
import { complaintsOf, type Look, openChromium } from './chromium.ts';
import { endpoints, office } from './office.ts';

export interface Desk {
  readonly page: Page;
  /** The same server, asked without a browser. */
  readonly client: Client;
  /** Goes to a view of the console, such as `inbox`. */
  show(view: string): Promise<void>;
}

/** A server of all workflows of the office, at a free port unless one is given. */
export const openOffice = async (t: TestContext, config: Partial<ServerOptions> = {}): Promise<Server> => {
  const server = await createServer({
    workflow: office[0],
    workflows: office.slice(1),
    config: {
      host: '127.0.0.1',
      port: 0,
      endpoints,
      ...settingsBehindProxy(),
      ...config,
      runtime: { stopTimeoutMs: 0, ...config.runtime },
    },
  });
  t.after(() => server.close());
  return behindProxy(t, server);
};

/** One browser for all tests of a file; each gets a page of its own. */
export const useBrowser = (look: Look = {}): ((t: TestContext, url: string) => Promise<Desk>) => {
  let opened: { browser: Browser; context: BrowserContext };
  before(async () => {
    opened = await openChromium(look);
  });
  after(() => opened.browser.close());
  return async (t, url) => {
    await opened.context.setExtraHTTPHeaders(asOperator());
    const page = await opened.context.newPage();
    const host = new URL(url).host;
    const complaints = complaintsOf(page, (asked) => asked.host === host);
    t.after(async () => {
      await page.close();
      assert.deepEqual(complaints, []);
    });
    return {
      page,
      client: createClient({ baseUrl: url, headers: { 'x-as-operator': '1', ...asOperator() } }),
      show: async (view) => void (await page.goto(`${url}/console#/${view}`)),
    };
  };
};
