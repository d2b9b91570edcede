export { engineOf, immediate as here, viewsOf } from './in-process.ts';
