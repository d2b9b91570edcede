/** The executions there are, found by id and by owner. */
import type { Execution } from './execution.ts';

export interface ListFilter {
  /** Only those of which it holds. */
  readonly where?: ((execution: Execution) => boolean) | undefined;
  readonly workflow?: string | undefined;
  /** Executions started before this one; the id ending the page before. */
  readonly before?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

export interface ExecutionPage {
  /** Newest first. */
  readonly executions: readonly Execution[];
  /** Ask for `before` this id to get the next page; undefined if there is none. */
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

  /** Of one owner; undefined: of everybody. */
  page(owner: string | undefined, { where, workflow, before, limit }: ListFilter): ExecutionPage {
    const all = [...(owner === undefined ? this.#byId.values() : (this.#byOwner.get(owner) ?? []))];
    const end = before === undefined ? all.length : all.findIndex(({ id }) => id === before);
    const executions: Execution[] = [];
    for (let index = end - 1; index >= 0; index -= 1) {
      const execution = all[index]!;
      if (where !== undefined && !where(execution)) continue;
      if (workflow !== undefined && execution.context.workflow !== workflow) continue;
      if (executions.length === limit) return { executions, next: executions.at(-1)!.id };
      executions.push(execution);
    }
    return { executions, next: undefined };
  }
}
