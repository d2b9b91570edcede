/** Measures the cost of durability: a server with a file store, next to one without. */
import { type Servers, startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const WARM_MS = 1_500;
const RUN_MS = 3_000;
const ROUNDS = 2;
const KINDS = ['durable', 'ours'] as const;
type Compared = Record<(typeof KINDS)[number], number>;

/** Cycles per second, the best of several alternating rounds. */
const compare = async (servers: Servers, script: 'waitingCycle' | 'instant'): Promise<Compared> => {
  const best: Compared = { durable: 0, ours: 0 };
  for (const kind of KINDS) await servers.load({ port: servers.ports[kind], script, connections: 50, ms: WARM_MS });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of KINDS) {
      const { done, ms } = await servers.load({ port: servers.ports[kind], script, connections: 50, ms: RUN_MS });
      best[kind] = Math.max(best[kind], (done / ms) * 1000);
    }
  }
  return best;
};

const rowOf = (what: string, { durable, ours }: Compared, target: string): Row => ({
  what,
  ours: `${Math.round(durable)}/s`,
  control: `${Math.round(ours)}/s`,
  ratio: (durable / ours).toFixed(2),
  target,
});

/** 50 clients with a pause between two cycles. */
const PACED = { script: 'waitingCycle', connections: 50, ms: 3_000, pauseMs: 60 } as const;

export default async (): Promise<Row[]> => {
  const servers = await startServers(KINDS);
  try {
    const cycle = await compare(servers, 'waitingCycle');
    const instant = await compare(servers, 'instant');
    const busy = await servers.load({
      port: servers.ports.durable,
      script: 'waitingCycle',
      connections: 50,
      ms: RUN_MS,
    });
    const paced = await servers.load({ port: servers.ports.durable, ...PACED });
    const control = await servers.load({ port: servers.ports.ours, ...PACED });
    const p99 = ({ latencies }: { latencies: readonly number[] }): string =>
      `${percentile(latencies, 0.99).toFixed(1)} ms`;
    return [
      rowOf('start, prompt, answer, completed, 50 clients: file, memory', cycle, '>= 0.60'),
      rowOf('instant run, 50 clients: file, memory', instant, ''),
      {
        what: '  answered until completed seen, p99, paced',
        ours: p99(paced),
        control: p99(control),
        ratio: '',
        target: '< 20 ms',
      },
      { what: '  the same at full speed', ours: p99(busy), control: '', ratio: '', target: '< 20 ms' },
    ];
  } finally {
    await servers.end();
  }
};
