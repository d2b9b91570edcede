/** The console behind a proxy. */
import { haproxy } from '../support/proxy.ts';
import { playBrowserSuites } from './suites.ts';

await playBrowserSuites(haproxy);
