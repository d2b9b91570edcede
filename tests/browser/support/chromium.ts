/** Chromium, as a person sits before it. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../../support/browser.ts';

export interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly deviceScaleFactor?: number;
}

/** Without cookies, and without what moves. Closing the browser ends it. */
export const openChromium = async (look: Look = {}): Promise<{ browser: Browser; context: BrowserContext }> => {
  const browser = await launchChromium();
  const viewport = { width: 1280, height: 900 };
  const context = await browser.newContext({ viewport, reducedMotion: 'reduce', ...look });
  context.setDefaultTimeout(30_000);
  return { browser, context };
};

/** What a page did that it should not have: errors, broken policies, requests to other hosts than it may ask. */
export const complaintsOf = (page: Page, mayAsk: (url: URL) => boolean): string[] => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A server that is away is an error to the browser, and none of the page.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && !mayAsk(url)) complaints.push(`request: ${url}`);
  });
  return complaints;
};
