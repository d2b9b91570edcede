/** The console behind a proxy. */
import { nginx } from '../support/proxy.ts';
import { playBrowserSuites } from './suites.ts';

await playBrowserSuites(nginx);
