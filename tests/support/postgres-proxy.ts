/** A way to a PostgreSQL server that fails at a chosen moment: connections are cut before or after the server has got a message. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { postgres } from './postgres.ts';
import type { PostgresServer } from './postgres-server.ts';

/** The server says that a transaction is over. */
const READY = 'Z\0\0\0\x05I';
/** A message that executes the write; in a message the name of a statement follows the name of a portal, which is empty. */
const WRITE = '\0write';

export class PostgresProxy {
  readonly directory = mkdtempSync(join(tmpdir(), 'fermata-way-'));
  readonly #socket: string;
  readonly #open = new Set<Socket>();
  /** What happens to the next connection that sends a write. */
  #next: 'before' | 'after' | 'held' | undefined;
  /** Called when that has happened. `release`: sends the reply that is held. */
  #onCut: (release?: () => void) => void = () => {};
  /** No connection gets through. */
  isClosed = false;
  /** No connection for hints gets through. */
  losesHints = false;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** `to`: the server of this file by default. */
  static async open(t: TestContext, to?: PostgresServer): Promise<PostgresProxy> {
    const { socket } = to ?? (await postgres());
    const proxy = new PostgresProxy(socket);
    const server = createServer((client) => proxy.#connect(client, createConnection(socket)));
    await new Promise<void>((resolve) => server.listen(join(proxy.directory, '.s.PGSQL.5432'), resolve));
    t.after(() => {
      server.close();
      proxy.cut();
      rmSync(proxy.directory, { recursive: true, force: true });
    });
    return proxy;
  }

  /** Also on a port. */
  async listen(t: TestContext): Promise<AddressInfo> {
    const server = createServer((client) => this.#connect(client, createConnection(this.#socket)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return server.address() as AddressInfo;
  }

  /** The same database, by this way. */
  url(url: string): string {
    return url.replace(/host=.*/, `host=${this.directory}`);
  }

  /** Ends all connections now. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /**
   * The next write is lost before the server gets it, or its reply is lost after the server has committed it. Resolves when
   * that has happened. `closes`: no connection gets through from then on.
   */
  lose(moment: 'before' | 'after', { closes = false } = {}): Promise<void> {
    this.#next = moment;
    return new Promise((resolve) => {
      this.#onCut = () => {
        this.#next = undefined;
        if (closes) {
          this.isClosed = true;
          this.cut();
        }
        resolve();
      };
    });
  }

  /** The server commits the next write, and its reply waits for the returned function. */
  hold(): Promise<() => void> {
    this.#next = 'held';
    return new Promise((resolve) => {
      this.#onCut = (release) => resolve(release!);
    });
  }

  #connect(client: Socket, server: Socket): void {
    if (this.isClosed) {
      client.destroy();
      server.destroy();
      return;
    }
    let isDoomed = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#open.add(socket);
      socket.on('error', end).on('close', () => {
        this.#open.delete(socket);
        end();
      });
    }
    client.once('data', (data) => {
      if (this.losesHints && data.includes('fermata hints')) end();
    });
    client.on('data', (data) => {
      const isWrite = this.#next !== undefined && data.includes(WRITE);
      if (isWrite && this.#next === 'before') {
        end();
        this.#onCut();
      } else {
        isDoomed ||= isWrite;
        server.write(data);
      }
    });
    server.on('data', (data) => {
      if (isDoomed && this.#next === 'held' && data.includes(READY)) {
        isDoomed = false;
        this.#next = undefined;
        this.#onCut(() => client.write(data));
      } else if (!isDoomed) client.write(data);
      else if (data.includes(READY)) {
        end();
        this.#onCut();
      }
    });
  }
}
