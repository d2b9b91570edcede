/** Finds executions by id and by owner: those in memory, and those in a store. */
import { setImmediate } from 'node:timers/promises';
import { firstAwaited, standOf } from '../../machines/standing.ts';
import type { Log } from '../authoring/context.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import type { Archive, Archived, ListedRow, SharedArchive } from '../store/archive.ts';
import { damaged } from '../store/damage.ts';
import type { ListedView } from '../store/outline.ts';
import { cursorAt, type ExecutionFilter, readCursor } from '../store/query.ts';
import type { Execution } from './execution.ts';

export interface ExecutionPage {
  /** Newest first. */
  readonly executions: readonly ListedView[];
  /** For `before`, to get the next page; undefined if there is none. */
  readonly next: string | undefined;
}

/** Bytes of journals that are read for one page, if their rows do not suffice; about 5 ms per megabyte. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

export class Executions {
  readonly #byId = new Map<string, Execution>();
  /** Those that are being read. */
  readonly #loading = new Map<string, Promise<Execution | undefined>>();
  readonly #byOwner = new Map<string, Set<Execution>>();
  readonly #archive: Archive | undefined;
  /** Undefined: no other process changes them. */
  readonly #shared: SharedArchive | undefined;
  readonly #restore: (id: string, archived: Archived) => Execution;
  readonly #loaded: (execution: Execution) => void;
  readonly #deleted: (execution: Execution) => void;
  readonly #log: Log;
  /** Ids of executions that cannot be read. */
  readonly #damaged = new Set<string>();
  /** Resolves when the earlier visits have ended. */
  #visiting: Promise<void> = Promise.resolve();

  /** `loaded` gets executions that are loaded into memory, `deleted` those that another process has deleted. */
  constructor(
    archive: Archive | undefined,
    restore: (id: string, archived: Archived) => Execution,
    loaded: (execution: Execution) => void,
    deleted: (execution: Execution) => void,
    log: Log,
  ) {
    this.#log = log;
    this.#archive = archive;
    this.#shared = archive?.shared;
    this.#deleted = deleted;
    this.#restore = restore;
    this.#loaded = loaded;
  }

  /** The execution, if it is in memory. */
  all(): Execution[] {
    return [...this.#byId.values()];
  }

  /** Number of executions that were found unreadable. */
  get damaged(): number {
    return this.#damaged.size;
  }

  /** It was found unreadable. */
  isDamaged(id: string): boolean {
    return this.#damaged.has(id);
  }

  /**
   * Loads it into memory, or brings it up to date there, if other processes may have changed it. So a caller gets every change that
   * was acknowledged before. Throws `execution_damaged` if it cannot be read.
   */
  get(id: string): Awaitable<Execution | undefined> {
    const present = this.#byId.get(id);
    if (present === undefined) return this.#load(id);
    return this.#isCurrent(present) ? present : this.refresh(present);
  }

  #isCurrent({ id, context }: Execution): boolean {
    return this.#shared === undefined || this.#shared.isCurrent(id, context.seq);
  }

  /** Brings an execution in memory up to date. Undefined if it was deleted. */
  async refresh(present: Execution): Promise<Execution | undefined> {
    const { id } = present;
    while (present.isCommitting) await present.keeping?.catch(nothing); // facts of this process
    if (this.#byId.get(id) !== present) return this.get(id); // it has left memory meanwhile
    if (this.#isCurrent(present)) return present;
    const news = await this.#shared!.refresh(id);
    if (this.#byId.get(id) !== present || present.isCommitting) return this.get(id);
    if (news === undefined) {
      this.#deleted(present);
      return undefined;
    }
    try {
      present.follow(news.read(present.context.seq).entries, news.isElsewhere);
    } catch (cause) {
      this.#deleted(present);
      throw this.#faultOf(id, cause);
    }
    return present;
  }

  inMemory(id: string): Execution | undefined {
    return this.#byId.get(id);
  }

  /** Callers that ask while it is being read share one read: an execution is in memory once. */
  #load(id: string): Awaitable<Execution | undefined> {
    const loading = this.#loading.get(id);
    // A read that is under way may be older than a change that was acknowledged since.
    if (loading !== undefined) return this.#shared === undefined ? loading : loading.then(() => this.get(id));
    const read = this.#read(id);
    if (!(read instanceof Promise)) return this.#take(read);
    const loaded = read.then((execution) => this.#take(execution)).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loaded);
    return loaded;
  }

  #take(execution: Execution | undefined): Execution | undefined {
    if (execution === undefined) return undefined;
    this.add(execution);
    this.#loaded(execution);
    return execution;
  }

  #read(id: string): Awaitable<Execution | undefined> {
    try {
      const archived = this.#archive?.find(id);
      if (!(archived instanceof Promise)) return archived && this.#restore(id, archived);
      return archived
        .then((found) => found && this.#restore(id, found))
        .catch((cause: unknown) => {
          throw this.#faultOf(id, cause);
        });
    } catch (cause) {
      throw this.#faultOf(id, cause);
    }
  }

  /** A store that cannot be asked says nothing about the execution. */
  #faultOf(id: string, cause: unknown): Failure {
    const code = cause instanceof Failure ? cause.code : undefined;
    if (code === 'store_unavailable') return cause as Failure;
    this.#archive?.release(id);
    const isKnown = code === 'execution_damaged';
    const failure = isKnown
      ? (cause as Failure)
      : damaged(id, cause instanceof Error ? cause.message : String(cause), cause);
    if (!this.#damaged.has(id)) {
      this.#log.error(
        { executionId: id, err: failure },
        'the stored data of an execution is damaged: it is left alone',
      );
    }
    this.#damaged.add(id);
    return failure;
  }

  add(execution: Execution): void {
    const { executionId, owner } = execution.context;
    this.#byId.set(executionId, execution);
    if (owner === null || this.#archive !== undefined) return;
    const owned = this.#byOwner.get(owner);
    if (owned === undefined) this.#byOwner.set(owner, new Set([execution]));
    else owned.add(execution);
  }

  remove(execution: Execution): void {
    const { executionId, owner } = execution.context;
    if (this.#byId.get(executionId) !== execution) return; // another one has replaced it
    this.#byId.delete(executionId);
    this.#archive?.release(executionId);
    const owned = owner === null ? undefined : this.#byOwner.get(owner);
    if (owned?.delete(execution) === true && owned.size === 0) this.#byOwner.delete(owner!);
  }

  /** Of one owner; undefined: of all. Throws `request_invalid` for an invalid `before`. */
  page(owner: string | undefined, filter: ExecutionFilter): Awaitable<ExecutionPage> {
    if (this.#archive !== undefined) {
      return andThen(this.#archive.page(owner, filter), ({ rows, next }) =>
        andThen(this.#seen(rows), ({ executions, looked }) => {
          const last = executions.at(-1);
          return { executions, next: looked === rows.length || last === undefined ? next : cursorAt(last.context) };
        }),
      );
    }
    const { status, workflow, id = '', before, limit } = filter;
    const all = owner === undefined ? this.all() : [...(this.#byOwner.get(owner) ?? [])];
    const executions: Execution[] = [];
    for (let index = before === undefined ? all.length - 1 : behind(all, before); index >= 0; index -= 1) {
      const execution = all[index]!;
      if (status !== undefined && standOf(execution.context) !== status) continue;
      if (workflow !== undefined && execution.context.workflow !== workflow) continue;
      if (!execution.id.startsWith(id)) continue;
      if (executions.length === limit) return { executions, next: cursorAt(executions.at(-1)!.context) };
      executions.push(execution);
    }
    return { executions, next: undefined };
  }

  /**
   * Visits executions that wait for a person: at least the `limit` that have waited longest, if there are that many.
   * Journals that have to be read are read a few at a time, with turns of the event loop between them, and for one
   * caller after another.
   */
  awaiting(owner: string | undefined, limit: number, visit: (execution: ListedView) => void): Promise<void> {
    const archive = this.#archive;
    if (archive !== undefined) {
      const visited = this.#visiting.then(async () => this.#visitAll(await archive.awaiting(owner, limit), visit));
      this.#visiting = visited.catch(() => {});
      return visited;
    }
    const all = owner === undefined ? this.#byId.values() : (this.#byOwner.get(owner) ?? []);
    for (const execution of all) if (firstAwaited(execution.context) !== undefined) visit(execution);
    return Promise.resolve();
  }

  async #visitAll(rows: readonly ListedRow[], visit: (execution: ListedView) => void): Promise<void> {
    for (let from = 0; from < rows.length; ) {
      const { executions, looked } = await this.#seen(from === 0 ? rows : rows.slice(from));
      executions.forEach(visit);
      from += looked;
      if (from < rows.length) await setImmediate();
    }
  }

  /**
   * For reading only: executions are not loaded into memory for it. A journal is read synchronously as a whole, so only
   * the first large ones are read. `looked` is the number of checked rows.
   */
  #seen(rows: readonly ListedRow[], seen: Seen = { executions: [], looked: 0, bytes: 0 }): Awaitable<Seen> {
    while (seen.looked < rows.length && seen.bytes <= MAX_PAGE_BYTES) {
      const { id, view } = rows[seen.looked]!;
      seen.looked += 1;
      if (this.#damaged.has(id)) continue;
      const present = this.#upToDate(id) ?? view;
      if (present !== undefined) {
        seen.executions.push(present);
        continue;
      }
      const read = this.#glance(id);
      if (read instanceof Promise) {
        return read.then((execution) => {
          this.#addSeen(seen, id, execution);
          return this.#seen(rows, seen);
        });
      }
      this.#addSeen(seen, id, read);
    }
    return seen;
  }

  /** It may have come into memory while it was read: then that one counts, and keeps its journal. */
  #addSeen(seen: Seen, id: string, read: Execution | undefined): void {
    const execution = this.#upToDate(id) ?? read;
    if (execution === undefined) return;
    seen.executions.push(execution);
    if (this.#byId.has(id) || this.#loading.has(id)) return;
    seen.bytes += this.#archive?.bytesOf(id) ?? 0;
    this.#archive?.release(id);
  }

  #upToDate(id: string): Execution | undefined {
    const present = this.#byId.get(id);
    return present !== undefined && this.#isCurrent(present) ? present : undefined;
  }

  /** One that is damaged is left out: the log names it. */
  #glance(id: string): Awaitable<Execution | undefined> {
    try {
      const read = this.#read(id);
      return read instanceof Promise ? read.catch(unlessUnavailable) : read;
    } catch (error) {
      return unlessUnavailable(error);
    }
  }
}

interface Seen {
  readonly executions: ListedView[];
  looked: number;
  /** Of the journals that were read. */
  bytes: number;
}

const nothing = (): void => {};

const unlessUnavailable = (error: unknown): undefined => {
  if (error instanceof Failure && error.code === 'store_unavailable') throw error;
};

/**
 * Index of the first one of the next page. If the cursor's execution was deleted, none that was started in the same
 * millisecond is left out.
 */
const behind = (all: readonly Execution[], cursor: string): number => {
  const { startedAt, id } = readCursor(cursor);
  const end = all.findIndex((execution) => execution.id === id);
  return end >= 0 ? end - 1 : all.findLastIndex(({ context }) => context.startedAt <= startedAt);
};
