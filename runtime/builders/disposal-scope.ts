/** The resources of a builder, closed in reverse order. All closers run. */
import type { Scope } from '../authoring/workflow.ts';

export class DisposalScope implements Scope {
  readonly #abort = new AbortController();
  #closers: (() => unknown)[] = [];
  #closed: Promise<void> | undefined;
  readonly #report: (error: unknown) => void;

  /** `report` gets errors that occur after the scope was closed. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Number of open resources. */
  get size(): number {
    return this.#closers.length;
  }

  defer(close: () => unknown): void {
    if (this.#closed === undefined) this.#closers.push(close);
    else void Promise.resolve().then(close).catch(this.#report);
  }

  /** Rejects with an AggregateError of all errors of the closers, after all have run. A second call waits too. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#abort.abort();
    const errors: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Some resources could not be closed.');
  }
}
