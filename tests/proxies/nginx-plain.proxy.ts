/**
 * nginx with nothing but `proxy_pass`: it speaks HTTP/1.0, makes a Host of its own, and opens no sockets. The adapter on node:http
 * serves it.
 */
import { nginx } from '../support/proxy.ts';
import { playSuites, refusedByNginx } from './suites.ts';

process.env.FERMATA_ADAPTER = 'node';

await playSuites(nginx, {
  change: (settings) => settings.replace(/proxy_pass [^}]*\}/, 'proxy_pass http://127.0.0.1:8000;\n  }'),
  refuses: (scenario) =>
    scenario.startsWith('websocket/') ? 'nginx without settings opens no sockets' : refusedByNginx(scenario),
  // These have tests of sockets.
  without: ['/websocket/', 'restarted-output', 'dropped-output', 'durable-server'],
});
