/**
 * A store in PostgreSQL for plays. The process is lost when it has committed what the plan says. Where the plan has a failure, the
 * connection breaks before the server has got the next write, or after it has committed it.
 */
import type { JournalEntry } from '../../../machines/facts.ts';
import type { Archive, Recorded } from '../../../runtime/index.ts';
import type { PostgresStore } from '../../../runtime/store/postgres/store.ts';
import type { Fullness } from '../../../runtime/store/store.ts';
import type { Vault } from '../../../runtime/store/vault.ts';
import type { Disk, Faults } from '../../../testing/disk.ts';
import { openPostgres, postgres } from '../postgres.ts';
import type { PostgresProxy } from '../postgres-proxy.ts';
import type { OpenPlayed, PlayedStore } from './store.ts';

/** `url`: of a database that only this uses. Each play begins with an empty one. */
export const inPostgres = (url: string, proxy: PostgresProxy): OpenPlayed => {
  let played: Disk | undefined;
  let last: PlayedInPostgres | undefined;
  return async (disk, _turns, faults) => {
    await last?.close();
    const store = await openPostgres(proxy.url(url));
    if (disk !== played) {
      const tables = ['executions', 'journal', 'names', 'vault'].map((table) => `fermata.${table}`);
      await store.close();
      await (await postgres()).sql(`TRUNCATE ${tables.join()}`, url);
      played = disk;
      last = new PlayedInPostgres(await openPostgres(proxy.url(url)), disk, faults, proxy);
    } else {
      last = new PlayedInPostgres(store, disk, faults, proxy);
      for (const id of disk.rows.keys()) await last.compare(id);
    }
    return last;
  };
};

class PlayedInPostgres implements PlayedStore, Archive {
  readonly archive = this;
  readonly #store: PostgresStore;
  readonly #disk: Disk;
  readonly #faults: Faults;
  readonly #proxy: PostgresProxy;
  #pending = 0;
  isBroken = false;
  #ended: Promise<void> | undefined;

  constructor(store: PostgresStore, disk: Disk, faults: Faults, proxy: PostgresProxy) {
    this.#store = store;
    this.#disk = disk;
    this.#faults = faults;
    this.#proxy = proxy;
  }

  get isClosed(): boolean {
    return this.#ended !== undefined;
  }

  /** The process has ended. */
  set isClosed(_: boolean) {
    void this.close();
  }

  get isBusy(): boolean {
    return !this.isClosed && this.#pending > 0;
  }

  /** Its reads count as work of the process. */
  readonly vault: Vault = new Proxy({} as Vault, {
    get: (_, name) => {
      const { vault } = this.#store;
      const member: unknown = Reflect.get(vault, name);
      if (typeof member !== 'function') return member;
      if (!['get', 'entries', 'change', 'claim'].includes(String(name))) return member.bind(vault);
      return (...asked: unknown[]) => this.#asked(async () => member.apply(vault, asked));
    },
  });

  append(record: Recorded, entry: JournalEntry): Promise<Fullness> {
    if (this.isClosed) return new Promise(() => {});
    if (this.#faults.fails(entry.seq, entry.seq)) void this.#proxy.lose('after');
    if (this.#faults.refuses(entry.seq + 1)) void this.#proxy.lose('before');
    const text = JSON.stringify(entry);
    return this.#asked(async () => {
      const full = await this.#store.append(record, entry);
      if (this.isClosed) return new Promise(() => {});
      this.#facts(record.id).push(text);
      if (this.#faults.lostAfter(entry.seq) === undefined) return full;
      this.#faults.lost();
      return new Promise(() => {});
    });
  }

  /** The process before may have committed more than it has seen. */
  async compare(id: string): Promise<void> {
    const stored = await this.#store.find(id);
    const texts = this.#facts(id);
    for (const entry of stored?.entries.slice(texts.length) ?? []) texts.push(JSON.stringify(entry));
    this.#store.release(id);
  }

  #facts(id: string): string[] {
    const row = this.#disk.rows.get(id);
    if (row !== undefined) return row.texts;
    const texts: string[] = [];
    this.#disk.rows.set(id, { texts, truncatedThrough: 0, origin: '', dueAt: null, isDriven: true, isSettled: false });
    return texts;
  }

  /** Resolves when its sessions have ended. */
  close(): Promise<void> {
    this.#ended ??= this.#store.close();
    return this.#ended;
  }

  read(id: string, after?: number) {
    const page = this.#store.read(id, after);
    return page instanceof Promise ? this.#asked(() => page) : page;
  }

  forget = (id: string) => this.#asked(() => this.#store.forget(id));
  find = (id: string) => this.#asked(() => this.#store.find(id));
  bytesOf = (id: string) => this.#store.bytesOf(id);
  release = (id: string) => this.#store.release(id);
  named = (name: string) => this.#asked(() => this.#store.named(name));
  page = (...asked: Parameters<PostgresStore['page']>) => this.#asked(() => this.#store.page(...asked));
  awaiting = (...asked: Parameters<PostgresStore['awaiting']>) => this.#asked(() => this.#store.awaiting(...asked));
  unfinished = () => this.#asked(() => this.#store.unfinished());
  due = (...asked: Parameters<PostgresStore['due']>) => this.#asked(() => this.#store.due(...asked));
  nextDueAt = (after?: number) => this.#asked(() => this.#store.nextDueAt(after));
  excess = () => this.#store.excess();
  open = () => this.#asked(() => this.#store.open());
  onMoved = (moved: (id: string) => void) => this.#store.onMoved(moved);

  /** A process that is lost gets no reply. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    this.#pending += 1;
    try {
      const reply = await ask();
      return this.isClosed ? new Promise(() => {}) : reply;
    } catch (error) {
      if (this.isClosed) return new Promise(() => {});
      throw error;
    } finally {
      this.#pending -= 1;
    }
  }
}
