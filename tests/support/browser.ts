/** A real browser for a test: Chromium, as the system has it installed. */
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

export interface Browsing {
  readonly context: BrowserContext;
  /** Addresses that pages have asked for, of all pages together. */
  readonly requests: string[];
  /** What went wrong in pages, and what their policies have forbidden. */
  readonly errors: string[];
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--host-resolver-rules=MAP *.test 127.0.0.1',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-sync',
    ],
  });

/** It begins without cookies and ends with the test. Names that end with `.test` are this machine. */
export const givenBrowser = async (t: TestContext): Promise<Browsing> => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const context = await browser.newContext();
  const requests: string[] = [];
  const errors: string[] = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('page', (page) => page.on('pageerror', (error) => errors.push(String(error))));
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
  });
  return { context, requests, errors };
};
