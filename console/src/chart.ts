/** The statechart of an execution as SVG text, without a style element: the page's policy forbids it. */
import { execution } from 'virtual:charts';
import { svgOf } from '../../machines/drawing/svg.ts';
import { style } from '../../machines/drawing/svg-style.ts';
import type { Arrow, Path } from './path.ts';

const sheet = new CSSStyleSheet();
sheet.replaceSync(style);
document.adoptedStyleSheets.push(sheet);

export const chartOf = ({ active, taken }: Pick<Path, 'active' | 'taken'>): string =>
  svgOf(execution, { active: [active], taken: taken.flatMap(edgeOf) }).replace(/<style>.*?<\/style>/s, '');

/**
 * Selects the line of this event among several lines between the same states. The label of a line without an event
 * begins with its guard.
 */
const edgeOf = ({ source, target, event }: Arrow): string[] => {
  const between = execution.edges.filter((edge) => edge.source === source && edge.target === target);
  const own = between.find(({ label }) => label.startsWith(event === '' ? '[' : event)) ?? between[0];
  return own === undefined ? [] : [own.id];
};
