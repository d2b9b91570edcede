import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import type { TestContext } from 'node:test';

/** An HTTP server on a free loopback port, which ends with the test. */
export const loopback = async (t: TestContext): Promise<{ server: Server; origin: string }> => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

/** Free a moment ago. */
export const freePort = async (): Promise<number> => {
  const probe = createSocket();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
};
