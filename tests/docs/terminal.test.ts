/** `docs/terminal.md` types what there is, and names the colours that a page may set. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommandLine } from '../../cli/command-line.ts';
import { style } from '../../machines/drawing/svg-style.ts';
import { readPage } from '../support/markdown.ts';

const page = await readPage('docs/terminal.md');

test('every command on the page can be typed', () => {
  const commands = page.blocks.flatMap(({ code }) => code.match(/(?<=^npx fermata ).+$/gm) ?? []);

  const runs = commands.map((typed) => {
    const words = typed.replace(/ > .*$/, '').match(/'[^']*'|\S+/g) ?? [];
    return readCommandLine(words.map((word) => word.replaceAll("'", ''))).run;
  });

  assert.deepEqual(runs, ['run', 'executions', 'executions', 'executions', 'executions', 'graph']);
});

test('the page names every colour of a drawing, and no other', () => {
  const named = new Set(page.text.match(/--chart-[a-z-]+/g));
  const used = new Set(style.match(/--chart-[a-z-]+/g));

  assert.deepEqual([...named].sort(), [...used].sort());
});
