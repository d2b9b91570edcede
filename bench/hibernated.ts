/** Measures the cost of executions in the file: the start of the server, its memory, and resuming one. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { Connection } from './support/client.ts';
import { reply, start, usage } from './support/processes.ts';
import { percentile, type Row } from './support/table.ts';

const REAL = 5_000;
const SIZES = [100_000, 1_000_000];
const WOKEN = 200;

const answer = '{"response":{"type":"text","text":"Ada"}}';

const sleepers = async (directory: string): Promise<void> => {
  const server = start('servers.ts', ['durable', directory]);
  const { port } = await reply<{ port: number }>(server);
  const connections = await Promise.all(Array.from({ length: 20 }, () => Connection.open(port)));
  await Promise.all(
    connections.map(async (connection) => {
      for (let each = 0; each < REAL / connections.length; each += 1) {
        await connection.request('POST', '/v1/workflow', '{"cmd":"ask"}');
      }
      connection.close();
    }),
  );
  server.kill('SIGKILL');
  await once(server, 'exit');
};

/** Copies them under other ids, up to this number. */
const multiply = (directory: string, size: number): void => {
  const database = new Database(join(directory, 'fermata.db'));
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN');
  for (let copy = 1; copy < size / REAL; copy += 1) {
    const offset = copy * REAL;
    database.exec(`
      INSERT OR IGNORE INTO executions SELECT n + ${offset}, id || '-${copy}', owner, workflow, version, started_at, stand,
        unfinished, awaiting_since, due_at, settled_at, truncated FROM executions WHERE n <= ${REAL};
      INSERT OR IGNORE INTO journal SELECT n + ${offset}, seq, facts, sum FROM journal WHERE n <= ${REAL};
    `);
  }
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
};

/** Paths at which some of them are answered. */
const addresses = (directory: string): string[] => {
  const database = new Database(join(directory, 'fermata.db'));
  const sql = `SELECT id, facts FROM executions JOIN journal USING (n) WHERE n % ${Math.floor(REAL / WOKEN) * 2 + 1} = 7
    AND facts LIKE '%interaction.requested%' ORDER BY n DESC LIMIT ${WOKEN}`;
  const rows = database.prepare(sql).all() as { id: string; facts: string }[];
  database.close();
  return rows.map(({ id, facts }) => {
    const asked = (JSON.parse(facts) as { type: string; id: string }[]).find(
      ({ type }) => type === 'interaction.requested',
    );
    return `/executions/${id}/interactions/${asked!.id}/response`;
  });
};

type Started = { readonly ms: number; readonly rssMb: number; readonly wakeMs: readonly number[] };

const measure = async (directory: string, wanted: readonly string[]): Promise<Started> => {
  const begun = performance.now();
  const server = start('servers.ts', ['durable', directory]);
  const { port } = await reply<{ port: number }>(server);
  const connection = await Connection.open(port);
  await connection.request('GET', '/health');
  const ms = performance.now() - begun;
  const { rssBytes } = await usage(server, 'heap');
  const wakeMs: number[] = [];
  for (const path of wanted) {
    const at = performance.now();
    const { status } = await connection.request('POST', path, answer);
    if (status !== 204) throw new Error(`${path}: ${status}`);
    const execution = path.slice(0, path.indexOf('/interactions'));
    while (!(await connection.request('GET', execution)).body.includes('"completed"'));
    wakeMs.push(performance.now() - at);
  }
  connection.close();
  server.kill('SIGKILL');
  await once(server, 'exit');
  return { ms, rssMb: rssBytes / 1024 / 1024, wakeMs: wakeMs.sort((a, b) => a - b) };
};

export default async (): Promise<Row[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'fermata-bench-'));
  const rows: Row[] = [];
  try {
    const empty = await measure(directory, []);
    await sleepers(directory);
    for (const size of SIZES) {
      multiply(directory, size);
      const { ms, rssMb, wakeMs } = await measure(directory, addresses(directory));
      const count = size.toLocaleString('en');
      const target = size === SIZES[0];
      rows.push(
        {
          what: `start until the first request is served, ${count} parked`,
          ours: `${Math.round(ms)} ms`,
          control: `${Math.round(empty.ms)} ms`,
          ratio: (ms / empty.ms).toFixed(2),
          target: target ? '< 2,000 ms' : 'the same order',
        },
        {
          what: '  its memory',
          ours: `${Math.round(rssMb)} MB`,
          control: `${Math.round(empty.rssMb)} MB`,
          ratio: (rssMb / empty.rssMb).toFixed(2),
          target: target ? '< 150 MB' : 'the same order',
        },
        {
          what: '  answering one that sleeps, until it has completed, p50 and p99',
          ours: `${percentile(wakeMs, 0.5).toFixed(1)}, ${percentile(wakeMs, 0.99).toFixed(1)} ms`,
          control: '',
          ratio: '',
          target: '< 5 ms',
        },
      );
    }
    return rows;
  } finally {
    rmSync(directory, { recursive: true });
  }
};
