/**
 * Measures data loss when the server is killed repeatedly at any moment, while clients retry with their keys. A step may run again
 * if it had not finished; a finished step must not.
 *
 * With the flag `--postgres`, executions are in PostgreSQL, which is killed every ten seconds; in a file otherwise. With `--nodes 3`
 * besides, three servers share the database. One of them is killed, or stopped until the others have taken what it executed, and the
 * clients send each request to any of them.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { PostgresServer } from '../tests/support/postgres-server.ts';
import { type Losses, PersistentClient } from './support/persistent-client.ts';
import type { Row } from './support/table.ts';

/** Number of servers that are killed or stopped; variable BENCH_KILLS. */
const KILLS = Number(process.env.BENCH_KILLS ?? 1_000);
const CLIENTS = 12;
/** Maximum lifetime of a server. */
const LIFE_MS = 400;
const isPostgres = process.argv.includes('--postgres');
const NODES = Number(process.argv[process.argv.indexOf('--nodes') + 1]) || 1;
const LANES = NODES > 1 ? 1 : 2;
/** Longer than the lease of the servers. */
const STOPPED_MS = 4_500;
/** Interval between kills of the database. */
const DATABASE_MS = 10_000;
/** After the last kill, every execution must end within this time. */
const GRACE_MS = 30_000;

/** Files that its modules read from their own folder. */
const READ_BESIDE = [
  'runtime/store/writer.mjs',
  'runtime/store/postgres/beats.mjs',
  'server/operator/inspector/in-browser.mjs',
];

/**
 * One bundled file, which starts in a fifth of the time. It is in a folder from which its external packages are found.
 */
const bundle = async (folder: string): Promise<string> => {
  const outfile = join(folder, 'server', 'crash-server.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('support/crash-server.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile,
    logLevel: 'error',
  });
  for (const file of READ_BESIDE) {
    cpSync(new URL(`../${file}`, import.meta.url), join(folder, 'server', basename(file)));
  }
  cpSync(new URL('../package.json', import.meta.url), join(folder, 'package.json'));
  return outfile;
};

