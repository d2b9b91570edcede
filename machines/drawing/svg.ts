/**
 * A graph with its layout as one SVG element, for a page or a file. It has no ids, so a page can contain several. A
 * page can set its colours: see `svg-style.ts`.
 */
import { type Layout, type PlacedEdge, type PlacedStart, type PlacedState, type Point, sizes } from './layout.ts';
import { style } from './svg-style.ts';

export type Lit = {
  /** Ids of the active states. Their parents are highlighted too. */
  readonly active?: readonly string[];
  /** Ids of the taken edges. */
  readonly taken?: readonly string[];
};

export const svgOf = (layout: Layout, { active = [], taken = [] }: Lit = {}): string => {
  const { id, width, height, states, edges, starts } = layout;
  const isTaken = (edge: PlacedEdge): boolean => taken.includes(edge.id);
  const content = [
    `<rect class="ground" width="${width}" height="${height}" rx="12"/>`,
    ...states.map((state) => stateMark(state, activity(state, active))),
    ...starts.map(startMark),
    ...edges.filter((edge) => !isTaken(edge)).map((edge) => lineMark(edge, false)),
    ...edges.filter(isTaken).map((edge) => lineMark(edge, true)),
    ...edges.map((edge) => labelMark(edge, isTaken(edge))),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="statechart" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${text(titleOf(id, active))}</title>`,
    `<style>${style}</style>`,
    ...content,
    '</svg>',
    '',
  ].join('\n');
};

const titleOf = (id: string, active: readonly string[]): string =>
  active.length === 0 ? `Statechart of the ${id}` : `Statechart of the ${id}, now in ${active.join(' and ')}`;

type Activity = 'active' | 'around' | 'idle';

const activity = ({ id }: PlacedState, active: readonly string[]): Activity => {
  if (active.includes(id)) return 'active';
  return active.some((lit) => lit.startsWith(`${id}.`)) ? 'around' : 'idle';
};

const stateMark = (state: PlacedState, lit: Activity): string => {
  const { id, key, tags, box, isLeaf, isFinal } = state;
  const { x, y, width, height } = box;
  const shape = isFinal ? 'final' : isLeaf ? 'leaf' : 'compound';
  const nameY = y + (isLeaf ? height / 2 : sizes.titleHeight / 2 + 1);
  const nameX = isLeaf && !isFinal ? x + width / 2 : x + 14 + (isFinal ? sizes.ringWidth : 0);
  return [
    `<g class="state ${shape} ${lit}" data-state="${text(id)}">`,
    `<title>${text(tags.length === 0 ? id : `${id} (${tags.join(', ')})`)}</title>`,
    `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${isLeaf ? 9 : 12}"/>`,
    isFinal ? ringMark({ x: x + 20, y: nameY }) : '',
    `<text x="${n(nameX)}" y="${n(nameY)}">${text(key)}</text>`,
    '</g>',
  ].join('');
};

const ringMark = ({ x, y }: Point): string =>
  `<circle class="ring" cx="${n(x)}" cy="${n(y)}" r="6"/><circle class="dot" cx="${n(x)}" cy="${n(y)}" r="3"/>`;

const startMark = ({ state, dot, points }: PlacedStart): string =>
  `<g class="edge start" data-start="${text(state)}"><circle class="dot" cx="${n(dot.x)}" cy="${n(dot.y)}" r="${sizes.dotRadius}"/>${arrow(points)}</g>`;

const lineMark = ({ id, points }: PlacedEdge, isTaken: boolean): string =>
  `<g class="edge${isTaken ? ' taken' : ''}" data-edge="${text(id)}">${arrow(points)}</g>`;

const labelMark = ({ id, label, labelBox: { x, y, width, height } }: PlacedEdge, isTaken: boolean): string =>
  [
    `<g class="label${isTaken ? ' taken' : ''}" data-edge="${text(id)}">`,
    `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${n(height / 2)}"/>`,
    `<text x="${n(x + width / 2)}" y="${n(y + height / 2)}">${text(label)}</text>`,
    '</g>',
  ].join('');

const CORNER_RADIUS = 8;
const HEAD_LENGTH = 7;
const HEAD_HALF_WIDTH = 4;

/** The line ends where the head begins. */
const arrow = (points: readonly Point[]): string => {
  const [tip, before] = [points.at(-1), points.at(-2)];
  if (tip === undefined || before === undefined) return '';
  const base = towards(tip, before, HEAD_LENGTH);
  const [dx, dy] = [(tip.x - base.x) / HEAD_LENGTH, (tip.y - base.y) / HEAD_LENGTH];
  const side = (sign: 1 | -1): string =>
    at({ x: base.x - sign * dy * HEAD_HALF_WIDTH, y: base.y + sign * dx * HEAD_HALF_WIDTH });
  const line = rounded([...points.slice(0, -1), base]);
  return `<path class="line" d="${line}"/><path class="head" d="M${at(tip)}L${side(1)}L${side(-1)}Z"/>`;
};

const rounded = (points: readonly Point[]): string =>
  points
    .map((point, index) => {
      const [before, after] = [points[index - 1], points[index + 1]];
      if (before === undefined) return `M${at(point)}`;
      if (after === undefined) return `L${at(point)}`;
      const radius = Math.min(CORNER_RADIUS, distance(point, before) / 2, distance(point, after) / 2);
      return `L${at(towards(point, before, radius))}Q${at(point)} ${at(towards(point, after, radius))}`;
    })
    .join('');

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

const towards = (from: Point, to: Point, length: number): Point => {
  const share = length / (distance(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
};

const at = ({ x, y }: Point): string => `${n(x)} ${n(y)}`;

/** Rounds to a tenth of a pixel. */
const n = (value: number): string => String(Math.round(value * 10) / 10);

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string): string => value.replace(/[&<>"]/g, (character) => entities[character] ?? character);
