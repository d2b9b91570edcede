/** A proxy between a client and a server that mistreats requests as it is told. */
import { type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { loopback } from './loopback.ts';

/**
 * `refuse`: hangs up before the server has it. `lose`: hangs up instead of replying. `halve`: hangs up in the middle of the reply.
 * `repeat`: the server gets it twice. `delay`: the server gets it 30 ms later. `swallow`: nothing comes, ever. A number: that status. `bare`: without our headers.
 */
export type Mischief = 'pass' | 'refuse' | 'lose' | 'halve' | 'repeat' | 'delay' | 'swallow' | 'bare' | number;

export interface Passed {
  readonly method: string;
  readonly path: string;
  /** Of requests with this method and path, counted from 0. */
  readonly nth: number;
}

export const badProxy = async (t: TestContext, target: () => string, mischief: (passed: Passed) => Mischief) => {
  const { server, origin } = await loopback(t);
  const counts = new Map<string, number>();
  const seen: (Passed & { headers: IncomingMessage['headers'] })[] = [];
  server.on('request', async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = '', url = '', headers } = incoming;
    const path = url.split('?')[0]!;
    const nth = counts.get(`${method} ${path}`) ?? 0;
    counts.set(`${method} ${path}`, nth + 1);
    seen.push({ method, path, nth, headers });
    const body = await buffer(incoming).catch(() => undefined);
    if (body === undefined) return;
    const what = mischief({ method, path, nth });
    if (what === 'swallow') return;
    if (what === 'delay') await setTimeout(30);
    if (what === 'refuse') return void incoming.socket.destroy();
    if (typeof what === 'number')
      return void outgoing.writeHead(what, { 'content-type': 'text/html' }).end('<h1>Bad</h1>');
    const forward = (onReply: (reply: IncomingMessage) => void) => {
      const upstream = send(target() + url, { method, headers, agent: false }, onReply);
      upstream.on('error', () => incoming.socket.destroy());
      outgoing.on('close', () => upstream.destroy());
      upstream.end(body);
    };
    if (what === 'repeat') forward((reply) => void reply.resume());
    forward((reply) => {
      if (what === 'lose') return void reply.resume().on('end', () => incoming.socket.destroy());
      const { 'execution-id': _, 'execution-seq': __, ...others } = reply.headers;
      outgoing.writeHead(reply.statusCode ?? 500, what === 'bare' ? others : reply.headers);
      outgoing.flushHeaders();
      reply.on('error', () => incoming.socket.destroy());
      let isHalved = false;
      reply.on('data', (chunk: Buffer) => {
        if (what !== 'halve') return void outgoing.write(chunk);
        isHalved = true;
        outgoing.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => incoming.socket.destroy());
      });
      reply.on('end', () => {
        if (!isHalved) outgoing.end(); // else it would look whole
      });
    });
  });
  return { url: origin, seen };
};