class Lane {
  readonly losses: Losses = {
    lostStarts: 0,
    doubledStarts: 0,
    lostAnswers: 0,
    doubledAnswers: 0,
    wrongResults: 0,
    stuck: 0,
  };
  readonly #directory = mkdtempSync(join(tmpdir(), 'fermata-crash-'));
  readonly #ledger = join(this.#directory, 'ledger.txt');
  readonly #file: string;
  readonly #data: string;
  /** Of the servers that run. */
  readonly #ports = new Map<ChildProcess, number>();
  #isOver = false;
  #deadline = Number.POSITIVE_INFINITY;
  readonly clients = Array.from(
    { length: CLIENTS },
    () => new PersistentClient({ port: () => this.#anyPort(), deadline: () => this.#deadline }, this.losses),
  );

  /** `data`: where executions are; in a directory of its own by default. */
  constructor(file: string, data?: string) {
    this.#file = file;
    this.#data = data ?? join(this.#directory, 'data');
  }

  /** `calm`: ends what disturbs besides. */
  async run(kills: number, calm: () => Promise<void>): Promise<void> {
    writeFileSync(this.#ledger, '');
    const working = this.clients.map((client) => this.#work(client));
    const servers: ChildProcess[] = [];
    for (let node = 1; node < NODES; node += 1) servers.push(await this.#start());
    for (let kill = 0; kill < kills; kill += 1) {
      if (servers.length < NODES) servers.push(await this.#start());
      await setTimeout(Math.random() * LIFE_MS);
      const [server] = servers.splice(Math.floor(Math.random() * servers.length), 1);
      if (NODES === 1 || Math.random() < 0.75) await this.#kill(server!);
      else {
        server!.kill('SIGSTOP');
        await setTimeout(STOPPED_MS);
        server!.kill('SIGCONT');
        servers.push(server!);
      }
    }
    await calm();
    this.#isOver = true;
    this.#deadline = Date.now() + GRACE_MS;
    while (servers.length < NODES) servers.push(await this.#start());
    await Promise.all(working);
    await Promise.all(servers.map((server) => this.#kill(server)));
  }

  /** Steps that ran again although their workflow had got their results. */
  doubledSteps(): number {
    const ended = new Set<string>();
    let doubled = 0;
    for (const line of readFileSync(this.#ledger, 'utf8').trim().split('\n')) {
      const [id, name, what] = line.split(' ') as [string, string, string];
      if (what === 'ended') ended.add(`${id} ${name}`);
      else if (ended.has(`${id} ${name}`)) doubled += 1;
    }
    return doubled;
  }

  end(): void {
    rmSync(this.#directory, { recursive: true });
  }

  async #kill(server: ChildProcess): Promise<void> {
    this.#ports.delete(server);
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  #anyPort(): number {
    const ports = [...this.#ports.values()];
    return ports[Math.floor(Math.random() * ports.length)] ?? 0;
  }

  /** Again while its database is restarted. */
  async #start(): Promise<ChildProcess> {
    if (!isPostgres) return this.#startOnce();
    for (;;) {
      const started = await this.#startOnce().catch(() => undefined);
      if (started !== undefined) return started;
    }
  }

  async #startOnce(): Promise<ChildProcess> {
    const server = fork(this.#file, [this.#data, this.#ledger], { execArgv: [] });
    const ended = once(server, 'exit').then(([code]) => {
      throw new Error(`a server ended by itself, with ${code}`);
    });
    ended.catch(() => {}); // later it is killed
    const [{ port }] = (await Promise.race([once(server, 'message'), ended])) as [{ port: number }];
    this.#ports.set(server, port);
    return server;
  }

  async #work(client: PersistentClient): Promise<void> {
    while (!this.#isOver) await client.cycle();
  }
}

/** Kills the database again and again. */
const killing = (server: PostgresServer | undefined) => {
  let count = 0;
  let isOver = server === undefined;
  const working = (async () => {
    while (!isOver) {
      await setTimeout(DATABASE_MS);
      if (isOver) return;
      await server!.kill();
      await server!.start();
      count += 1;
    }
  })();
  return {
    count: () => count,
    end: (): Promise<void> => {
      isOver = true;
      return working;
    },
  };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

export default async (): Promise<Row[]> => {
  const server = isPostgres ? new PostgresServer() : undefined;
  await server?.start();
  const folder = mkdtempSync(fileURLToPath(new URL('../node_modules/.fermata-bench-', import.meta.url)));
  try {
    const file = await bundle(folder);
    const lanes: Lane[] = [];
    for (let lane = 0; lane < LANES; lane += 1) lanes.push(new Lane(file, await server?.database()));
    const kills = killing(server);
    await Promise.all(lanes.map((lane) => lane.run(Math.ceil(KILLS / LANES), kills.end)));
    const count = (kind: keyof Losses): number => sum(lanes.map(({ losses }) => losses[kind]));
    const clients = lanes.flatMap((lane) => lane.clients);
    const row = (what: string, ours: number, target: string): Row => ({
      what,
      ours: String(ours),
      control: '',
      ratio: '',
      target,
    });
    const rows = [
      row(NODES > 1 ? 'servers killed or stopped' : 'servers killed', KILLS, ''),
      ...(isPostgres ? [row('databases killed', kills.count(), '')] : []),
      row('executions that went through all of it', sum(clients.map(({ done }) => done)), ''),
      row('replies that were acknowledged', sum(clients.map(({ acknowledged }) => acknowledged)), ''),
      row('starts lost', count('lostStarts'), '0'),
      row('starts doubled', count('doubledStarts'), '0'),
      row('answers lost', count('lostAnswers'), '0'),
      row('answers doubled', count('doubledAnswers'), '0'),
      row('results wrong', count('wrongResults'), '0'),
      row('finished steps done again', sum(lanes.map((lane) => lane.doubledSteps())), '0'),
      row('executions stuck', count('stuck'), '0'),
    ];
    for (const lane of lanes) lane.end();
    return rows;
  } finally {
    await server?.end();
    rmSync(folder, { recursive: true });
  }
};
