/**
 * Which execution a job id of the caller's choice stands for, as long as that is kept. An id belongs to its user: the same
 * one means something else to another. Callers without identity share theirs, as they share what they have started.
 */
export class JobIds {
  readonly #executions = new Map<string, string>();
  readonly #byExecution = new Map<string, string>();

  find(user: string | undefined, jobId: string): string | undefined {
    return this.#executions.get(nameOf(user, jobId));
  }

  keep(user: string | undefined, jobId: string, executionId: string): void {
    const name = nameOf(user, jobId);
    this.#executions.set(name, executionId);
    this.#byExecution.set(executionId, name);
  }

  drop(executionId: string): void {
    const name = this.#byExecution.get(executionId);
    if (name === undefined) return;
    this.#byExecution.delete(executionId);
    this.#executions.delete(name);
  }
}

const nameOf = (user: string | undefined, jobId: string): string => JSON.stringify([user ?? null, jobId]);
