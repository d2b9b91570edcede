/** All that can happen to an execution, as data: what its machine is sent, and what its journal keeps. */
import type { Answer, Prompt } from './prompts.ts';

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
/** Where it was thrown: for operators, and for no one else. */
export type Thrown = ExecutionError & { readonly stack?: string };
export type ExecutionErrorCode =
  | 'workflow_error'
  | 'cancelled'
  | 'abandoned'
  | 'interrupted'
  | 'build_failed'
  | 'journal_full'
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
 * Where a call of `ctx` was made. A call that is made again, when a run is executed again, finds by this what it led to.
 * Journals from before there were places have the number alone.
 */
export type CallPlace = {
  /** Unique within an execution. */
  readonly call: number;
  /** The call before this one on the same asynchronous thread: its number, or what else the thread had reached. */
  readonly after?: number | string;
  /** The branch that it belongs to: the number of the call that began it. */
  readonly branch?: number;
  /** Made behind an `await` that is not of `ctx`: at another moment in another life, perhaps. */
  readonly loose?: true;
  /** Of a loose call: the places in `Promise.all` and its like that lead to it; `?` if they cannot be known. */
  readonly fork?: string;
  /** The step that the call was made in, which is not made again once the step has ended: the number of its call. */
  readonly inStep?: number;
};

export type Fact =
  /** Opens every journal, and is the machine's input rather than an event. */
  | {
      readonly type: 'execution.started';
      readonly workflow: string;
      readonly owner: string | null;
      readonly form: string | null;
      /** Missing if there was none, which is something else than null. */
      readonly input?: unknown;
    }
  | { readonly type: 'slot.granted' }
  | (CallPlace & { readonly type: 'step.started'; readonly name: string })
  /** No value is `undefined`, which JSON has no word for. */
  | { readonly type: 'step.completed'; readonly call: number; readonly value?: unknown }
  /** `data` has those members of the error that are JSON, such as a `code`. */
  | {
      readonly type: 'step.failed';
      readonly call: number;
      readonly message: string;
      readonly name: string;
      readonly data?: Readonly<Record<string, unknown>>;
    }
  | (CallPlace & { readonly type: 'value.recorded'; readonly name: string; readonly value: unknown })
  | (CallPlace & { readonly type: 'branch.started'; readonly name: string })
  | (CallPlace & {
      readonly type: 'interaction.requested';
      readonly id: string;
      readonly prompt: Prompt;
      readonly fallback?: Answer;
      readonly dueAt: number | null;
      /** The author's name for the prompt, by which it is found again whatever its wording. */
      readonly key?: string;
    })
  | {
      readonly type: 'interaction.answered';
      readonly id: string;
      readonly answer: Answer;
      readonly by: string | null;
      readonly key?: string;
    }
  | { readonly type: 'interaction.expired'; readonly id: string }
  /** The run does not need it any more. */
  | { readonly type: 'interaction.withdrawn'; readonly id: string }
  | (CallPlace & {
      readonly type: 'oauth.requested';
      readonly id: string;
      readonly provider: string;
      readonly authUrl: string;
      readonly dueAt: number | null;
    })
  | { readonly type: 'oauth.granted'; readonly id: string }
  | { readonly type: 'oauth.refused'; readonly id: string; readonly reason: string }
  | { readonly type: 'oauth.expired'; readonly id: string }
  | { readonly type: 'oauth.withdrawn'; readonly id: string }
  | (CallPlace & { readonly type: 'sleep.started'; readonly id: string; readonly dueAt: number })
  | { readonly type: 'sleep.elapsed'; readonly id: string }
  | { readonly type: 'sleep.withdrawn'; readonly id: string }
  | (CallPlace & { readonly type: 'notification.sent'; readonly prompt: Prompt })
  | (CallPlace & { readonly type: 'output.emitted'; readonly value: unknown })
  /** A step that had been cut off runs again: what it had emitted is void, and comes anew. */
  | { readonly type: 'output.restarted'; readonly step: number }
  | (CallPlace & { readonly type: 'trace.emitted'; readonly step: TraceStep })
  /** An exporter gave the run an id in its own system; clients are told. */
  | (CallPlace & { readonly type: 'trace.identified'; readonly traceId: string })
  /** Every branch of the run waits, although some of them were told to go on and had nothing more to do. */
  | { readonly type: 'execution.parked' }
  /** Something that woke the run was told when all its branches waited: it has work again. */
  | { readonly type: 'execution.resumed' }
  /** What executed it is gone, with the process or with the store: it is executed again, from its journal. */
  | { readonly type: 'execution.recovered' }
  /** What is served does not do what the journal has: the execution waits for code that does, or to be ended. */
  | {
      readonly type: 'execution.blocked';
      /** The call that the journal has. */
      readonly expected: string;
      /** What came instead. */
      readonly came: string;
      /** Of the workflow that was tried. */
      readonly version: string;
    }
  /** It is tried again, if `version` is there with the code of that version from now on. */
  | { readonly type: 'execution.unblocked'; readonly version?: string }
  /** The function begins anew with another input; what happened before is over. */
  | { readonly type: 'execution.continued'; readonly input: unknown }
  | { readonly type: 'execution.completed'; readonly result: unknown }
  | { readonly type: 'execution.failed'; readonly error: Thrown }
  | { readonly type: 'retention.elapsed' }
  /** The store has dropped the journal; the last thing an execution hears. */
  | { readonly type: 'record.forgotten' };

/** A fact and when it happened: what the machine is sent. */
export type ExecutionEvent = Exclude<Fact, { type: 'execution.started' }> & { readonly at: number };

/** A fact in a journal, which all are but the last: numbered from 1, without gaps, in the order of their folding. */
export type JournalEntry = Fact & { readonly seq: number; readonly at: number };
