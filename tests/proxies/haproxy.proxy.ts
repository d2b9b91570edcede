/** What passes without a proxy passes through HAProxy too. */
import { haproxy } from '../support/proxy.ts';
import { playSuites } from './suites.ts';

await playSuites(haproxy);
