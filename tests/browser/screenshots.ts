/** Takes the pictures of the console in `docs/images/`: `npm run screenshots`. */
import { mkdir } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { openChromium } from './support/chromium.ts';
import { crowdedOffice } from './support/crowd.ts';

const images = new URL('../../docs/images/', import.meta.url).pathname;

const looks = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 780 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 780 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 800 }, deviceScaleFactor: 1.5 },
} as const;

const open = async (page: Page, url: string, ready: string): Promise<void> => {
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  await page.waitForTimeout(150); // for what comes by the streams
};

const server = await crowdedOffice();
await mkdir(images, { recursive: true });
try {
  for (const [name, look] of Object.entries(looks)) {
    const { browser, context } = await openChromium(look);
    try {
      const page = await context.newPage();
      const take = (view: string) => page.screenshot({ path: `${images}console-${view}-${name}.png` });
      await open(page, `${server.url}/console`, 'tbody tr');
      await take('executions');
      const parked = page.locator('tr', { hasText: 'Lyon' }).locator('.row-link');
      await open(page, `${server.url}/console${await parked.getAttribute('href')}`, '.timeline li');
      if (name !== 'phone') await page.setViewportSize({ width: 1360, height: 860 });
      await take('execution');
      await page.setViewportSize(look.viewport);
      await open(page, `${server.url}/console#/inbox`, '.inbox li');
      await take('inbox');
      await open(page, `${server.url}/console#/builders`, '.builder');
      await take('builders');
      await open(page, `${server.url}/console#/start`, 'form');
      await take('start');
    } finally {
      await browser.close();
    }
  }
} finally {
  await server.close();
}
