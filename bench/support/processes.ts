/** Starts the processes of a measurement, sends them requests, and ends them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './load.ts';

export const start = (file: string, args: readonly string[] = []): ChildProcess =>
  fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: ['--expose-gc', '--import', 'tsx'] });

/** The next message of the process. Rejects if it ends instead. */
export const reply = async <T>(child: ChildProcess): Promise<T> => {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${code}`);
      }),
    ]);
    if ((message as { error?: string }).error) throw new Error((message as { error: string }).error);
    return message as T;
  } finally {
    settled.abort();
  }
};

const ordered = async (child: ChildProcess, order: Order): Promise<Report> => {
  child.send(order);
  return (await reply<{ report: Report }>(child)).report;
};

export const usage = (child: ChildProcess, wanted: 'cpu' | 'heap') => {
  child.send(wanted);
  return reply<{ cpuMs: number; heapBytes: number; rssBytes: number }>(child);
};

/**
 * Our server, the same with a file, with PostgreSQL (up to three on one database), the same again, and a server that stores nothing; our server and that one on
 * node:http.
 */
export type Kind =
  | 'ours'
  | 'durable'
  | 'postgres'
  | 'postgres2'
  | 'postgres3'
  | 'control'
  | 'bare'
  | 'onNode'
  | 'bareNode';

export interface Servers {
  readonly ports: Readonly<Record<Kind, number>>;
  /** Processor time of a server so far. */
  cpuMs(kind: Kind): Promise<number>;
  /** Its heap, after a garbage collection. */
  heapBytes(kind: Kind): Promise<number>;
  load(order: Order): Promise<Report>;
  /** The same work by another process, at the same time. */
  probe(order: Order): Promise<Report>;
  end(): Promise<void>;
}

/** Executions of `durable` are in a separate directory, which is deleted at the end; those of `postgres` in this database. */
export const startServers = async (kinds: readonly Kind[] = ['ours', 'bare'], database = ''): Promise<Servers> => {
  const directory = mkdtempSync(join(tmpdir(), 'fermata-bench-'));
  const servers = Object.fromEntries(
    kinds.map((kind) => [kind, start('servers.ts', [kind, kind.startsWith('postgres') ? database : directory])]),
  );
  const children = { ...(servers as Record<Kind, ChildProcess>), load: start('load.ts'), probe: start('load.ts') };
  const ports = {} as Record<Kind, number>;
  for (const kind of kinds) ports[kind] = (await reply<{ port: number }>(children[kind])).port;
  return {
    ports,
    cpuMs: async (kind) => (await usage(children[kind], 'cpu')).cpuMs,
    heapBytes: async (kind) => (await usage(children[kind], 'heap')).heapBytes,
    load: (order) => ordered(children.load, order),
    probe: (order) => ordered(children.probe, order),
    end: async () => {
      const all = Object.values(children);
      for (const child of all) child.kill('SIGKILL');
      await Promise.all(all.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
      rmSync(directory, { recursive: true });
    },
  };
};
