/** The pages for readers whose system is dark: dark ground, light words, as the browser draws them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflow } from '../../runtime/index.ts';
import { given } from '../support/given.ts';
import { openChromium } from './support/chromium.ts';

const echo = workflow({ name: 'echo', run: (input: unknown) => input });

/** Brightness of the ground and of the words of each element that has words of its own: 0 to 255. */
const brightness = `(() => {
  const valueOf = (color) => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number); return 0.3 * r + 0.6 * g + 0.1 * b; };
  const isClear = (color) => color === 'transparent' || /, 0\\)$/.test(color);
  const canvas = document.createElement('div');
  canvas.style.backgroundColor = 'Canvas';
  document.body.append(canvas);
  const page = getComputedStyle(canvas).backgroundColor;
  canvas.remove();
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (!isClear(backgroundColor)) return backgroundColor;
    }
    return page;
  };
  return [...document.body.querySelectorAll('*')]
    .filter((at) => [...at.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '') && at.checkVisibility())
    .filter((at) => !at.closest('script, style'))
    .map((at) => ({ words: at.textContent.trim().slice(0, 40), ground: valueOf(groundOf(at)), ink: valueOf(getComputedStyle(at).color) }));
})()`;

for (const path of ['/docs', '/inspect']) {
  for (const colorScheme of ['dark', 'light'] as const) {
    test(`${path} is ${colorScheme} where the reader’s system is, with words that stand out`, async (t) => {
      const { server } = await given.server(t, { workflow: echo, config: { console: true } });
      const { browser, context } = await openChromium({ colorScheme });
      t.after(() => browser.close());
      const page = await context.newPage();
      await page.goto(`${server.url}${path}`);

      const seen = (await page.evaluate(brightness)) as { words: string; ground: number; ink: number }[];

      assert.ok(seen.length > 0, 'the page says nothing');
      const isDark = ({ ground }: { ground: number }) => ground < 128;
      const wrong = seen.filter((at) => isDark(at) !== (colorScheme === 'dark') || Math.abs(at.ground - at.ink) < 60);
      assert.deepEqual(wrong, []);
    });
  }
}
