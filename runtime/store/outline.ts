/**
 * What a list shows of an execution. A durable store has it in the row of the execution, next to the searchable columns,
 * so that a list reads no journals.
 */
import type { ExecutionContext } from '../../machines/execution.ts';
import { type Phase, phaseOf } from '../../machines/standing.ts';

/** An execution in a list. */
export interface ListedView {
  readonly id: string;
  readonly phase: Phase;
  readonly isSettled: boolean;
  /** A large result may be left out: it is undefined then. See `isListed`. */
  readonly context: ListedContext;
}

export type ListedContext = Pick<
  ExecutionContext,
  'executionId' | 'workflow' | 'owner' | 'form' | 'startedAt' | 'settledAt' | 'pauses' | 'result' | 'error' | 'blocked'
>;

/** The columns of an execution that a list needs besides its outline. */
type Columns = Pick<ListedContext, 'workflow' | 'owner' | 'startedAt' | 'settledAt'> & { readonly id: string };

/** The members without a column. Absent: none. */
type Outline = { readonly phase: Phase } & {
  readonly [Name in 'form' | 'pauses' | 'result' | 'error' | 'blocked']: ListedContext[Name] | undefined;
};

/** Approximate characters of a result that lists show. */
const MAX_RESULT = 2_000;
/** Characters of an outline. */
const MAX_OUTLINE = 8_000;

/** Whether lists show a result. The answer is as cheap for a large result as for a small one. */
export const isListed = (result: unknown): boolean => roomAfter(result, MAX_RESULT) >= 0;

/**
 * Null if it would be long, because of large prompts: a list reads the journal then. `journalBytes`: a part of a small journal
 * is not measured.
 */
export const writeOutline = (
  context: ExecutionContext,
  tags: ReadonlySet<string>,
  journalBytes: number,
): string | null => {
  const { form, pauses, result, error, blocked, settledAt } = context;
  const isSmall = journalBytes <= MAX_RESULT;
  const outline: Outline = {
    phase: phaseOf({ tags }),
    form: form ?? undefined,
    pauses: pauses.length > 0 ? pauses : undefined,
    result: settledAt !== null && error === null && (isSmall || isListed(result)) ? result : undefined,
    error: error ?? undefined,
    blocked: blocked ?? undefined,
  };
  if (!isSmall && roomAfter(outline, MAX_OUTLINE) < 0) return null;
  const text = JSON.stringify(outline);
  return text.length > MAX_OUTLINE ? null : text;
};

/** Undefined without an outline, and for a damaged one: the journal says more. */
export const readOutline = (
  { id, workflow, owner, startedAt, settledAt }: Columns,
  text: string | null,
): ListedView | undefined => {
  const outline = text === null ? undefined : parsed(text);
  if (outline === undefined) return undefined;
  const { phase, form = null, pauses = [], error = null, blocked = null } = outline;
  const isCompleted = settledAt !== null && error === null;
  const result = isCompleted ? outline.result : null;
  const started = { executionId: id, workflow, owner, form, startedAt, settledAt };
  return { id, phase, isSettled: settledAt !== null, context: { ...started, pauses, result, error, blocked } };
};

const parsed = (text: string): Outline | undefined => {
  try {
    return JSON.parse(text) as Outline;
  } catch {
    return undefined;
  }
};

/** The room that is left after a JSON value; negative if it is too large. It stops there. */
const roomAfter = (value: unknown, room: number): number => {
  if (typeof value === 'string') return room - value.length;
  if (typeof value !== 'object' || value === null) return room - 4;
  let left = room - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index += 1) left = roomAfter(value[index], left);
    return left;
  }
  for (const key in value) {
    left = roomAfter((value as Record<string, unknown>)[key], left - key.length);
    if (left < 0) break;
  }
  return left;
};
