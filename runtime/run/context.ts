import type { JournalEntry } from '../../machines/facts.ts';
import type {
  AuthorizeOptions,
  Branches,
  Context,
  Log,
  RequestInfo,
  Span,
  SpanKind,
  SpanOptions,
  Step,
  Trace,
} from '../authoring/context.ts';
import {
  InteractionUnavailableError,
  rebuilt,
  StepContextError,
  TimeoutError,
  WithdrawnError,
} from '../authoring/errors.ts';
import type { Jsonify } from '../authoring/jsonify.ts';
import {
  type Answer,
  type NotificationAnswer,
  notification,
  type Prompt,
  type Question,
} from '../authoring/prompts.ts';
import { newId } from '../executions/ids.ts';
import { copyJson, toJson } from '../json.ts';
import { authorsLog, silentLog } from '../log.ts';
import type { AccessToken } from '../oauth/oauth.ts';
import { authorize, subjectOf } from './authorize.ts';
import { all, branch, race } from './branches.ts';
import { type PauseFact, placeOf } from './calls.ts';
import type { RunCalls } from './run-calls.ts';
import { type SleepFact, slept } from './sleep.ts';
import { startSpan } from './spans.ts';
import { StepWork, stepKey } from './step-work.ts';
import type { Position } from './thread.ts';

const UNAVAILABLE = 'No human prompt callback was registered. Unable to handle requested prompt.';

export class RunContext implements Context {
  readonly #run: RunCalls;

  constructor(run: RunCalls) {
    this.#run = run;
  }

