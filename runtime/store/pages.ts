/**
 * Pages of a list from the file. A filter without an index checks some thousand rows at once, and the next ones in
 * another turn of the event loop, for one list after another.
 */
import { setImmediate } from 'node:timers/promises';
import type { Awaitable } from '../awaitable.ts';
import type { PageOfRows } from './archive.ts';
import { cursorAt, type ExecutionFilter } from './query.ts';
import type { Checked, Reader, StartedRow } from './reader.ts';

export class Pages {
  readonly #reader: Pick<Reader, 'page'>;
  /** Resolves when the earlier lists were read. */
  #reading: Promise<void> = Promise.resolve();

  constructor(reader: Pick<Reader, 'page'>) {
    this.#reader = reader;
  }

  read(owner: string | undefined, filter: ExecutionFilter): Awaitable<PageOfRows> {
    const first = this.#reader.page(owner, filter);
    if (first.left === undefined) return pageOf(first);
    const read = this.#reading.then(() => this.#readOn(owner, filter, first));
    this.#reading = read.then(nothing, nothing);
    return read;
  }

  async #readOn(
    owner: string | undefined,
    filter: ExecutionFilter,
    { rows, left: begin }: Checked<StartedRow>,
  ): Promise<PageOfRows> {
    const all = [...rows];
    for (let below = begin; below !== undefined; ) {
      await setImmediate();
      const more = this.#reader.page(owner, { ...filter, limit: filter.limit - all.length }, below);
      all.push(...more.rows);
      if (more.isMore) return pageOf({ rows: all, isMore: true });
      below = more.left;
    }
    return pageOf({ rows: all, isMore: false });
  }
}

const nothing = (): void => {};

const pageOf = ({ rows, isMore }: Pick<Checked<StartedRow>, 'rows' | 'isMore'>): PageOfRows => {
  const last = rows.at(-1);
  const next = isMore && last !== undefined ? cursorAt({ startedAt: last.startedAt, executionId: last.id }) : undefined;
  return { rows, next };
};
