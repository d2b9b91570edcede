/**
 * Measures the cost of a watcher of the actors next to 100,000 executions, and checks that nothing is left after it
 * disconnects. The control is a second server of ours in the same state, without a watcher.
 */
import { openSocket } from '../tests/support/web-socket.ts';
import { type Kind, startServers } from './support/processes.ts';
import type { Row } from './support/table.ts';

const PARKED = 100_000;
const ROUNDS = 5;
const RUN = { script: 'instant', connections: 50, ms: 1_500 } as const;

type Sample = { readonly perSecond: number; readonly cpuUs: number };

export default async (): Promise<Row[]> => {
  const servers = await startServers(['ours', 'control']);
  const sample = async (kind: Kind): Promise<Sample> => {
    const before = await servers.cpuMs(kind);
    const { done, ms } = await servers.load({ port: servers.ports[kind], ...RUN });
    return { perSecond: (done / ms) * 1000, cpuUs: (((await servers.cpuMs(kind)) - before) * 1000) / done };
  };
  const pictures: number[] = [];
  const watched = async (): Promise<Sample> => {
    const at = performance.now();
    const { client, status } = await openSocket(`http://127.0.0.1:${servers.ports.ours}/inspect/socket`);
    if (client === undefined) throw new Error(`the socket was refused with ${status}`);
    await client.until(({ name }) => String(name).startsWith('bench execution'));
    pictures.push(performance.now() - at);
    const taken = await sample('ours');
    client.close();
    await client.closed();
    return taken;
  };
  try {
    for (const port of Object.values(servers.ports)) {
      await servers.load({ port, script: 'instant', connections: 20, rounds: 30_000 }); // warm, with settled executions
      await servers.load({ port, script: 'park', connections: 20, rounds: PARKED });
    }
    const [during, after, control]: Sample[][] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      during!.push(await watched());
      control!.push(await sample('control'));
      after!.push(await sample('ours'));
    }
    return [
      ...rowsOf('instant run, 50 clients, with a watcher', during!, control!, ''),
      ...rowsOf('the same after he has gone', after!, control!, '0.95 to 1.05'),
      {
        what: 'until a watcher sees the first execution',
        ours: `${Math.min(...pictures).toFixed(0)} ms`,
        control: '',
        ratio: '',
        target: '',
      },
    ];
  } finally {
    await servers.end();
  }
};

/** Each by its best round. */
const rowsOf = (what: string, ours: readonly Sample[], control: readonly Sample[], target: string): Row[] => {
  const perSecond = [ours, control].map((those) => Math.max(...those.map((one) => one.perSecond)));
  const cpuUs = [ours, control].map((those) => Math.min(...those.map((one) => one.cpuUs)));
  return [
    {
      what,
      ours: `${Math.round(perSecond[0]!)}/s`,
      control: `${Math.round(perSecond[1]!)}/s`,
      ratio: (perSecond[0]! / perSecond[1]!).toFixed(2),
      target,
    },
    {
      what: '  processor time each',
      ours: `${cpuUs[0]!.toFixed(0)} us`,
      control: `${cpuUs[1]!.toFixed(0)} us`,
      ratio: (cpuUs[1]! / cpuUs[0]!).toFixed(2),
      target,
    },
  ];
};
