/** What passes without a proxy passes through nginx too, which compresses whatever it can. */
import { nginx } from '../support/proxy.ts';
import { playSuites, refusedByNginx } from './suites.ts';

await playSuites(nginx, {
  change: (settings) => settings.replace('gzip_types application/json', 'gzip_min_length 1; gzip_types *'),
  refuses: refusedByNginx,
});
