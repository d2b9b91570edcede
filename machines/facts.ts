/** All facts of an execution, as data: the events of its machine, and the entries of its journal. */
import type { Answer, Prompt } from './prompts.ts';

/** A wait of the run. All times are epoch milliseconds; `dueAt: null` means no deadline. */
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

/** Whether a person can end it; a sleep ends by time only. */
export const isAwaited = (pause: Pause): pause is Interaction | Consent => pause.kind !== 'sleep';

/** The latest time of a JavaScript date; a deadline may be later. */
export const LAST_DATE = 8.64e15;

/** The deadline as a date. Answers are accepted for a grace period after it. */
export const shownDueAt = (pause: Pause): number | null => {
  const isTimed = pause.kind === 'interaction' && pause.prompt.timeout !== null;
  const dueAt = isTimed ? pause.openedAt + pause.prompt.timeout! * 1_000 : pause.dueAt;
  return dueAt === null ? null : Math.min(dueAt, LAST_DATE);
};

/** Why an execution failed. `name` is the class of the error that the workflow threw. */
export type ExecutionError = { readonly code: ExecutionErrorCode; readonly message: string; readonly name: string };
/** The stack, for operators only. */
type Thrown = ExecutionError & { readonly stack?: string };
export type ExecutionErrorCode =
  | 'workflow_error'
  | 'cancelled'
  | 'abandoned'
  | 'interrupted'
  | 'build_failed'
  | 'journal_full'
  | 'defect';

/** An intermediate step of a run, for tracers and chat interfaces. */
export type TraceStep = {
  readonly id: string;
  readonly parentId: string;
  /** Id of the step of the enclosing function; `root` for the outermost function, and if no step is recorded for it. */
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
 * The place of a call of `ctx`. A replay uses it to find the result of the same call. Old journals have only the
 * number.
 */
export type CallPlace = {
  /** Unique within an execution. */
  readonly call: number;
  /** The previous call on the same asynchronous thread: its number, or the last position of the thread. */
  readonly after?: number | string;
  /** The branch of the call: the number of the call that began the branch. */
  readonly branch?: number;
  /** Made after an `await` that is not a call of `ctx`, so its time may differ in a replay. */
  readonly loose?: true;
  /** For a loose call: its positions in `Promise.all` and similar calls; `?` if they cannot be known. */
  readonly fork?: string;
  /**
   * The step in which the call was made: the number of its call. The call is not repeated after the end of that step.
   */
  readonly inStep?: number;
};

/** What a fact that opens a pause says of the rest of the run. */
type Beside = {
  /** Another branch has work: the run does not wait yet. */
  readonly working?: true;
  /** A replay opened it before it had repeated all calls. So its end also comes before them in each later replay. */
  readonly again?: true;
};

export type Fact =
  /** The first fact of every journal. It is the machine's input rather than an event. */
  | {
      readonly type: 'execution.started';
      readonly workflow: string;
      readonly owner: string | null;
      readonly form: string | null;
      /** Missing without input, which is different from null. */
      readonly input?: unknown;
    }
  | { readonly type: 'slot.granted' }
  | (CallPlace & { readonly type: 'step.started'; readonly name: string })
  /** No value is `undefined`, because JSON cannot represent it. */
  | { readonly type: 'step.completed'; readonly call: number; readonly value?: unknown }
  /** `data` has the members of the error that are JSON, such as a `code`. */
  | {
      readonly type: 'step.failed';
      readonly call: number;
      readonly message: string;
      readonly name: string;
      readonly data?: Readonly<Record<string, unknown>>;
    }
  | (CallPlace & { readonly type: 'value.recorded'; readonly name: string; readonly value: unknown })
  | (CallPlace & { readonly type: 'branch.started'; readonly name: string })
  | (CallPlace &
      Beside & {
        readonly type: 'interaction.requested';
        readonly id: string;
        readonly prompt: Prompt;
        readonly fallback?: Answer;
        readonly dueAt: number | null;
        /** The author's name for the prompt. It identifies the prompt independent of its wording. */
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
  /** The run no longer needs it. */
  | { readonly type: 'interaction.withdrawn'; readonly id: string }
  | (CallPlace &
      Beside & {
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
  | (CallPlace & Beside & { readonly type: 'sleep.started'; readonly id: string; readonly dueAt: number })
  | { readonly type: 'sleep.elapsed'; readonly id: string }
  | { readonly type: 'sleep.withdrawn'; readonly id: string }
  | (CallPlace & { readonly type: 'notification.sent'; readonly prompt: Prompt })
  | (CallPlace & { readonly type: 'output.emitted'; readonly value: unknown })
  /** An interrupted step runs again: its earlier output is void. */
  | { readonly type: 'output.restarted'; readonly step: number }
  | (CallPlace & { readonly type: 'trace.emitted'; readonly step: TraceStep })
  /** An exporter gave the run an id in its own system. Clients see it. */
  | (CallPlace & { readonly type: 'trace.identified'; readonly traceId: string })
  /** All branches of the run wait. Some of them were resumed and had nothing more to do. */
  | { readonly type: 'execution.parked' }
  /** A resumed branch was notified after all branches had begun to wait: the run has work again. */
  | { readonly type: 'execution.resumed' }
  /** The run was lost, with the process or through a store failure. It is replayed from its journal. */
  | { readonly type: 'execution.recovered' }
  /** The served code does not match the journal. The execution waits for other code, or for its end. */
  | {
      readonly type: 'execution.blocked';
      /** The call in the journal. */
      readonly expected: string;
      /** The actual call. */
      readonly came: string;
      /** The version of the workflow that was tried. */
      readonly version: string;
    }
  /** The execution tries again. If `version` is present, it uses the code of that version from now on. */
  | { readonly type: 'execution.unblocked'; readonly version?: string }
  /** The function starts again with another input. Earlier facts no longer matter. */
  | { readonly type: 'execution.continued'; readonly input: unknown }
  | { readonly type: 'execution.completed'; readonly result: unknown }
  | { readonly type: 'execution.failed'; readonly error: Thrown }
  | { readonly type: 'retention.elapsed' }
  /** The store has deleted the journal. This is the last event of an execution. */
  | { readonly type: 'record.forgotten' };

/** A fact and its time: an event of the machine. */
export type ExecutionEvent = Exclude<Fact, { type: 'execution.started' }> & { readonly at: number };

/**
 * An entry of a journal. All facts except the last are entries, numbered from 1 without gaps, in the order of their
 * folding.
 */
export type JournalEntry = Fact & { readonly seq: number; readonly at: number };
