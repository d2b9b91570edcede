/**
 * Writes batches to the database. Several processes do: each write is compared with the database, so what another process has
 * changed or executes is refused.
 *
 * If the connection breaks after a batch was sent, its outcome is unknown. It is looked up, by numbers and checksums, before
 * any caller gets an answer, and what is not there is sent again. If no host is reached in time, the batch is refused; the
 * executions in it are read again before anything builds on them.
 */
import { z } from 'zod';
import type { JournalChange } from '../changes.ts';
import type { Part, Refusal, Target } from '../group-commit.ts';
import { NameTaken, Refused } from '../store.ts';
import { type Database, isReply, type Row, type Session } from './database.ts';
import { foundOf, removalOf, type Statement, writeOf } from './statement.ts';

const ids = z.array(z.object({ id: z.string() }));

export class PostgresWriter implements Target {
  readonly #database: Database;
  #session: Session;
  #connecting: Promise<Session> | undefined;
  #isClosed = false;
  onLost: (cause: unknown) => void = () => {};
  /** It is connected again. What it does not know may have been committed. */
  onRegained: () => Promise<void> = async () => {};
  /** So many writes were refused, because another process has changed the executions. */
  onLostWrites: (count: number) => void = () => {};
  /** Everything was written. */
  onClosing: () => Promise<void> = async () => {};
  /** The id of this process, as the owner of executions. */
  node = '';

  constructor(database: Database, session: Session) {
    this.#database = database;
    this.#session = session;
  }

  /** Rejects if the database cannot be reached, or refuses the statement. */
  async ask(statement: Statement): Promise<Row[]> {
    return (await this.#ready()).query(statement);
  }

  async write(parts: readonly Part[]): Promise<readonly Refusal[]> {
    const pending = parts.filter(({ cause }) => cause === undefined);
    try {
      return await this.#writeAll(pending, await this.#ready());
    } catch (error) {
      if (isReply(error)) {
        if (isOfWriter(error)) return this.#writeApart(pending);
        throw error;
      }
      const session = await this.#ready(); // rejects if it cannot be found out now
      const found = await this.#found(pending, session);
      return this.#writeAll(
        pending.filter((part) => !found.has(part)),
        session,
      );
    }
  }

  async probe(): Promise<void> {
    const session = await this.#ready();
    await session.exec('UPDATE meta SET form = form');
  }

  async close(): Promise<void> {
    await this.onClosing();
    this.#isClosed = true;
    await this.#session.close();
  }

  /** What has lost may have won before, with a reply that did not arrive. */
  async #writeAll(parts: readonly Part[], session: Session): Promise<readonly Refusal[]> {
    const lost = await this.#send(parts, session);
    if (lost.length === 0) return [];
    const found = await this.#found(lost, session);
    const refused = lost.filter((part) => !found.has(part));
    this.onLostWrites(refused.length);
    return refused.map((part) => [part, new Refused(journalOf(part)!.id)]);
  }

  /** The parts that have lost. */
  async #send(parts: readonly Part[], session: Session): Promise<readonly Part[]> {
    const changes = parts.flatMap((part) => part.changes);
    const removed = changes.flatMap((one) => (one.change === 'removal' ? [one.id] : []));
    const written = changes.length > removed.length ? await session.query(writeOf(this.node, changes)) : [];
    if (removed.length > 0) await session.query(removalOf(removed));
    const kept = new Set(ids.parse(written).map(({ id }) => id));
    return parts.filter((part) => {
      const journal = journalOf(part);
      return journal !== undefined && !kept.has(journal.id);
    });
  }

  async #found(parts: readonly Part[], session: Session): Promise<ReadonlySet<Part>> {
    const journals = parts.map(journalOf).filter((journal) => journal !== undefined);
    if (journals.length === 0) return new Set();
    const found = new Set(ids.parse(await session.query(foundOf(journals))).map(({ id }) => id));
    return new Set(parts.filter((part) => found.has(journalOf(part)?.id ?? '')));
  }

  /** The database refuses the changes of one writer: the others are written. */
  async #writeApart(parts: readonly Part[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    for (const part of parts) {
      try {
        refused.push(...(await this.#writeAll([part], await this.#ready())));
      } catch (cause) {
        if (!isReply(cause) || !isOfWriter(cause)) throw cause;
        const found = await this.#found([part], await this.#ready()); // a start that was written before
        if (!found.has(part)) refused.push([part, isOfName(cause) ? new NameTaken(journalOf(part)!.id) : cause]);
      }
    }
    return refused;
  }

  async #ready(): Promise<Session> {
    if (this.#isClosed) throw new Error('the store is closed');
    if (!this.#session.isLost) return this.#session;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Session> {
    const session = await this.#database.connect('writer');
    try {
      await this.onRegained();
    } catch (error) {
      session.drop();
      throw error;
    }
    this.#session = session;
    return session;
  }
}

const journalOf = ({ changes }: Part): JournalChange | undefined =>
  changes.find((change): change is JournalChange => change.change === 'journal');

/** It has another execution with a unique name of this one. */
const isOfName = (error: unknown): boolean => (error as { constraint?: string }).constraint === 'names_pkey';

/** The database is sound, and refuses what one writer has: data, a limit, a unique name, a deadlock. */
const isOfWriter = (error: unknown): boolean => /^(22|23|40|54)/.test(String((error as { code?: string }).code));
