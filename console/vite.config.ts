/** Builds the console into `console/dist`, which `server/operator/console-routes.ts` serves. */
import { defineConfig } from 'vite';
import { charts } from './charts.ts';

export default defineConfig({
  root: import.meta.dirname,
  // The page is at `/console` with its files below. Relative URLs work under any root path.
  base: './',
  plugins: [charts()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsDir: 'console',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
    // The drawing code imports the layout engine, which the page does not need: see `charts.ts`.
    rolldownOptions: { treeshake: { moduleSideEffects: [{ test: /elkjs/, sideEffects: false }] } },
  },
});
