/** The command `fermata`, in a process that also reports its memory on request, and whose clock can be set forward. */
import { queryObjects } from 'node:v8';
import { Builder } from '../../../runtime/builders/builder.ts';
import { Execution } from '../../../runtime/executions/execution.ts';
import { Run } from '../../../runtime/run/run.ts';
import { Exchange } from '../../../server/http/exchange.ts';
import { Connection } from '../../../server/nat/websocket/connection.ts';

/** Objects after a garbage collection, and bytes. */
export interface Holdings {
  readonly executions: number;
  readonly runs: number;
  readonly builders: number;
  readonly exchanges: number;
  readonly connections: number;
  readonly heapBytes: number;
  readonly bufferBytes: number;
  /** Of the process, without the free pages of the heap, which V8 returns at a time of its choice. */
  readonly rssBytes: number;
}

/** Without a member it asks for the memory. */
export type Asked = { readonly forwardMs?: number };

const count = (kind: typeof Builder | typeof Execution | typeof Run | typeof Exchange | typeof Connection): number =>
  queryObjects(kind, { format: 'count' });

const holdings = (): Holdings => {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  const { heapUsed, heapTotal, arrayBuffers, rss } = process.memoryUsage();
  return {
    executions: count(Execution),
    runs: count(Run),
    builders: count(Builder),
    exchanges: count(Exchange),
    connections: count(Connection),
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    rssBytes: rss - (heapTotal - heapUsed),
  };
};

/** Milliseconds by which the wall clock of this process was set forward. */
let aheadMs = 0;
const { now } = Date;
Date.now = () => now() + aheadMs;

process.on('message', ({ forwardMs }: Asked) => {
  if (forwardMs === undefined) process.send?.(holdings());
  else aheadMs += forwardMs;
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // `fermata serve` refuses `process.exit`
await import('../../../cli/main.ts');
