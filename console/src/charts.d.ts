declare module 'virtual:charts' {
  import type { Layout } from '../../machines/drawing/layout.ts';
  export const execution: Layout;
}
declare module '*.css';
