/** What axe finds in the views of the console: nothing, in light, in dark, and on a phone. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { openChromium } from './support/chromium.ts';
import { crowdedOffice } from './support/crowd.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const looks = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 800 } },
} as const;

const views = {
  executions: 'tbody tr',
  inbox: '.inbox li',
  builders: '.builder',
  start: 'form',
};

type Found = { id: string; nodes: { target: string[]; failureSummary?: string }[] };

for (const [name, look] of Object.entries(looks)) {
  test(`all views are accessible, ${name}`, async (t) => {
    const server = await crowdedOffice();
    t.after(() => server.close());
    const { browser, context } = await openChromium(look);
    t.after(() => browser.close());
    const page = await context.newPage();
    const found: string[] = [];
    const check = async (view: string, ready: string): Promise<void> => {
      await page.locator(ready).first().waitFor();
      await page.evaluate(axe); // as a debugger does, which the policy of the page does not bind
      const { violations } = (await page.evaluate('axe.run()')) as { violations: Found[] };
      for (const { id, nodes } of violations) {
        found.push(...nodes.map(({ target, failureSummary }) => `${view}: ${id}: ${target}: ${failureSummary}`));
      }
      const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      if (isWide) found.push(`${view}: scrolls sideways`);
    };

    for (const [view, ready] of Object.entries(views)) {
      await page.goto(`${server.url}/console#/${view}`);
      await check(view, ready);
    }
    await page.goto(`${server.url}/console#/executions`);
    await page.locator('tr', { hasText: '2.4' }).locator('.row-link').click();
    await page.locator('.timeline summary').first().click();
    await check('execution', '.statechart');

    assert.deepEqual(found, []);
  });
}
