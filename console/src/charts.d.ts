declare module 'virtual:charts' {
  export const execution: import('../../machines/drawing/layout.ts').Layout;
}
declare module '*.css';
