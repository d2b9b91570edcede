/** Which executions are asked for, page by page, the newest first. */
import type { ExecutionContext } from '../../machines/execution.ts';
import type { Stand } from '../../machines/standing.ts';
import { Failure } from '../errors.ts';

export interface ExecutionFilter {
  readonly status?: Stand | undefined;
  readonly workflow?: string | undefined;
  /** User id; who is no operator sees his own in any case. */
  readonly owner?: string | undefined;
  /** How the id begins. */
  readonly id?: string | undefined;
  /** What `next` of the page before said. */
  readonly before?: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** Where a page ends: the record may be forgotten before the next one is asked for, but the time of its start stays. */
export const cursorAt = ({ startedAt, executionId }: ExecutionContext): string => `${startedAt}.${executionId}`;

/** Throws `request_invalid` for what no page has given. */
export const readCursor = (cursor: string): { startedAt: number; id: string } => {
  const [, startedAt, id] = /^(\d{1,16})\.(.+)$/.exec(cursor) ?? [];
  if (startedAt !== undefined && id !== undefined) return { startedAt: Number(startedAt), id };
  const detail = `before: expected the \`next\` of another page, got ${JSON.stringify(cursor.slice(0, 40))}.`;
  throw new Failure('request_invalid', { detail });
};
