/**
 * Measures whether a server keeps serving workflows that are full of mistakes. See `tests/support/mistaken`.
 *
 * `npm run bench -- mistakes [--seconds 600] [--seed N] [--clients 4]`
 *
 * Half of the time executions are in memory, half in a file. The control is an idle server that gets requests at the
 * same moments: its tail latency is that of the machine.
 */
import { parseArgs } from 'node:util';
import { fuzz } from '../tests/support/mistaken/fuzz.ts';
import { percentile, type Row } from './support/table.ts';

/** Upper bounds of the histogram's classes, in milliseconds. */
const CLASSES = [5, 10, 25, 50, 100, 250, 1_000, Number.POSITIVE_INFINITY];

export default async (): Promise<Row[]> => {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      clients: { type: 'string', default: '4' },
    },
  });
  process.stdout.write(`seed ${values.seed}\n`);
  const { started, lives, waits, replies, probes, stops, problems } = await fuzz({
    seed: Number(values.seed),
    ms: Number(values.seconds) * 1_000,
    kept: ['memory', 'file'],
    lifeMs: 15_000,
    clients: Number(values.clients),
    found: (problem) => process.stdout.write(`${problem}\n`),
  });
  const sorted = (of: 'server' | 'control'): number[] => probes.map((probe) => probe[of]).sort((a, b) => a - b);
  const [server, control] = [sorted('server'), sorted('control')];
  for (const [name, times] of Object.entries({ server, control }))
    process.stdout.write(`/health of the ${name}: ${histogram(times)}\n`);
  process.stdout.write(`executions at the end of a life: ${listed(waits)}\nreplies: ${listed(replies)}\n`);
  const late = (times: readonly number[]): string => String(times.filter((ms) => ms > 100 || ms < 0).length);
  const quantile = (what: string, share: number): Row =>
    row(`/health ${what}, ms`, percentile(server, share).toFixed(1), percentile(control, share).toFixed(1));
  return [
    row('executions started', String(started)),
    row('lives of servers', String(lives)),
    quantile('p50', 0.5),
    quantile('p99', 0.99),
    quantile('p99.9', 0.999),
    quantile('longest', 1),
    row('answers of /health after more than 100 ms, or never', late(server), late(control), '0'),
    row('SIGTERM until the end, longest, ms', Math.max(...stops).toFixed(0)),
    row('exits, hangs, missing replies, executions without an end', String(problems.length), '', '0'),
  ];
};

const row = (what: string, ours: string, control = '', target = ''): Row => ({
  what,
  ours,
  control,
  ratio: '',
  target,
});

const histogram = (times: readonly number[]): string =>
  CLASSES.map((end, index) => {
    const start = CLASSES[index - 1] ?? 0;
    const count = times.filter((ms) => ms >= start && ms < end).length;
    return end === Number.POSITIVE_INFINITY ? `beyond ${count}` : `<${end} ms ${count}`;
  }).join(', ');

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
