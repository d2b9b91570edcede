/** A PostgreSQL database: its address, and sessions on the host that takes writes. */
import type { Client, ClientConfig, QueryResult } from 'pg';
import { Failure } from '../../errors.ts';
import { codeOf } from '../explain.ts';
import { type Address, readAddress } from './address.ts';

/** Limit for all hosts of an address: callers wait for it. */
const CONNECT_MS = 1_500;
/** A reply that takes longer counts as lost with its connection. */
const REPLY_MS = 15_000;

/** All names of tables stand in this schema. */
export const SCHEMA = 'fermata';

/**
 * Each statement looks something up by an index. Without these settings, statements that were prepared while the tables were
 * empty read them whole. The planner then estimates high costs, and would compile each statement for a second (`jit`). A server
 * whose default is not to wait for its disk waits for ours. The server notices within about 20 s that a machine has
 * disappeared, and ends its sessions.
 */
const SESSION = `
  SET search_path TO ${SCHEMA};
  SET enable_seqscan TO off;
  SET enable_hashjoin TO off;
  SET enable_mergejoin TO off;
  SET jit TO off;
  SET tcp_keepalives_idle TO 5;
  SET tcp_keepalives_interval TO 5;
  SET tcp_keepalives_count TO 3;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
`;

type Pg = typeof import('pg');

export class Database {
  /** For messages: hosts and database, without user and password. */
  readonly name: string;
  /** Limit for a connection while callers wait. */
  readonly connectMs: number;
  readonly #pg: Pg;
  /** One for each host. */
  readonly urls: readonly string[];

  private constructor(pg: Pg, { urls, name }: Address, connectMs: number) {
    this.connectMs = connectMs;
    this.#pg = pg;
    this.urls = urls;
    this.name = name;
  }

  /** Throws `options_invalid` for an invalid address, and if the package `pg` is missing. */
  static async at(url: string, connectMs = CONNECT_MS): Promise<Database> {
    const address = readAddress(url);
    return new Database(await loadPg(), address, connectMs);
  }

  /** A session on the first host that takes writes. Rejects with the error of the last host. `purpose`: for `pg_stat_activity`. */
  async connect(purpose: string, limitMs = this.connectMs): Promise<Session> {
    const until = performance.now() + limitMs;
    let error: unknown = new Error('no host was reached in time');
    for (const connectionString of this.urls) {
      const connectionTimeoutMillis = Math.max(1, Math.ceil(until - performance.now()));
      const session = new Session(
        new this.#pg.Client({
          connectionString,
          connectionTimeoutMillis,
          query_timeout: REPLY_MS,
          keepAlive: true,
          application_name: `fermata ${purpose}`,
          types: { getTypeParser: this.#parserOf },
        }),
      );
      try {
        await session.open();
        return session;
      } catch (cause) {
        error = cause;
        session.drop();
      }
    }
    throw error;
  }

  /** Numbers of 64 bits are counts here: a JavaScript number holds them. */
  readonly #parserOf = ((oid: number, format: 'text') =>
    oid === INT8 ? Number : this.#pg.types.getTypeParser(oid, format)) as NonNullable<
    ClientConfig['types']
  >['getTypeParser'];
}

const INT8 = 20;

export class Session {
  readonly #client: Client;
  /** Its connection has ended. */
  isLost = false;
  /** Gets notifications of the channels that it listens to. */
  onNotification: (text: string) => void = () => {};
  /** The reply to the last statement. */
  #replied: Promise<unknown> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
    const lost = (): void => {
      this.isLost = true;
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload = '' }) => this.onNotification(payload));
  }

  async open(): Promise<void> {
    await this.#client.connect();
    const { rows } = await this.#client.query('SELECT pg_is_in_recovery() AS standby');
    if (rows[0]?.standby !== false) throw new Error('the host is a standby, and takes no writes');
    await this.#client.query(SESSION);
  }

  async exec(sql: string): Promise<void> {
    await this.query({ text: sql });
  }

  /** With a name the statement is prepared once. One follows the other. */
  query(statement: { name?: string; text: string; values?: unknown[] }): Promise<Row[]> {
    const replied = this.#replied.then(() => this.#query(statement));
    this.#replied = replied.catch(() => {});
    return replied;
  }

  async #query(statement: { name?: string; text: string; values?: unknown[] }): Promise<Row[]> {
    try {
      const { rows }: QueryResult = await this.#client.query(statement);
      return rows;
    } catch (error) {
      // The database says with a code of its own what it has refused. Other errors are of the connection.
      if (!isReply(error)) this.drop();
      throw error;
    }
  }

  /** Ends it at once: what was asked rejects. */
  drop(): void {
    this.isLost = true;
    const { stream } = (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
  }

  async close(): Promise<void> {
    if (!this.isLost) await this.#client.end().catch(() => {});
    this.isLost = true;
  }
}

export type Row = Record<string, unknown>;

/**
 * Whether the database has replied, so that the session goes on. Only its replies have a severity. After those of two classes
 * the server ends the session, and a host that has become a standby takes no more writes.
 */
export const isReply = (error: unknown): boolean =>
  (error as { severity?: unknown }).severity !== undefined && !/^(08|57P|25006)/.test(codeOf(error));

const loadPg = async (): Promise<Pg> => {
  try {
    const { default: pg } = await import('pg');
    return pg as unknown as Pg;
  } catch (cause) {
    const detail =
      'Storing executions in PostgreSQL needs the package pg, which is not installed. Install it: npm install pg';
    throw new Failure('options_invalid', { detail, cause });
  }
};
