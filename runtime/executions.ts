/** The executions there are, found by id and by owner. */
import { Failure } from './errors.ts';
import type { Execution } from './execution.ts';

export interface ListFilter {
  /** Only those of which it holds. */
  readonly where?: ((execution: Execution) => boolean) | undefined;
  readonly workflow?: string | undefined;
  /** What `next` of the page before said. */
  readonly before?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

export interface ExecutionPage {
  /** Newest first. */
  readonly executions: readonly Execution[];
  /** For `before`, to get the next page; undefined if there is none. */
  readonly next: string | undefined;
}

export class Executions {
  readonly #byId = new Map<string, Execution>();
  readonly #byOwner = new Map<string, Set<Execution>>();

  get size(): number {
    return this.#byId.size;
  }

  live(): Execution[] {
    return [...this.#byId.values()].filter(({ isSettled }) => !isSettled);
  }

  get(id: string): Execution | undefined {
    return this.#byId.get(id);
  }

  add(execution: Execution): void {
    const { executionId, owner } = execution.context;
    this.#byId.set(executionId, execution);
    if (owner === null) return;
    const owned = this.#byOwner.get(owner);
    if (owned === undefined) this.#byOwner.set(owner, new Set([execution]));
    else owned.add(execution);
  }

  remove(execution: Execution): void {
    const { executionId, owner } = execution.context;
    this.#byId.delete(executionId);
    const owned = owner === null ? undefined : this.#byOwner.get(owner);
    if (owned?.delete(execution) === true && owned.size === 0) this.#byOwner.delete(owner!);
  }

  /** Of one owner; undefined: of everybody. Throws `request_invalid` for a `before` that no page has given. */
  page(owner: string | undefined, { where, workflow, before, limit }: ListFilter): ExecutionPage {
    const all = [...(owner === undefined ? this.#byId.values() : (this.#byOwner.get(owner) ?? []))];
    const executions: Execution[] = [];
    for (let index = before === undefined ? all.length - 1 : behind(all, before); index >= 0; index -= 1) {
      const execution = all[index]!;
      if (where !== undefined && !where(execution)) continue;
      if (workflow !== undefined && execution.context.workflow !== workflow) continue;
      if (executions.length === limit) return { executions, next: cursorAt(executions.at(-1)!) };
      executions.push(execution);
    }
    return { executions, next: undefined };
  }
}

/** Where a page ends: the record may be forgotten before the next one is asked for, but the time of its start stays. */
const cursorAt = ({ context: { startedAt }, id }: Execution): string => `${startedAt}.${id}`;

/** Index of the first one of the next page. Of those started in the same moment as one that is gone none is left out. */
const behind = (all: readonly Execution[], cursor: string): number => {
  const [, startedAt, id] = /^(\d{1,16})\.(.+)$/.exec(cursor) ?? [];
  if (startedAt === undefined) {
    const detail = `before: expected the \`next\` of another page, got ${JSON.stringify(cursor.slice(0, 40))}.`;
    throw new Failure('request_invalid', { detail });
  }
  const end = all.findIndex((execution) => execution.id === id);
  return end >= 0 ? end - 1 : all.findLastIndex(({ context }) => context.startedAt <= Number(startedAt));
};
