declare module 'virtual:charts' {
  import type { Layout } from '../../machines/drawing/layout.ts';
  export const execution: Layout;
  export const builder: Layout;
}
declare module '*.css';
