#!/usr/bin/env node
/** The `fermata` command: TypeScript is compiled as it is loaded, so that a workflow module needs no build step. */
import { register as registerHooks } from 'node:module';
import { register } from 'tsx/esm/api';

register();
registerHooks('./esm.mjs', import.meta.url);
await import('./main.ts');
