export { engineOf, immediate as here } from './in-process.ts';
