/**
 * The load generator, in a separate process, so that it does not share the server's event loop. A message gives it the
 * work, the number of connections and the duration. It replies with the number of rounds, and the time of each.
 */
import { interactionReply, isComplete, isPrompt, userMessage } from '../../tests/support/socket-server.ts';
import { openSocket, type SocketClient } from '../../tests/support/web-socket.ts';
import { Connection } from './client.ts';

export type Order = {
  readonly port: number;
  /** Of further servers, for a script that uses several. */
  readonly others?: readonly number[];
  readonly script: ScriptName;
  readonly connections: number;
  /** The duration, or the number of rounds. */
  readonly ms?: number;
  readonly rounds?: number;
  /** Milliseconds between two rounds of a connection. Default 0. */
  readonly pauseMs?: number;
};
/** Times are milliseconds, sorted. */
export type Report = { readonly done: number; readonly ms: number; readonly latencies: readonly number[] };

const post = '{"cmd":"instant"}';
const ask = '{"cmd":"ask"}';
const answer = '{"response":{"type":"text","text":"Ada"}}';

const expect = (got: { status: number; body: string }, status: number): string => {
  if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${got.body.slice(0, 200)}`);
  return got.body;
};

/** One round each. Resolves to the start of the measured time, if it is not the start of the round. */
export const scripts = {
  instant: async (connection: Connection) => {
    expect(await connection.request('POST', '/v1/workflow', post), 200);
  },
  /** Leaves an execution that waits for an answer. */
  park: async (connection: Connection) => {
    const { response_url } = JSON.parse(expect(await connection.request('POST', '/v1/workflow', ask), 202));
    parked.push(response_url);
  },
  /** Answers one of these. */
  unpark: async (connection: Connection) => {
    expect(await connection.request('POST', parked.pop()!, answer), 204);
  },
  health: async (connection: Connection) => {
    expect(await connection.request('GET', '/health'), 200);
  },
  poll: async (connection: Connection) => {
    if (!polled.has(connection)) {
      const { execution_id } = JSON.parse(expect(await connection.request('POST', '/v1/workflow', ask), 202));
      polled.set(connection, `/executions/${execution_id}`);
    }
    expect(await connection.request('GET', polled.get(connection)!), 200);
  },
  /** Start, prompt, answer, completed; timed from the answer until the completion is seen. */
  cycle: async (connection: Connection) => {
    const started = expect(await connection.request('POST', '/v1/workflow', ask), 202);
    const { response_url, status_url } = JSON.parse(started);
    const answeredAt = performance.now();
    expect(await connection.request('POST', response_url, answer), 204);
    while (!expect(await connection.request('GET', status_url), 200).includes('"completed"'));
    return performance.now() - answeredAt;
  },
  /** The same with long polls instead of short ones, which would be most of the work. */
  waitingCycle: async (connection: Connection) => {
    const started = expect(await connection.request('POST', '/v1/workflow', ask), 202);
    const { response_url, status_url } = JSON.parse(started);
    const answeredAt = performance.now();
    expect(await connection.request('POST', response_url, answer), 204);
    while (!expect(await connection.request('GET', `${status_url}?wait=10`), 200).includes('"completed"'));
    return performance.now() - answeredAt;
  },
  /** The same at three servers: started at one, answered at the second, and waited for at the third. */
  roamingCycle: async (connection: Connection) => {
    const [second, third] = others.get(connection)!;
    const { response_url, status_url } = JSON.parse(expect(await connection.request('POST', '/v1/workflow', ask), 202));
    const answeredAt = performance.now();
    expect(await second!.request('POST', response_url, answer), 204);
    while (!expect(await third!.request('GET', `${status_url}?wait=10`), 200).includes('"completed"'));
    return performance.now() - answeredAt;
  },
  /** The cycle of NAT's chat interface: everything on one socket. */
  socketCycle: async (connection: Connection) => {
    const socket = await socketOf(connection);
    socket.send(userMessage('ask'));
    await socket.until(isPrompt);
    socket.send(interactionReply('Ada'));
    await socket.until(isComplete);
  },
} satisfies Record<string, (connection: Connection) => Promise<unknown>>;
export type ScriptName = keyof typeof scripts;

/** The connections of a client to further servers. */
const others = new Map<Connection, readonly Connection[]>();

const sockets = new Map<Connection, SocketClient>();

const socketOf = async (connection: Connection): Promise<SocketClient> => {
  const known = sockets.get(connection);
  if (known !== undefined) return known;
  const { client, status } = await openSocket(`http://127.0.0.1:${connection.port}/websocket`);
  if (client === undefined) throw new Error(`the socket was refused with ${status}`);
  sockets.set(connection, client);
  return client;
};

const parked: string[] = [];
const polled = new Map<Connection, string>();

/** Clients begin at different servers. */
const openAll = (count: number, ports: readonly number[]): Promise<Connection[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, client) => {
      const turned = ports.map((_port, place) => ports[(client + place) % ports.length]!);
      const [connection, ...rest] = await Promise.all(turned.map((port) => Connection.open(port)));
      others.set(connection!, rest);
      return connection!;
    }),
  );

export const run = async ({
  port,
  others: more = [],
  script,
  connections,
  ms = Number.POSITIVE_INFINITY,
  rounds,
  pauseMs = 0,
}: Order): Promise<Report> => {
  const open = await openAll(connections, [port, ...more]);
  const latencies: number[] = [];
  let left = rounds ?? Number.POSITIVE_INFINITY;
  const begun = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      while (left-- > 0 && performance.now() - begun < ms) {
        const at = performance.now();
        const timed: unknown = await scripts[script](connection);
        latencies.push(typeof timed === 'number' ? timed : performance.now() - at);
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
      }
    }),
  );
  for (const connection of open) {
    connection.close();
    sockets.get(connection)?.drop();
    sockets.delete(connection);
    for (const other of others.get(connection) ?? []) other.close();
    others.delete(connection);
  }
  const sorted = Float64Array.from(latencies).sort();
  return { done: latencies.length, ms: performance.now() - begun, latencies: [...sorted] };
};

if (process.send !== undefined) {
  process.on('message', (order: Order) => {
    run(order).then(
      (report) => process.send?.({ report }),
      (error: Error) => process.send?.({ error: error.message }),
    );
  });
}
