/** Measures streaming of one run to many readers, and the cost of idle readers. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { reply, start } from './support/processes.ts';
import type { Order } from './support/stream-servers.ts';
import type { Row } from './support/table.ts';

const KINDS = ['ours', 'bare'] as const;
type Kind = (typeof KINDS)[number];
type Server = { readonly child: ChildProcess; readonly port: number };

/** So that each takes about a second, and no reader falls behind the limit of a journal. */
const SIZES = [
  { readers: 1, chunks: 8_000 },
  { readers: 100, chunks: 2_000 },
  { readers: 1_000, chunks: 300 },
];
const ROUNDS = 3;
const IDLE = 5_000;

export default async (): Promise<Row[]> => {
  const servers = await Promise.all(KINDS.map(async (kind) => [kind, await begin(kind)] as const));
  const { ours, bare } = Object.fromEntries(servers) as Record<Kind, Server>;
  try {
    const rows: Row[] = [];
    for (const { readers, chunks } of SIZES) {
      const best = { ours: 0, bare: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        best.ours = Math.max(best.ours, await perSecond(ours, readers, chunks));
        best.bare = Math.max(best.bare, await perSecond(bare, readers, chunks));
      }
      rows.push({
        what: `chunks of one run to ${readers.toLocaleString('en')} ${readers === 1 ? 'reader' : 'readers'}`,
        ours: `${Math.round(best.ours)}/s`,
        control: `${Math.round(best.bare)}/s`,
        ratio: (best.ours / best.bare).toFixed(2),
        target: '>= 0.50',
      });
    }
    const [idle, control] = [await idleBytes(ours), await idleBytes(bare)];
    rows.push({
      what: `heap per idle stream, ${IDLE.toLocaleString('en')}`,
      ours: `${Math.round(idle)} B`,
      control: `${Math.round(control)} B`,
      ratio: '',
      target: '<= 4,096 B',
    });
    return rows;
  } finally {
    for (const { child } of [ours, bare]) child.kill('SIGKILL');
  }
};

const begin = async (kind: Kind): Promise<Server> => {
  const child = start('stream-servers.ts', [kind]);
  const { port } = await reply<{ port: number }>(child);
  return { child, port };
};

const ask = <T>({ child }: Server, order: Order): Promise<T> => {
  const answered = reply<T>(child);
  child.send(order);
  return answered;
};

/** Chunks that all readers have got, per second. */
const perSecond = async (server: Server, readers: number, chunks: number): Promise<number> => {
  const sockets = await open(server, readers);
  const ended = Promise.all(sockets.map((socket) => once(socket, 'close')));
  const begun = performance.now();
  server.child.send({ go: chunks } satisfies Order);
  await ended;
  return (chunks * readers * 1_000) / (performance.now() - begun);
};

const idleBytes = async (server: Server): Promise<number> => {
  for (const socket of await open(server, 100)) socket.destroy(); // warm
  const before = await ask<{ heapBytes: number }>(server, 'heap');
  const sockets = await open(server, IDLE);
  const after = await ask<{ heapBytes: number }>(server, 'heap');
  for (const socket of sockets) socket.destroy();
  return (after.heapBytes - before.heapBytes) / IDLE;
};

/** Readers of a new run, each of which has got the first bytes. They end with the stream. */
const open = async (server: Server, readers: number): Promise<Socket[]> => {
  const { path } = await ask<{ path: string }>(server, 'new');
  const head = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nconnection: close\r\n\r\n`;
  const sockets: Socket[] = [];
  while (sockets.length < readers) {
    const some = Array.from({ length: Math.min(100, readers - sockets.length) }, async () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.once('connect', () => socket.write(head));
      await once(socket, 'data');
      socket.setEncoding('latin1').on('data', (text: string) => text.endsWith('0\r\n\r\n') && socket.destroy());
      return socket;
    });
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
};
