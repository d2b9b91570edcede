import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from 'xstate';
import { builderMachine } from '../../../machines/builder.ts';
import { graphOf } from '../../../machines/drawing/graph.ts';
import { type Box, type Layout, layoutOf } from '../../../machines/drawing/layout.ts';
import { svgOf } from '../../../machines/drawing/svg.ts';
import { executionMachine } from '../../../machines/execution.ts';
import { managerMachine } from '../../../machines/manager.ts';

/** What is rare, all in one: regions side by side, a way back in, a way to oneself, one out of a depth, one to a parent. */
const knot = createMachine({
  id: 'knot',
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      states: {
        left: { initial: 'a', states: { a: { on: { go: 'b', self: { target: 'a', reenter: true } } }, b: {} } },
        right: {
          initial: 'c',
          states: { c: { on: { out: '#knot.end', up: '#knot.both' } }, past: { type: 'history' } },
        },
      },
      on: { off: 'end', again: { target: 'both', reenter: true } },
    },
    end: { on: { back: 'both.right.past' } },
  },
});
const machines = [executionMachine, builderMachine, managerMachine, knot];

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const holds = (outer: Box, inner: Box): boolean =>
  outer.x <= inner.x &&
  outer.y <= inner.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

for (const machine of machines) {
  const layout = layoutOf(graphOf(machine));

  test(`in the drawing of the ${machine.id} every state is inside the one around it, and none lies on another`, async () => {
    const { states, width, height } = await layout;
    const boxOf = (id: string | null): Box =>
      states.find((state) => state.id === id)?.box ?? { x: 0, y: 0, width, height };

    for (const { id, parent, box } of states) assert.ok(holds(boxOf(parent), box), id);
    const leaves = states.filter(({ isLeaf }) => isLeaf);
    for (const one of leaves) {
      for (const other of leaves) assert.ok(one === other || !overlap(one.box, other.box), `${one.id}, ${other.id}`);
    }
  });

  test(`in the drawing of the ${machine.id} labels lie on no other label and on no state`, async () => {
    const { edges, states } = await layout;
    const leaves = states.filter(({ isLeaf }) => isLeaf);

    for (const { id, labelBox } of edges) {
      for (const other of edges) assert.ok(other.id === id || !overlap(labelBox, other.labelBox), `${id}, ${other.id}`);
      for (const state of leaves) assert.ok(!overlap(labelBox, state.box), `${id}, ${state.id}`);
    }
  });

  test(`in the drawing of the ${machine.id} every edge has a way, and every beginning a dot`, async () => {
    const { edges, starts } = await layout;

    for (const { id, points } of edges) assert.ok(points.length >= 2, id);
    for (const { state, points } of starts) assert.ok(points.length >= 2, state);
  });
}

const builder = await layoutOf(graphOf(builderMachine));
const elements = (svg: string, pattern: RegExp): string[] => [...svg.matchAll(pattern)].map(([, name]) => name!);

test('the states it is in are lit, and those around them', () => {
  const svg = svgOf(builder, { active: ['ready.in_use'] });

  assert.deepEqual(elements(svg, /class="state \w+ active" data-state="([^"]+)"/g), ['ready.in_use']);
  assert.deepEqual(elements(svg, /class="state \w+ around" data-state="([^"]+)"/g), ['ready']);
  assert.match(svg, /<title>Statechart of the builder, now in ready\.in_use<\/title>/);
});

test('the way it took is drawn above all others', () => {
  const taken = 'ready.idle --> ready.in_use: use.began';

  const svg = svgOf(builder, { taken: [taken] });

  const lines = elements(svg, /class="edge(?: taken)?" data-edge="([^"]+)"/g);
  assert.equal(lines.at(-1), taken.replace('>', '&gt;'));
  assert.equal(elements(svg, /class="(edge|label) taken"/g).length, 2);
});

test('a drawing is an image with a title, and knows no ids and no other hosts', () => {
  const svg = svgOf(builder);

  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*role="img"/);
  assert.match(svg, /<title>Statechart of the builder<\/title>/);
  assert.doesNotMatch(svg, / id=|href|url\(|NaN|undefined/);
});

test('no name gets out of its place', async () => {
  const layout: Layout = await layoutOf(
    graphOf(createMachine({ id: 'a<b', initial: '"&<x>', states: { '"&<x>': { on: { '</svg>': 'y' } }, y: {} } })),
  );

  const svg = svgOf(layout);

  assert.equal(svg.match(/<\/svg>/g)?.length, 1);
  assert.doesNotMatch(svg, /<x>|<b/);
});
