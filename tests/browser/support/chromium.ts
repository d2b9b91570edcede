/** Chromium, as a person sits before it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly deviceScaleFactor?: number;
}

/** A browser of its own, with an empty profile. What it is closed with also removes that. */
export const openChromium = async (
  look: Look = {},
): Promise<{ context: BrowserContext; close: () => Promise<void> }> => {
  const profile = await mkdtemp(join(tmpdir(), 'fermata-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: FLAGS,
    headless: true,
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...look,
  });
  context.setDefaultTimeout(5_000);
  const close = async (): Promise<void> => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
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
