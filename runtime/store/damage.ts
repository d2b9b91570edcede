/** What is stored of one execution is damaged, or cannot be stored: nothing is wrong with any other. */
import { Failure } from '../errors.ts';

/** `execution_damaged`: what was read is not what was written. */
export const damaged = (id: string, how: string, cause?: unknown): Failure =>
  new Failure('execution_damaged', { detail: `What is stored of execution ${id} is damaged: ${how}.`, cause });
