/** The line between a browser and a server, which a test can cut. */
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Line {
  /** What the browser is given as the server. */
  readonly url: string;
  /** Ends every connection, and takes none until it is mended. */
  cut(): void;
  mend(): void;
  /** Where connections lead from now on. */
  leadTo(port: number): void;
}

export const lineTo = async (t: TestContext, port: number): Promise<Line> => {
  const sockets = new Set<Socket>();
  let isCut = false;
  let to = port;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(to, '127.0.0.1');
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    drop();
    return new Promise((closed) => server.close(closed));
  });
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: () => {
      isCut = true;
      drop();
    },
    mend: () => {
      isCut = false;
    },
    leadTo: (port) => {
      to = port;
    },
  };
};
