/** What may happen to an execution of an `ExecutionStore`, in which state: the table of `docs/from-nat.md`. */
import type { FailureCode, RecordStatus } from '../../runtime/index.ts';

/** A consent and an answer were asked for in the order in which the name tells. */
export const storeStates = [
  'running',
  'waiting for an answer',
  'waiting for a consent',
  'waiting for a consent and an answer',
  'running with an answer',
  'running without an answer in time',
  'completed while it waited for an answer',
  'failed while it waited for an answer',
  'unknown',
] as const;

/** Where the event leads; a code: it is refused with that, and nothing has changed; `gone`: it was deleted. */
export type Outcome = RecordStatus | FailureCode | 'gone';

const R = 'running';
const I = 'interaction_required';
const O = 'oauth_required';
const C = 'completed';
const F = 'failed';
const over = 'execution_settled';
const refused = 'fact_refused';
const never = 'interaction_not_found';
const unknown = 'execution_not_found';
const gone = 'gone';

/** The columns are the states, in the order above. */
export const storeTable = {
  'an interaction is required': [I, I, O, O, I, I, over, over, unknown],
  'a consent is required': [O, I, O, O, O, O, over, over, unknown],
  'it is set running': [R, I, R, I, R, R, over, over, unknown],
  'it is set completed': [C, C, C, C, C, C, over, over, unknown],
  'it is set failed': [F, F, F, F, F, F, over, over, unknown],
  'the prompt is answered': [never, R, never, O, refused, refused, over, over, unknown],
  'another prompt is answered': [never, never, never, never, never, never, never, never, unknown],
  'the prompt takes too long': [R, R, O, O, R, R, C, F, gone],
  'expired ones are cleaned up': [R, I, O, O, R, R, C, F, gone],
  'the time to live passes': [R, R, O, O, R, R, gone, gone, gone],
  'it is removed': [gone, gone, gone, gone, gone, gone, gone, gone, gone],
} satisfies Record<string, readonly Outcome[]>;
