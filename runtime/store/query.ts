/** A query for executions, in pages, newest first. */
import type { ExecutionContext } from '../../machines/execution.ts';
import type { Stand } from '../../machines/standing.ts';
import { Failure } from '../errors.ts';

export interface ExecutionFilter {
  readonly status?: Stand | undefined;
  readonly workflow?: string | undefined;
  /** User id. Callers other than operators see only their own. */
  readonly owner?: string | undefined;
  /** The beginning of the id. */
  readonly id?: string | undefined;
  /** `next` of the previous page. */
  readonly before?: string | undefined;
  /** Maximum number. */
  readonly limit: number;
}

/** The end of a page. The record may be deleted before the next page, but its start time stays valid. */
export const cursorAt = ({ startedAt, executionId }: Pick<ExecutionContext, 'startedAt' | 'executionId'>): string =>
  `${startedAt}.${executionId}`;

/** Throws `request_invalid` for an invalid cursor. */
export const readCursor = (cursor: string): { startedAt: number; id: string } => {
  const [, startedAt, id] = /^(\d{1,16})\.(.+)$/.exec(cursor) ?? [];
  if (startedAt !== undefined && id !== undefined) return { startedAt: Number(startedAt), id };
  const detail = `before: expected the \`next\` of another page, got ${JSON.stringify(cursor.slice(0, 40))}.`;
  throw new Failure('request_invalid', { detail });
};
