/** `docs/architecture.md` and the decisions draw the machines there are, and name files there are. */
import assert from 'node:assert/strict';
import { access, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { builderMachine } from '../../machines/builder.ts';
import { graphOf } from '../../machines/drawing/graph.ts';
import { mermaidOf } from '../../machines/drawing/mermaid.ts';
import { executionMachine } from '../../machines/execution.ts';
import { managerMachine } from '../../machines/manager.ts';
import { readPage } from '../support/markdown.ts';

const root = new URL('../../', import.meta.url);
const page = await readPage('docs/architecture.md');
const decisions = await readdir(new URL('docs/decisions/', root));

for (const machine of [executionMachine, builderMachine, managerMachine]) {
  test(`the ${machine.id} is drawn as it is`, () => {
    const drawn = page.blocks.filter(({ info }) => info === 'mermaid').map(({ code }) => code.trim());

    assert.ok(drawn.includes(mermaidOf(graphOf(machine))), `expected:\n${mermaidOf(graphOf(machine))}`);
  });
}

for (const path of ['docs/architecture.md', 'CONTRIBUTING.md', ...decisions.map((name) => `docs/decisions/${name}`)]) {
  test(`${path} names and links to files that exist`, async () => {
    const { text, links } = await readPage(path);
    const named = [...text.matchAll(/`((?:machines|runtime|server|tests|examples|bench|docs)\/[\w./-]*)`/g)];

    for (const url of [...links, ...named.map(([, file]) => new URL(file!, root))]) await access(url);
  });
}

test('decisions are numbered one after the other', () => {
  const numbers = decisions.map((name) => Number(name.slice(0, 4))).sort();

  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});
