#!/usr/bin/env node
/** The `fermata` command: TypeScript is compiled as it is loaded, so that a workflow module needs no build step. */
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
