/** The data of one execution is damaged, or cannot be stored. Other executions are not affected. */
import { Failure } from '../errors.ts';

/** `execution_damaged`: the data differs from what was written. */
export const damaged = (id: string, how: string, cause?: unknown): Failure =>
  new Failure('execution_damaged', { detail: `The stored data of execution ${id} is damaged: ${how}.`, cause });
