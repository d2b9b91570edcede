/** A balancer on loopback: each request, and each socket, goes to the next server. A server that refuses connections is left out. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** The servers listen at these ports of 127.0.0.1. */
export const roundRobin = async (t: TestContext, ports: readonly number[]): Promise<string> => {
  let turn = 0;
  const nextPort = (): number => ports[turn++ % ports.length]!;

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const ask = (attempts: number): void => {
      const { method, url: path, headers } = incoming;
      const asked = request({ host: '127.0.0.1', port: nextPort(), method, path, headers, agent: false });
      asked.on('response', (reply) => {
        outgoing.writeHead(reply.statusCode!, reply.statusMessage, reply.rawHeaders);
        outgoing.flushHeaders();
        reply.pipe(outgoing);
        reply.on('error', () => outgoing.destroy());
        outgoing.on('close', () => reply.destroy());
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED' && attempts < ports.length) ask(attempts + 1);
        else outgoing.destroy();
      });
      asked.end(Buffer.concat(chunks));
    };
    ask(1);
  });

  server.on('upgrade', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    const upstream = connect(nextPort(), '127.0.0.1', () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2)
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
