/**
 * The style of a statechart. A page can change the colours by setting these properties on itself or around the chart:
 * `--chart-ground`, `--chart-surface`, `--chart-ink`, `--chart-muted`, `--chart-line`, `--chart-accent`,
 * `--chart-accent-soft`. The defaults follow the light or dark mode of the reader's system.
 */

const light = {
  ground: '#ffffff',
  surface: '#ffffff',
  ink: '#1d2433',
  muted: '#5b6478',
  line: '#c3c9d6',
  accent: '#2f6df6',
  'accent-soft': '#e6eeff',
};

const dark: typeof light = {
  ground: '#10141c',
  surface: '#1a202c',
  ink: '#e8ecf4',
  muted: '#9aa5ba',
  line: '#3b465a',
  accent: '#6c9bff',
  'accent-soft': '#1d2c4f',
};

const colours = (theme: typeof light): string =>
  Object.entries(theme)
    .map(([name, value]) => `--${name}: var(--chart-${name}, ${value});`)
    .join(' ');

export const style = `
.statechart { ${colours(light)} max-width: 100%; height: auto; font: 600 13px system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif; }
@media (prefers-color-scheme: dark) { .statechart { ${colours(dark)} } }
.statechart .ground { fill: var(--ground); }
.statechart text { fill: var(--ink); dominant-baseline: central; }
.statechart .leaf text, .statechart .label text { text-anchor: middle; }
.statechart .state rect { fill: var(--surface); stroke: var(--line); stroke-width: 1.25; }
.statechart .compound > rect { fill: var(--ink); fill-opacity: 0.035; }
.statechart .compound > text { fill: var(--muted); }
.statechart .ring { fill: none; stroke: var(--muted); stroke-width: 1.5; }
.statechart .dot { fill: var(--muted); }
.statechart .line { fill: none; stroke: var(--muted); stroke-width: 1.25; }
.statechart .head { fill: var(--muted); }
.statechart .label rect { fill: var(--ground); stroke: var(--line); }
.statechart .label text { fill: var(--muted); font: 500 11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.statechart .active > rect { fill: var(--accent-soft); stroke: var(--accent); stroke-width: 2; }
.statechart .around > rect { stroke: var(--accent); }
.statechart .active > text, .statechart .around > text { fill: var(--accent); }
.statechart .taken .line { stroke: var(--accent); stroke-width: 2; }
.statechart .taken .head { fill: var(--accent); }
.statechart .taken rect { stroke: var(--accent); }
.statechart .taken text { fill: var(--accent); }
`;
