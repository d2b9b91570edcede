/**
 * A PostgreSQL server of the Debian packages, in a directory of its own, reached through a socket in that directory. PostgreSQL
 * refuses to run as root, so root starts it as the user `postgres`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import pg from 'pg';

const ROOT = '/usr/lib/postgresql';

const programs = ((): string | undefined => {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(ROOT, version, 'bin')).find((path) => existsSync(join(path, 'initdb')));
})();

const userOf = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return { uid: process.getuid!(), gid: process.getgid!() };
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' })));
    return { uid: uid!, gid: gid! };
  } catch {
    return undefined;
  }
};

/** Why there is no server for tests; false if there is one. For the option `skip` of a test. */
export const withoutPostgres: string | false =
  programs === undefined || userOf() === undefined ? 'PostgreSQL is not installed: apt-get install postgresql' : false;

export class PostgresServer {
  readonly directory: string;
  #process: ChildProcess | undefined;
  #count = 0;

  readonly #syncs: boolean;

  /** Beside the socket: a standby is a copy of it. */
  get #data(): string {
    return join(this.directory, 'data');
  }

  /** `syncs`: whether it waits for the disk. Tests do not need it. */
  constructor({ syncs = false, from = undefined as PostgresServer | undefined } = {}) {
    this.#syncs = syncs;
    const user = userOf()!;
    this.directory = mkdtempSync(join(tmpdir(), 'fermata-pg-'));
    chownSync(this.directory, user.uid, user.gid);
    if (from !== undefined) {
      const source = ['-h', from.directory, '-U', 'postgres', '-D', this.#data, '-R', '-c', 'fast', '--no-sync'];
      execFileSync(join(programs!, 'pg_basebackup'), source, { ...user, cwd: this.directory, stdio: 'pipe' });
      return;
    }
    const options = ['-D', this.#data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    execFileSync(join(programs!, 'initdb'), options, { ...user, cwd: this.directory, stdio: 'pipe' });
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: this.directory,
      fsync: this.#syncs ? 'on' : 'off',
      full_page_writes: this.#syncs ? 'on' : 'off',
      shared_buffers: this.#syncs ? '256MB' : '32MB',
      max_connections: '400',
      autovacuum: this.#syncs ? 'on' : 'off',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#process = spawn(join(programs!, 'postgres'), ['-D', this.#data, ...options], {
      ...userOf()!,
      cwd: this.directory,
      stdio: 'ignore',
    });
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.sql('SELECT 1');
        return;
      } catch (error) {
        if (attempt === 600 || this.#process.exitCode !== null) throw error;
        await pass(50);
      }
    }
  }

  /** A standby that has each commit before this server replies. */
  async standby(): Promise<PostgresServer> {
    const standby = new PostgresServer({ from: this });
    await standby.start();
    await this.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await this.sql('SELECT pg_reload_conf()');
    const synchronous = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'";
    while ((await this.sql(synchronous)).length === 0) await pass(20);
    return standby;
  }

  /** As after the loss of its machine. */
  async kill(): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGQUIT');
    await ended;
    this.#process = undefined;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The address of a new database. */
  async database(): Promise<string> {
    this.#count += 1;
    const name = `test${this.#count}`;
    await this.sql(`CREATE DATABASE ${name} STRATEGY file_copy`);
    return this.url(name);
  }

  /** Processor time of its processes so far. Milliseconds. */
  cpuMs(): number {
    const { pid } = this.#process!;
    const times = readdirSync('/proc').flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]!.split(' ');
        const [parent, ...[user, system, ofEnded, systemOfEnded]] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
        if (name === String(pid)) return [user! + system! + ofEnded! + systemOfEnded!];
        return parent === pid ? [user! + system!] : [];
      } catch {
        return []; // no process, or one that has ended
      }
    });
    return times.reduce((sum, ticks) => sum + ticks, 0) * 10;
  }

  get socket(): string {
    return join(this.directory, '.s.PGSQL.5432');
  }

  url(database: string): string {
    return `postgres://postgres@/${database}?host=${this.directory}`;
  }

  async sql(text: string, url = this.url('postgres')): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url.replace('@/', '@localhost/') });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }
}
