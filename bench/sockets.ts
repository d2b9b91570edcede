/** Measures a conversation on a socket next to the same prompts and answers over HTTP. */
import { startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const RUN = { connections: 50, ms: 3_000 } as const;

export default async (): Promise<Row[]> => {
  const servers = await startServers();
  const load = (script: 'cycle' | 'socketCycle') => servers.load({ port: servers.ports.ours, script, ...RUN });
  try {
    await load('cycle');
    await load('socketCycle');
    const http = await load('cycle');
    const socket = await load('socketCycle');
    const rate = ({ done, ms }: typeof http): number => (done / ms) * 1000;
    return [
      {
        what: 'prompt cycle on a socket, beside HTTP, 50 clients',
        ours: `${Math.round(rate(socket))}/s`,
        control: `${Math.round(rate(http))}/s`,
        ratio: (rate(socket) / rate(http)).toFixed(2),
        target: '',
      },
      {
        what: '  p99 of a whole cycle (HTTP: from the answer on)',
        ours: `${percentile(socket.latencies, 0.99).toFixed(1)} ms`,
        control: `${percentile(http.latencies, 0.99).toFixed(1)} ms`,
        ratio: '',
        target: '',
      },
    ];
  } finally {
    await servers.end();
  }
};
