/** `docs/architecture.md` and the decisions draw the machines there are, and name files there are. */
import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { builderMachine } from '../../machines/builder.ts';
import { graphOf } from '../../machines/drawing/graph.ts';
import { layoutOf } from '../../machines/drawing/layout.ts';
import { mermaidOf } from '../../machines/drawing/mermaid.ts';
import { svgOf } from '../../machines/drawing/svg.ts';
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

  test(`the picture of the ${machine.id} is drawn as it is`, async () => {
    const picture = await readFile(new URL(`docs/machines/${machine.id}.svg`, root), 'utf8');

    assert.equal(picture, svgOf(await layoutOf(graphOf(machine))), 'npm run draw');
    assert.ok(page.text.includes(`](machines/${machine.id}.svg)`));
  });
}

for (const path of [
  'docs/architecture.md',
  'docs/terminal.md',
  'CONTRIBUTING.md',
  ...decisions.map((name) => `docs/decisions/${name}`),
]) {
  test(`${path} names and links to files that exist`, async () => {
    const { text, links } = await readPage(path);
    const named = [...text.matchAll(/`((?:machines|runtime|server|cli|tools|tests|examples|bench|docs)\/[\w./-]*)`/g)];

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
