/**
 * A process of its own that asks for `/health` every 50 ms, whatever became of the requests before, and asks a server that does
 * nothing else at the same moment. The difference between both is what the server does; the rest is the machine.
 *
 * Arguments: `control`, or `probe` and the address of the control. Messages to it: the address of a server, or null while there is none,
 * or `report`.
 */
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Milliseconds until the answer was there; -1 if none has come. */
export interface Probe {
  readonly server: number;
  readonly control: number;
}

const EVERY_MS = 50;
const TIMEOUT_MS = 10_000;

const agent = new Agent({ keepAlive: true });

const timeOf = (address: string): Promise<number> =>
  new Promise((resolve) => {
    const began = performance.now();
    const failed = (): void => resolve(-1);
    const request = get(`${address}/health`, { agent, timeout: TIMEOUT_MS }, (response) => {
      response
        .on('error', failed)
        .on('end', () => resolve(response.statusCode === 200 ? performance.now() - began : -1));
      response.resume();
    });
    request.on('error', failed).on('timeout', () => request.destroy(new Error('no answer')));
  });

const [, , role, control = ''] = process.argv;

if (role === 'control') {
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end('{}'));
  server.listen(0, '127.0.0.1', () => process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

if (role === 'probe') {
  const probes: Probe[] = [];
  let target: string | null = null;
  let round = 0;
  process.on('message', (message: string | null) => {
    if (message === 'report') process.send!(probes);
    else {
      target = message;
      round += 1;
    }
  });
  setInterval(async () => {
    if (target === null) return;
    const began = round;
    const [server, idle] = await Promise.all([timeOf(target), timeOf(control)]);
    // What was asked when the server was told to stop, or after that, says nothing.
    if (began === round) probes.push({ server, control: idle });
  }, EVERY_MS);
}

process.on('disconnect', () => process.exit(0));
