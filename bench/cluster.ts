/** Measures the store in PostgreSQL, on one server, next to the file store. */
import { PostgresServer } from '../tests/support/postgres-server.ts';
import { startServers } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const WARM_MS = 2_000;
const RUN_MS = 3_000;
const ROUNDS = 3;
const KINDS = ['postgres', 'durable'] as const;

/** 50 clients with a pause between two cycles. */
const PACED = { script: 'waitingCycle', connections: 50, ms: 3_000, pauseMs: 60 } as const;

export default async (): Promise<Row[]> => {
  const database = new PostgresServer({ syncs: true });
  await database.start();
  const servers = await startServers(KINDS, await database.database());
  try {
    const best = { postgres: 0, durable: 0 };
    const full = { script: 'waitingCycle', connections: 50 } as const;
    for (const kind of KINDS) await servers.load({ port: servers.ports[kind], ...full, ms: WARM_MS });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const kind of KINDS) {
        const { done, ms } = await servers.load({ port: servers.ports[kind], ...full, ms: RUN_MS });
        best[kind] = Math.max(best[kind], (done / ms) * 1000);
      }
    }
    const paced = { postgres: '', durable: '' };
    for (const kind of KINDS) {
      const { latencies } = await servers.load({ port: servers.ports[kind], ...PACED });
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
  } finally {
    await servers.end();
    await database.end();
  }
};
