/** A server on a free loopback port, and a client that sends exactly the bytes it is told to. */
import assert from 'node:assert/strict';
import { connect as connectSocket, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type HttpOptions, type HttpServer, listen } from '../../server/http/listen.ts';
import type { Call, Reply, Route } from '../../server/http/route.ts';
import { testedAdapter } from './adapter.ts';

export interface RawReply {
  readonly status: number;
  /** By lower-case name; a repeated one as `a, b`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What was reported to `onError` is in `errors`. The server is closed with the test. */
export const startServer = async (
  t: TestContext,
  options: Partial<HttpOptions> & Pick<HttpOptions, 'routes'>,
): Promise<HttpServer & { errors: unknown[]; url: string }> => {
  const errors: unknown[] = [];
  const server = await listen({
    adapter: testedAdapter(),
    host: '127.0.0.1',
    port: 0,
    problem: (thrown) => ({ status: 500, headers: { 'content-type': 'text/plain' }, body: `thrown: ${thrown}` }),
    onError: (error) => void errors.push(error),
    ...options,
  });
  t.after(() => server.close({ graceMs: 0 }));
  return Object.assign(server, { errors, url: `http://127.0.0.1:${server.port}` });
};

export class RawClient {
  readonly socket: Socket;
  /** When the server has ended the connection, in whichever way. */
  readonly closed: Promise<void>;
  #received = '';
  /** Length from which on looking at what came is worth it: a look costs time in proportion to all that came. */
  #enough = 1;
  #onChange = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      this.#received += data;
      this.#onChange();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.#onChange());
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next whole response; rejects if the connection ends before. */
  async answer(): Promise<RawReply> {
    for (;;) {
      const answer = this.#take();
      if (answer !== undefined) return answer;
      if (this.socket.closed) assert.fail(`the connection ended after ${JSON.stringify(this.#received.slice(0, 200))}`);
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
  }

  /** Reads as far as the length says; as far as there is something if it does not. */
  #take(): RawReply | undefined {
    if (this.#received.length < this.#enough) return undefined;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const [statusLine = '', ...lines] = this.#received.slice(0, end).split('\r\n');
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      const before = headers[name.toLowerCase()];
      headers[name.toLowerCase()] = before === undefined ? value : `${before}, ${value}`;
    }
    const rest = this.#received.slice(end + 4);
    const length = Number(headers['content-length'] ?? rest.length);
    this.#enough = end + 4 + length;
    if (rest.length < length) return undefined;
    this.#received = rest.slice(length);
    this.#enough = 1;
    return { status: Number(statusLine.split(' ')[1]), headers, body: rest.slice(0, length) };
  }
}

export const connectRaw = async (t: TestContext, port: number): Promise<RawClient> => {
  const socket = connectSocket(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return new RawClient(socket);
};

/** Sends the bytes on a connection of their own, and gives the first answer. */
export const sendRaw = async (t: TestContext, port: number, text: string): Promise<RawReply> => {
  const client = await connectRaw(t, port);
  client.send(text);
  return client.answer();
};

/** A request's head and body, with a Host header. */
export const rawRequest = (line: string, headers: readonly string[] = [], body = ''): string =>
  `${line} HTTP/1.1\r\n${['Host: localhost', ...headers].join('\r\n')}\r\n\r\n${body}`;

/** `pattern`: method and path. */
export const routeOf = (pattern: string, handle: Route['handle']): Route => {
  const [method, path] = pattern.split(' ');
  return { method: method as Route['method'], path: path!, handle };
};

export const jsonReply = (value: unknown): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** Replies with the call that it gets. */
export const mirror = ({ method, path, params, query, headers, client, body }: Call): Reply =>
  jsonReply({ method, path, params, query, headers, client: { ...client, port: 0 }, body: body?.toString() });

/** Turns of the event loop until it holds; fails after ten seconds. */
export const until = async (holds: () => boolean, what: string): Promise<void> => {
  const start = Date.now();
  while (!holds()) {
    assert.ok(Date.now() - start < 10_000, `never came: ${what}`);
    await setImmediate();
  }
};

/** Timers that run when the test says so. */
export const fakeTimers = () => {
  const waiting: { ms: number; run: () => void }[] = [];
  return {
    waiting,
    after: (ms: number, run: () => void) => {
      const timer = { ms, run };
      waiting.push(timer);
      return () => void (waiting.includes(timer) && waiting.splice(waiting.indexOf(timer), 1));
    },
    /** Runs the timer that was set first; gives its milliseconds. */
    elapse: (): number => {
      const timer = waiting.shift();
      assert.ok(timer !== undefined, 'no timer is set');
      timer.run();
      return timer.ms;
    },
  };
};
