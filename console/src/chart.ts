/** A statechart as SVG text, without its own style: that is the page's, whose policy allows none inside of it. */
import { builder, execution } from 'virtual:charts';
import type { Layout } from '../../machines/drawing/layout.ts';
import { svgOf } from '../../machines/drawing/svg.ts';
import { style } from '../../machines/drawing/svg-style.ts';
import type { Arrow } from './path.ts';

const sheet = new CSSStyleSheet();
sheet.replaceSync(style);
document.adoptedStyleSheets.push(sheet);

export const chartOf = (
  name: 'execution' | 'builder',
  { active, taken = [] }: { readonly active: readonly string[]; readonly taken?: readonly Arrow[] },
): string => {
  const layout = name === 'execution' ? execution : builder;
  return svgOf(layout, { active, taken: taken.flatMap((arrow) => edgeOf(layout, arrow)) }).replace(
    /<style>.*?<\/style>/s,
    '',
  );
};

/** Of several lines between the same states, the one of this event; one without an event begins with its condition. */
const edgeOf = ({ edges }: Layout, { source, target, event }: Arrow): string[] => {
  const between = edges.filter((edge) => edge.source === source && edge.target === target);
  const own = between.find(({ label }) => label.startsWith(event === '' ? '[' : event)) ?? between[0];
  return own === undefined ? [] : [own.id];
};
