/** What a builder has opened, and how it is closed: in reverse order, everything gets its turn. */
import type { Scope } from '../authoring/workflow.ts';

export class DisposalScope implements Scope {
  readonly #abort = new AbortController();
  #closers: (() => unknown)[] = [];
  #closed: Promise<void> | undefined;
  readonly #report: (error: unknown) => void;

  /** `report` is told what goes wrong after everything was closed, when nobody waits any more. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** How many resources are open. */
  get size(): number {
    return this.#closers.length;
  }

  defer(close: () => unknown): void {
    if (this.#closed === undefined) this.#closers.push(close);
    else void Promise.resolve().then(close).catch(this.#report);
  }

  /** Rejects with an AggregateError of whatever the closers threw, after all of them. Calling it again waits as well. */
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
