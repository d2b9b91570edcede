/** What passes without a proxy passes through nginx too, which compresses whatever it can. */
import { nginx } from '../support/proxy.ts';
import { playSuites } from './suites.ts';

await playSuites(nginx, {
  change: (settings) => settings.replace('gzip_types application/json', 'gzip_min_length 1; gzip_types *'),
  refuses: { 'static/outside': 'nginx answers paths that lead out of its root with 400 itself' },
});
