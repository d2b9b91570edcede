/** What passes without a proxy passes through Caddy too. */
import { caddy } from '../support/proxy.ts';
import { playSuites } from './suites.ts';

await playSuites(caddy);