  get executionId(): string {
    return this.#run.execution.id;
  }
  get user(): string | undefined {
    return this.#run.asked.by.userId;
  }
  get conversationId(): string | undefined {
    return this.#run.asked.conversationId;
  }
  get userMessageId(): string | undefined {
    return this.#run.asked.userMessageId;
  }
  get request(): RequestInfo {
    return this.#run.asked.request;
  }
  get trace(): Trace {
    return this.#run.asked.trace;
  }
  get streaming(): boolean {
    return this.#run.asked.streaming;
  }
  get idempotencyKey(): string {
    const { step } = this.#run.position;
    return step === undefined ? this.#run.execution.id : stepKey(this.#run, step.call);
  }
  get signal(): AbortSignal {
    return this.#run.signal;
  }
  get log(): Log {
    if (this.#run.isReplaying) return silentLog; // it was already emitted
    return authorsLog(this.#run.deps.log, this.executionId);
  }

  /** Not `async`: a parked execution would keep the frame of the function until the answer. */
  prompt<A extends Answer>(
    question: Question<A>,
    { key, signal }: { key?: string; signal?: AbortSignal } = {},
  ): Promise<A> {
    if (question.prompt.input_type === 'notification')
      return this.notify(question as Question<NotificationAnswer>) as Promise<A>;
    const position = this.#run.position;
    const refused =
      this.#refused<A>(position, 'prompt') ?? this.#unasked<A>() ?? this.#unnamed<A>('key of a prompt', key ?? '');
    if (refused !== undefined) return refused;
    const { fallback } = question;
    const prompt = frozen(question.prompt);
    const dueAt = prompt.timeout === null ? null : prompt.timeout * 1000 + this.#run.deps.promptGraceMs;
    const asked: PromptFact = { type: 'interaction.requested', call: 0, after: 0, id: newId(), prompt, dueAt };
    if (fallback !== undefined) (asked as { fallback?: Answer }).fallback = copyJson(fallback);
    if (key !== undefined) (asked as { key?: string }).key = key;
    return this.#run.pause(asked, position, answered<A>, signal);
  }

  notify(given: string | Question<NotificationAnswer>): Promise<NotificationAnswer> {
    const run = this.#run;
    const position = run.position;
    const refused = this.#refused<NotificationAnswer>(position, 'notify') ?? this.#unasked<NotificationAnswer>();
    if (refused !== undefined) return refused;
    const prompt = frozen((typeof given === 'string' ? notification({ text: given }) : given).prompt);
    const fact = { type: 'notification.sent', call: 0, after: 0, prompt } as const;
    const made = run.make(fact, position);
    return made === undefined ? new Promise(() => {}) : this.#soon(async () => acknowledged());
  }

  authorize(provider: string, options: AuthorizeOptions = {}): Promise<AccessToken> {
    const position = this.#run.position;
    const refused =
      this.#refused<AccessToken>(position, 'authorize') ?? this.#unnamed<AccessToken>('name of a provider', provider);
    return refused ?? handled(authorize(this.#run, position, provider, options));
  }

  revoke(provider: string): Promise<boolean> {
    const unnamed = this.#unnamed<boolean>('name of a provider', provider);
    if (unnamed !== undefined) return unnamed;
    return this.step(`revoke ${provider}`, () => this.#run.deps.oauth.disconnect(subjectOf(this.#run), provider));
  }

  step<T>(name: string, work: (step: Step) => Promise<T> | T): Promise<Jsonify<T>> {
    const run = this.#run;
    const position = run.position;
    const refused =
      this.#refused<Jsonify<T>>(position, 'step', name) ?? this.#unnamed<Jsonify<T>>('name of a step', name);
    if (refused !== undefined) return refused;
    const fact = { type: 'step.started', call: 0, after: 0, name } as const;
    const own: { stack?: string | undefined } = {};
    // An unfinished step counts as new: it runs again, after all other calls.
    const made = run.make(fact, position, (_, begun) => new StepWork(run, this, begun, position, work, own).start());
    if (made === undefined) return new Promise(() => {});
    if (made.isReplayed && !run.hasEnded(made.fact.call))
      run.once(`step ${JSON.stringify(name)}, again`, () =>
        new StepWork(run, this, { ...placeOf(made.fact), type: 'step.started', name }, position, work, own).start(),
      );
    return run.ended(made.fact.call, position, (_, entry) => {
      if (entry.type === 'step.completed') return copyJson(entry.value) as Jsonify<T>;
      const { name: kind, message, data } = entry as Extract<JournalEntry, { type: 'step.failed' }>;
      const error = rebuilt(kind, message, copyJson(data));
      if (own.stack !== undefined) error.stack = own.stack;
      throw error;
    });
  }

  branch<T>(name: string, work: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
    return (
      this.#refused<T>(this.#run.position, 'branch', name) ??
      this.#unnamed<T>('name of a branch', name) ??
      this.#soon(() => branch(this.#run, name, work))
    );
  }

  all(branches: Branches): Promise<never> {
    return (
      this.#refused<never>(this.#run.position, 'all') ?? this.#soon(() => all(this.#run, branches) as Promise<never>)
    );
  }

  race(branches: Branches): Promise<never> {
    return (
      this.#refused<never>(this.#run.position, 'race') ?? this.#soon(() => race(this.#run, branches) as Promise<never>)
    );
  }

  continueAs(input: unknown): Promise<never> {
    const run = this.#run;
    const refused = this.#refused<never>(run.position, 'continueAs');
    if (refused !== undefined) return refused;
    try {
      run.continueAs(toJson(input, 'The input of continueAs'));
    } catch (error) {
      return this.#soon(() => Promise.reject(error));
    }
    return new Promise(() => {});
  }

  /** For calls without a fact that settles them: they settle at once, unless there are too many in a row. */
  #soon<T>(settle: () => Promise<T>): Promise<T> {
    const { breath } = this.#run;
    return handled(breath === undefined ? settle() : breath.then(settle));
  }

  /** Rejects a call that waits, if it is not allowed here. */
  #refused<T>(position: Position, call: string, name?: string): Promise<T> | undefined {
    const { step } = position;
    const late = this.#run.refusal<T>(position);
    if (late !== undefined || step === undefined) return late;
    const message =
      `ctx.${call}${typeof name === 'string' ? ` ${JSON.stringify(name)}` : ''} was called inside of step ${JSON.stringify(step.name)}, which is not called again once it has ended: ` +
      'call it before or after the step. Inside of one there are emit, span, log, signal and idempotencyKey.';
    return this.#soon(() => Promise.reject(new StepContextError(message)));
  }

  /** Rejects a journaled call with an invalid name. */
  #unnamed<T>(what: string, name: unknown): Promise<T> | undefined {
    if (typeof name === 'string') return undefined;
    return this.#soon(() =>
      Promise.reject(new TypeError(`The ${what} has to be a text, and is of type ${typeof name}.`)),
    );
  }

  /** Rejects if the caller's route cannot reach a person. */
  #unasked<T>(): Promise<T> | undefined {
    if (this.#run.asked.interactive) return undefined;
    return this.#soon(() => Promise.reject(new InteractionUnavailableError(UNAVAILABLE)));
  }

  emit(value: unknown): void {
    this.#run.note({ type: 'output.emitted', call: 0, after: 0, value: toJson(value, 'Output') });
  }

  sleep(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const run = this.#run;
    const position = run.position;
    const refused = this.#refused<void>(position, 'sleep');
    if (refused !== undefined) return refused;
    if (!Number.isFinite(ms))
      return this.#soon(() => Promise.reject(new RangeError(`sleep takes milliseconds, got ${ms}`)));
    const fact: SleepFact = { type: 'sleep.started', call: 0, after: 0, id: newId(), dueAt: Math.max(0, ms) };
    return run.pause(fact, position, slept, signal);
  }

  now(): number {
    return this.#recorded('now', this.#run.deps.now());
  }

  random(): number {
    return this.#recorded('random', this.#run.deps.random());
  }

  span(kind: SpanKind, name: string, options: SpanOptions = {}): Span {
    const own = this.#run.functionId;
    const parentId = own ?? this.trace.parentId ?? 'root';
    return startSpan(this.#run, { parentId, functionId: own ?? 'root', kind, name }, options);
  }

  observe(traceId: string): void {
    if (this.#run.position.step === undefined) this.#run.note({ type: 'trace.identified', call: 0, after: 0, traceId });
  }

  /** Calls inside a step are not repeated, so they are not recorded. */
  #recorded(name: string, value: number): number {
    const position = this.#run.position;
    if (position.step !== undefined) return value;
    return this.#run.note({ type: 'value.recorded', call: 0, after: 0, name, value }, position).value as number;
  }
}

/**
 * An author who starts several calls at once may await one only after the execution has ended and all have rejected.
 * Node would end the process for it, and with it all other executions.
 */
const handled = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {});
  return promise;
};

type PromptFact = Extract<PauseFact, { type: 'interaction.requested' }>;

/** A prompt that its author cannot change any more. The prompt functions return such prompts. */
const frozen = (prompt: Prompt): Prompt =>
  Object.isFrozen(prompt) ? prompt : (toJson(prompt, 'The prompt') as Prompt);

const answered = <A extends Answer>({ prompt, fallback }: PromptFact, closed: JournalEntry): A => {
  if (closed.type === 'interaction.answered') return copyJson(closed.answer) as A;
  if (closed.type === 'interaction.withdrawn') throw new WithdrawnError('The prompt was withdrawn.');
  if (fallback !== undefined) return copyJson(fallback) as A;
  throw new TimeoutError(`HITL prompt timed out after ${prompt.timeout}s waiting for human response`);
};

const acknowledged = (): NotificationAnswer => ({ kind: 'notification', text: 'Notification acknowledgement.' });
