/** Computes the layout of the statechart during the build, so that the page contains a drawing and no layout engine. */
import type { Plugin } from 'vite';
import { graphOf } from '../machines/drawing/graph.ts';
import { layoutOf } from '../machines/drawing/layout.ts';
import { executionMachine } from '../machines/execution.ts';

/** Declared in `src/charts.d.ts`. */
const MODULE = 'virtual:charts';

export const charts = (): Plugin => ({
  name: 'charts',
  resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
  load: async (id) => {
    if (id !== `\0${MODULE}`) return undefined;
    return `export const execution = ${JSON.stringify(await layoutOf(graphOf(executionMachine)))};`;
  },
});
