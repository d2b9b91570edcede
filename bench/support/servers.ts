/** The compared servers, each in a separate process: ours, and bare ones with the same bytes. */
import { z } from 'zod';
import { text, workflow } from '../../runtime/index.ts';
import type { AdapterName } from '../../server/http/adapter.ts';
import { createServer } from '../../server/index.ts';
import { serverDefaults } from '../../server/options.ts';
import { bareNode, bareUws } from './bare.ts';

const bench = workflow({
  name: 'bench',
  input: z.object({ cmd: z.string() }),
  async run({ cmd }, ctx) {
    if (cmd === 'instant') return 'done';
    return (await ctx.prompt(text({ text: 'What is your name?' }))).text;
  },
});

const ours = async (data: string | null, adapter: AdapterName): Promise<number> => {
  const sockets = { ...serverDefaults.sockets, messagesPerSecond: 1_000_000 }; // the limit is not what is measured
  const server = await createServer({
    workflow: bench,
    config: { host: '127.0.0.1', port: 0, sockets, data, adapter },
  });
  return server.port;
};

const [, , kind, data] = process.argv;
const begin = (): Promise<number> => {
  if (kind === 'bare') return bareUws();
  if (kind === 'bareNode') return bareNode();
  return ours(kind === 'durable' || kind?.startsWith('postgres') ? data! : null, kind === 'onNode' ? 'node' : 'uws');
};
const port = await begin();
process.send?.({ port });
process.on('message', (wanted: 'cpu' | 'heap') => {
  for (let round = 0; round < 2 && wanted === 'heap'; round += 1) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({
    cpuMs: (user + system) / 1000,
    heapBytes: process.memoryUsage().heapUsed,
    rssBytes: process.memoryUsage.rss(),
  });
});
process.on('disconnect', () => process.exit());
