/** All that can happen to an execution, as data: what its machine is sent, and what its journal keeps. */
import type { Answer, Prompt } from '../runtime/prompts.ts';

/** Something the run waits for. All times are epoch milliseconds; `dueAt: null` waits without a limit of its own. */
export type Pause = {
  /** Unguessable; for a consent this is the OAuth `state`. */
  readonly id: string;
  readonly openedAt: number;
  readonly dueAt: number | null;
} & (
  | { readonly kind: 'interaction'; readonly prompt: Prompt; readonly fallback?: Answer }
  | { readonly kind: 'oauth'; readonly provider: string; readonly authUrl: string }
  | { readonly kind: 'sleep' }
);
export type Interaction = Extract<Pause, { kind: 'interaction' }>;
export type Consent = Extract<Pause, { kind: 'oauth' }>;

/** Whether a person can end it; a sleep only takes its time. */
export const isAwaited = (pause: Pause): pause is Interaction | Consent => pause.kind !== 'sleep';

/** The last time that a date can have; what a run waits for may be later. */
export const LAST_DATE = 8.64e15;

/** The deadline that was asked for, as a date can show it: an answer is still taken for a moment after that. */
export const shownDueAt = (pause: Pause): number | null => {
  const isTimed = pause.kind === 'interaction' && pause.prompt.timeout !== null;
  const dueAt = isTimed ? pause.openedAt + pause.prompt.timeout! * 1_000 : pause.dueAt;
  return dueAt === null ? null : Math.min(dueAt, LAST_DATE);
};

/** Why an execution failed. `name` is the class of the error a workflow threw. */
export type ExecutionError = { readonly code: ExecutionErrorCode; readonly message: string; readonly name: string };
export type ExecutionErrorCode =
  | 'workflow_error'
  | 'cancelled'
  | 'abandoned'
  | 'interrupted'
  | 'build_failed'
  | 'journal_full'
  | 'workflow_changed'
  | 'defect';

/** An intermediate step of a run, as tracers and chat interfaces show them. */
export type TraceStep = {
  readonly id: string;
  readonly parentId: string;
  /** Id of the step of the function around it; `root` for the outermost function, and where no step of it is recorded. */
  readonly functionId: string;
  /** `LLM_START`, `LLM_NEW_TOKEN`, `TOOL_END`, ... */
  readonly event: string;
  readonly name: string;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly chunk?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
};

/**
 * A fact that a run has caused has the number of the call that caused it: `ctx` numbers the calls of a run from 0. Calls that
 * are made again, when a run is executed again, find by it what they have led to.
 */
export type Fact =
  /** Opens every journal, and is the machine's input rather than an event. */
  | {
      readonly type: 'execution.started';
      readonly workflow: string;
      readonly owner: string | null;
      readonly form: string | null;
      readonly input: unknown;
    }
  | { readonly type: 'slot.granted' }
  | { readonly type: 'step.started'; readonly call: number; readonly name: string }
  /** No value is `undefined`, which JSON has no word for. */
  | { readonly type: 'step.completed'; readonly call: number; readonly value?: unknown }
  | { readonly type: 'step.failed'; readonly call: number; readonly message: string; readonly name: string }
  | { readonly type: 'value.recorded'; readonly call: number; readonly name: string; readonly value: unknown }
  | {
      readonly type: 'interaction.requested';
      readonly call: number;
      readonly id: string;
      readonly prompt: Prompt;
      readonly fallback?: Answer;
      readonly dueAt: number | null;
    }
  | {
      readonly type: 'interaction.answered';
      readonly id: string;
      readonly answer: Answer;
      readonly by: string | null;
      readonly key?: string;
    }
  | { readonly type: 'interaction.expired'; readonly id: string }
  | {
      readonly type: 'oauth.requested';
      readonly call: number;
      readonly id: string;
      readonly provider: string;
      readonly authUrl: string;
      readonly dueAt: number | null;
    }
  | { readonly type: 'oauth.granted'; readonly id: string }
  | { readonly type: 'oauth.refused'; readonly id: string; readonly reason: string }
  | { readonly type: 'oauth.expired'; readonly id: string }
  | { readonly type: 'sleep.started'; readonly call: number; readonly id: string; readonly dueAt: number }
  | { readonly type: 'sleep.elapsed'; readonly id: string }
  | { readonly type: 'notification.sent'; readonly call: number; readonly prompt: Prompt }
  | { readonly type: 'output.emitted'; readonly call: number; readonly value: unknown }
  | { readonly type: 'trace.emitted'; readonly call: number; readonly step: TraceStep }
  /** An exporter gave the run an id in its own system; clients are told. */
  | { readonly type: 'trace.identified'; readonly call: number; readonly traceId: string }
  /** Every branch of the run waits, although some of them were told to go on and had nothing more to do. */
  | { readonly type: 'execution.parked' }
  /** What executed it is gone, with the process or with the store: it is executed again, from its journal. */
  | { readonly type: 'execution.recovered' }
  | { readonly type: 'execution.completed'; readonly result: unknown }
  | { readonly type: 'execution.failed'; readonly error: ExecutionError }
  | { readonly type: 'retention.elapsed' }
  /** The store has dropped the journal; the last thing an execution hears. */
  | { readonly type: 'record.forgotten' };

/** A fact and when it happened: what the machine is sent. */
export type ExecutionEvent = Exclude<Fact, { type: 'execution.started' }> & { readonly at: number };

/** A fact in a journal, which all are but the last: numbered from 1, without gaps, in the order of their folding. */
export type JournalEntry = Fact & { readonly seq: number; readonly at: number };
