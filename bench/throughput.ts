/** Measures the share of a bare server's throughput that is left with supervision and journals. On both adapters. */
import type { ScriptName } from './support/load.ts';
import { type Kind, type Servers, startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const WARM_MS = 1_000;
const RUN_MS = 2_000;
const ROUNDS = 2;

/** 50 clients with a pause between two cycles: at full speed, the latency would only measure the clients' queue. */
const PACED = { script: 'cycle', connections: 50, ms: 3_000, pauseMs: 60 } as const;

type Sample = { perSecond: number; cpuUs: number; p99: number };
type Compared = Record<(typeof KINDS)[number], Sample>;

const KINDS = ['ours', 'bare', 'onNode', 'bareNode'] as const;

const sample = async (servers: Servers, kind: Kind, script: ScriptName, connections: number): Promise<Sample> => {
  const before = await servers.cpuMs(kind);
  const { done, ms, latencies } = await servers.load({ port: servers.ports[kind], script, connections, ms: RUN_MS });
  const after = await servers.cpuMs(kind);
  return {
    perSecond: (done / ms) * 1000,
    cpuUs: ((after - before) * 1000) / done,
    p99: percentile(latencies, 0.99),
  };
};

/** The best of several alternating rounds, so that a disturbance of the machine affects both. */
const compare = async (servers: Servers, script: ScriptName, connections: number): Promise<Compared> => {
  const best: Partial<Compared> = {};
  for (const kind of KINDS) {
    await servers.load({ port: servers.ports[kind], script, connections, ms: WARM_MS });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of KINDS) {
      const taken = await sample(servers, kind, script, connections);
      if (best[kind] === undefined || taken.perSecond > best[kind].perSecond) best[kind] = taken;
    }
  }
  return best as Compared;
};

const rowsOf = (what: string, compared: Compared, target: string): Row[] => [
  ...pair(what, compared.ours, compared.bare, target),
  ...pair('  on node:http', compared.onNode, compared.bareNode, ''),
];

const pair = (what: string, ours: Sample, bare: Sample, target: string): Row[] => [
  {
    what,
    ours: `${Math.round(ours.perSecond)}/s`,
    control: `${Math.round(bare.perSecond)}/s`,
    ratio: (ours.perSecond / bare.perSecond).toFixed(2),
    target,
  },
  {
    what: '  processor time each',
    ours: `${ours.cpuUs.toFixed(0)} us`,
    control: `${bare.cpuUs.toFixed(0)} us`,
    ratio: (bare.cpuUs / ours.cpuUs).toFixed(2),
    target: '',
  },
];

export default async (): Promise<Row[]> => {
  const servers = await startServers(KINDS);
  try {
    const instant = await compare(servers, 'instant', 50);
    const cycle = await compare(servers, 'cycle', 50);
    const paced = await servers.load({ port: servers.ports.ours, ...PACED });
    const pacedBare = await servers.load({ port: servers.ports.bare, ...PACED });
    const poll = await compare(servers, 'poll', 100);
    const health = await compare(servers, 'health', 100);
    return [
      ...rowsOf('instant run, 50 clients', instant, '>= 0.20; NAT 550 to 820/s'),
      ...rowsOf('start, prompt, answer, completed, 50 clients', cycle, 'NAT 180 to 260/s'),
      {
        what: `  answered until completed seen, p99, at ${Math.round((paced.done / paced.ms) * 1000)}/s`,
        ours: `${percentile(paced.latencies, 0.99).toFixed(1)} ms`,
        control: `${percentile(pacedBare.latencies, 0.99).toFixed(1)} ms`,
        ratio: '',
        target: '< 5 ms; NAT 455 ms at 200/s',
      },
      ...rowsOf('status poll, 100 clients', poll, '>= 0.80; NAT 600/s'),
      ...rowsOf('health, 100 clients', health, ''),
    ];
  } finally {
    await servers.end();
  }
};
