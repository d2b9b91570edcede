/**
 * Measures the cost of executions that wait for people: their memory, the latency of the next start, and the latency of
 * other answers.
 */
import { setTimeout } from 'node:timers/promises';
import { startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

/** By then their actors rest. */
const REST_MS = 1_500;

const SIZES = [1_000, 10_000, 100_000];

export default async (): Promise<Row[]> => {
  const servers = await startServers();
  const load = (script: 'park' | 'unpark' | 'instant', rounds: number, connections = 20) =>
    servers.load({ port: servers.ports.ours, script, connections, rounds });
  const median = async (): Promise<number> => percentile((await load('instant', 2_000, 1)).latencies, 0.5) * 1000;
  const rows: Row[] = [];
  try {
    await load('instant', 30_000); // warm, with the maximum of settled ones
    await load('park', 2_000);
    await load('unpark', 2_000);
    const control = await median();
    const emptyBytes = await servers.heapBytes('ours');
    let parked = 0;
    for (const size of SIZES) {
      await load('park', size - parked);
      parked = size;
      await setTimeout(REST_MS);
      const heapBytes = await servers.heapBytes('ours');
      const each = (heapBytes - emptyBytes) / size;
      const us = await median();
      const count = size.toLocaleString('en');
      rows.push({
        what: `heap per parked execution, ${count}`,
        ours: `${Math.round(each)} B`,
        control: '',
        ratio: '',
        target: '<= 4,096 B',
      });
      rows.push({
        what: '  next start beside them',
        ours: `${us.toFixed(0)} us`,
        control: `${control.toFixed(0)} us`,
        ratio: (us / control).toFixed(2),
        target: '0.80 to 1.20',
      });
    }
    const health = () => servers.probe({ port: servers.ports.ours, script: 'health', connections: 10, ms: 1_000 });
    await health();
    const quiet = await health();
    const [busy] = await Promise.all([health(), load('unpark', 1_000, 1_000)]);
    rows.push({
      what: 'health beside 100,000 parked, 1,000 answered at once, p99',
      ours: `${percentile(busy.latencies, 0.99).toFixed(2)} ms`,
      control: `${percentile(quiet.latencies, 0.99).toFixed(2)} ms`,
      ratio: (percentile(busy.latencies, 0.99) / percentile(quiet.latencies, 0.99)).toFixed(1),
      target: 'served as before',
    });
    return rows;
  } finally {
    await servers.end();
  }
};
