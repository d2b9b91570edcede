/**
 * Hints between processes: which executions have changed. If all of them are lost, that costs time, and no truth.
 *
 * One connection listens and sends, and does not wait for the disk. A hint is sent after the commit: as a part of it, it would
 * make commits wait for each other's disk. Each second the process sends itself one. While none of them arrives, because the
 * connection is lost or a pooler is in between, the database has to be asked.
 */
import { randomUUID } from 'node:crypto';
import type { Database, Session } from './database.ts';

const CHANNEL = 'fermata';
/** Ids in one notification: it may have 8,000 bytes. */
const MAX_IDS = 250;
/** Unsent ids beyond which the hint is that any execution may have changed. */
const MAX_UNSENT = 10_000;

export class Hints {
  readonly #database: Database;
  /** Tells hints of this process from others. */
  readonly #tag = randomUUID();
  #session: Session | undefined;
  #isConnecting = false;
  #isClosed = false;
  #unsent = new Set<string>();
  #isSending = false;
  #hasArrived = false;
  /** Gets the ids of executions that other processes have changed; undefined: any may have changed. */
  onHint: (executionIds: readonly string[] | undefined) => void = () => {};

  /** Another process has let executions go. */
  onLetGo: () => void = () => {};

  constructor(database: Database) {
    this.#database = database;
  }

  /** This process has changed these executions. */
  send(executionIds: Iterable<string>): void {
    for (const id of executionIds) this.#unsent.add(id);
    if (this.#unsent.size > MAX_UNSENT) this.#unsent = new Set([ANY]);
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => this.#sendAll()); // the executions of one commit together
  }

  /** This process has let executions go. */
  letGo(): void {
    this.send([LET_GO]);
  }

  /** Whether hints have arrived since the last call. A lost connection is opened again. */
  check(): boolean {
    const hasArrived = this.#hasArrived && this.#session?.isLost === false;
    this.#hasArrived = false;
    if (this.#session?.isLost !== false) void this.open();
    else this.send([PING]);
    return hasArrived;
  }

  /** Resolves when it listens, or when that is not possible now. */
  async open(): Promise<void> {
    if (this.#isConnecting || this.#isClosed) return;
    this.#isConnecting = true;
    try {
      const session = await this.#database.connect('hints');
      session.onNotification = (text) => this.#arrived(text);
      await session.exec(`SET synchronous_commit TO off; LISTEN ${CHANNEL}`);
      this.#session = session;
      if (this.#isClosed) await session.close();
      this.send([PING]);
      this.onHint(undefined); // hints may have been lost meanwhile
    } catch {
      // The next check tries again.
    } finally {
      this.#isConnecting = false;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.close();
  }

  /** Ids that were not sent are sent by the next connection. */
  async #sendAll(): Promise<void> {
    try {
      while (this.#unsent.size > 0 && this.#session?.isLost === false) {
        const ids = [...this.#unsent].slice(0, MAX_IDS);
        const values = [CHANNEL, `${this.#tag} ${ids.join(' ')}`];
        for (const id of ids) this.#unsent.delete(id);
        try {
          await this.#session.query({ name: 'hint', text: 'SELECT pg_notify($1, $2)', values });
        } catch (error) {
          for (const id of ids) this.#unsent.add(id);
          throw error;
        }
      }
    } catch {
      // The session is lost.
    } finally {
      this.#isSending = false;
    }
  }

  #arrived(text: string): void {
    const [tag, ...ids] = text.split(' ');
    if (tag === this.#tag) this.#hasArrived = true;
    else if (ids.includes(ANY)) this.onHint(undefined);
    else {
      if (ids.includes(LET_GO)) this.onLetGo();
      this.onHint(ids.filter((id) => id !== PING && id !== LET_GO));
    }
  }
}

/** No ids. */
const PING = '.';
const ANY = '*';
const LET_GO = '!';
