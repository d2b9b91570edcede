/** Deletes all stored data of one execution. */
import type { Removal } from './changes.ts';
import type { Writer } from './group-commit.ts';

export class RemovalWriter implements Writer {
  readonly #removal: Removal;

  constructor(id: string, n?: number) {
    this.#removal = { change: 'removal', id, n };
  }

  get name(): string {
    return `the removal of execution ${this.#removal.id}`;
  }

  changes(): readonly Removal[] {
    return [this.#removal];
  }

  written(): void {}

  lost(): void {}
}
