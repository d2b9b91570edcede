/**
 * Measures the store in PostgreSQL on one server, next to the file store. With `--nodes 3`, also on three servers: each execution is
 * started at one, answered at the second, and waited for at the third.
 */
import { PostgresServer } from '../tests/support/postgres-server.ts';
import { type Servers, startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const WARM_MS = 2_000;
const RUN_MS = 3_000;
const ROUNDS = 3;
const KINDS = ['postgres', 'durable'] as const;
const NODES = ['postgres', 'postgres2', 'postgres3'] as const;
const hasNodes = process.argv.includes('--nodes');

/** 50 clients with a pause between two cycles. */
const PACED = { connections: 50, ms: 3_000, pauseMs: 60 } as const;
const FULL = { connections: 50 } as const;

export default async (): Promise<Row[]> => {
  const database = new PostgresServer({ syncs: true });
  await database.start();
  const rows = await withServers(KINDS, database, ofOne);
  if (hasNodes) rows.push(...(await withServers(NODES, database, ofThree)));
  await database.end();
  return rows;
};

const withServers = async (
  kinds: Parameters<typeof startServers>[0],
  database: PostgresServer,
  measure: (servers: Servers, database: PostgresServer) => Promise<Row[]>,
): Promise<Row[]> => {
  const servers = await startServers(kinds, await database.database());
  try {
    return await measure(servers, database);
  } finally {
    await servers.end();
  }
};

const ofOne = async (servers: Servers): Promise<Row[]> => {
  const best = { postgres: 0, durable: 0 };
  const full = { script: 'waitingCycle', ...FULL } as const;
  for (const kind of KINDS) await servers.load({ port: servers.ports[kind], ...full, ms: WARM_MS });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of KINDS) {
      const { done, ms } = await servers.load({ port: servers.ports[kind], ...full, ms: RUN_MS });
      best[kind] = Math.max(best[kind], (done / ms) * 1000);
    }
  }
  const paced = { postgres: '', durable: '' };
  for (const kind of KINDS) {
    const { latencies } = await servers.load({ port: servers.ports[kind], script: 'waitingCycle', ...PACED });
    paced[kind] = `${percentile(latencies, 0.99).toFixed(1)} ms`;
  }
  return [
    {
      what: 'start, prompt, answer, completed, 50 clients: PostgreSQL, file',
      ours: `${Math.round(best.postgres)}/s`,
      control: `${Math.round(best.durable)}/s`,
      ratio: (best.postgres / best.durable).toFixed(2),
      target: '>= 0.70',
    },
    {
      what: '  answered until completed seen, p99, paced',
      ours: paced.postgres,
      control: paced.durable,
      ratio: '',
      target: '< 40 ms',
    },
  ];
};

const ofThree = async (servers: Servers, database: PostgresServer): Promise<Row[]> => {
  const [port, ...others] = NODES.map((kind) => servers.ports[kind]) as [number, number, number];
  const cycle = { port, others, script: 'roamingCycle' } as const;
  await servers.load({ ...cycle, ...FULL, ms: WARM_MS });
  let best = 0;
  let databaseMs = 0;
  let nodesMs = 0;
  const ofNodes = async (): Promise<number> => {
    let sum = 0;
    for (const kind of NODES) sum += await servers.cpuMs(kind);
    return sum;
  };
  let cycles = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [before, nodesBefore] = [database.cpuMs(), await ofNodes()];
    const { done, ms } = await servers.load({ ...cycle, ...FULL, ms: RUN_MS });
    databaseMs += database.cpuMs() - before;
    nodesMs += (await ofNodes()) - nodesBefore;
    cycles += done;
    best = Math.max(best, (done / ms) * 1000);
  }
  const half = { connections: 50, ms: 3_000, pauseMs: (50 / (best / 2)) * 1_000 };
  const { latencies } = await servers.load({ ...cycle, ...half });
  return [
    {
      what: 'the same at three servers: started, answered, waited for',
      ours: `${Math.round(best)}/s`,
      control: '',
      ratio: '',
      target: '>= 2000/s',
    },
    {
      what: '  answered at the second until completed seen at the third, p99, half load',
      ours: `${percentile(latencies, 0.99).toFixed(1)} ms`,
      control: '',
      ratio: '',
      target: '< 40 ms',
    },
    {
      what: '  processor time for each cycle: database, all servers',
      ours: `${(databaseMs / cycles).toFixed(2)}, ${(nodesMs / cycles).toFixed(2)} ms`,
      control: '',
      ratio: '',
      target: '',
    },
  ];
};
