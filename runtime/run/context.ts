/** `ctx` for the author of a workflow: each call becomes a fact of the run's execution. */
import { randomUUID } from 'node:crypto';
import type { CallPlace, JournalEntry, TraceStep } from '../../machines/facts.ts';
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
  AuthorizationError,
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
import { Failure } from '../errors.ts';
import { newId } from '../executions/ids.ts';
import { copyJson, toJson, toJsonOrNull } from '../json.ts';
import { authorsLog, silentLog } from '../log.ts';
import type { AccessToken, Begun } from '../oauth/oauth.ts';
import { all, branch, race } from './branches.ts';
import { AUTHORIZE, type PauseFact } from './calls.ts';
import type { RunCalls } from './run-calls.ts';
import { StepWork, stepKey } from './step-work.ts';
import type { Position } from './thread.ts';

const UNAVAILABLE = 'No human prompt callback was registered. Unable to handle requested prompt.';
const CALLBACK_FAILED = 'Authentication callback failed';
const NO_CONSENT_PAGE = `${CALLBACK_FAILED}: this route cannot send a user to a consent page; use a versioned route.`;

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
    return refused ?? handled(this.#authorize(provider, options, position));
  }

  revoke(provider: string): Promise<boolean> {
    const unnamed = this.#unnamed<boolean>('name of a provider', provider);
    if (unnamed !== undefined) return unnamed;
    return this.step(`revoke ${provider}`, () => this.#run.deps.oauth.disconnect(this.#subject, provider));
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

  /**
   * One call may ask several times, because the token of a consent may be missing in a replay. So it first repeats its
   * earlier consents, and then checks for a token. Without a place for its consent it sleeps without a slot, and asks
   * again, up to the timeout of a consent.
   */
  async #authorize(
    provider: string,
    { scopes, rejected, signal }: AuthorizeOptions,
    position: Position,
  ): Promise<AccessToken> {
    const run = this.#run;
    const asked = { type: 'value.recorded', call: 0, after: 0, name: AUTHORIZE, value: { provider } } as const;
    let isDue!: () => void;
    const due = new Promise<void>((resolve) => {
      isDue = resolve;
    });
    const made = run.make(asked, position, () => isDue());
    if (made === undefined) return await new Promise(() => {});
    const { call } = made.fact;
    const record = (value: { provider: string; refused?: string }): Promise<void> => {
      run.record({ ...placeOf(made.fact), type: 'value.recorded', name: AUTHORIZE, value });
      return run.ended(call, position, () => {});
    };
    let consent: string | undefined;
    let waitedMs = 0;
    if (!made.isReplayed) await due;
    else {
      for (let before = made.fact as JournalEntry | undefined; before !== undefined; before = run.more(call)) {
        if (before.type === 'oauth.requested') consent = await run.resume(before, granted, position, signal);
        else if (before.type === 'sleep.started') waitedMs += await run.resume(before, waited, position, signal);
        else throwIfRefused(await run.ended(call, position, valueIn));
      }
    }
    try {
      if (!made.isReplayed && rejected) run.deps.oauth.reject(this.#subject, provider, rejected);
      let token = await this.#token(consent, provider, scopes);
      while (token === undefined) {
        if (!run.asked.interactive) {
          await run.breath;
          throw new InteractionUnavailableError(NO_CONSENT_PAGE);
        }
        const begun = this.#consentOf(provider, scopes, waitedMs);
        if (typeof begun !== 'number') {
          const { state: id, authUrl, expiresInMs } = begun;
          const dueAt = run.deps.now() + expiresInMs;
          const fact: ConsentFact = { ...placeOf(made.fact), type: 'oauth.requested', id, provider, authUrl, dueAt };
          consent = await run.pauseAgain(fact, granted, position, signal);
          return (await this.#token(consent, provider, scopes)) ?? lost(provider);
        }
        if (!made.isReplayed && waitedMs === 0) await record({ provider });
        const fact: SleepFact = {
          ...placeOf(made.fact),
          type: 'sleep.started',
          id: newId(),
          dueAt: run.deps.now() + begun,
        };
        waitedMs += await run.pauseAgain(fact, waited, position, signal);
        token = await this.#token(undefined, provider, scopes);
      }
      if (!made.isReplayed) await record({ provider });
      return token;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const refused = `${CALLBACK_FAILED}: ${error.message}`;
      await record({ provider, refused });
      throw new AuthorizationError(refused);
    }
  }

  /** A consent that was begun, or the delay until there may be a place for it. Milliseconds. */
  #consentOf(provider: string, scopes: readonly string[] | undefined, waitedMs: number): Begun | number {
    const { oauth, oauthTimeoutMs } = this.#run.deps;
    const address = this.#run.asked.request.client?.host;
    try {
      return oauth.ask({ provider, scopes, address, ...this.#subject });
    } catch (thrown) {
      const isFull = thrown instanceof Failure && thrown.code === 'queue_full';
      if (!isFull || waitedMs >= oauthTimeoutMs) throw thrown;
      return thrown.retryAfterMs ?? 1_000;
    }
  }

  get #subject(): { user: string | undefined; executionId: string } {
    return { user: this.user, executionId: this.executionId };
  }

  /** The token of the consent that was just given, else the stored one. */
  async #token(consent: string | undefined, provider: string, scopes: readonly string[] | undefined) {
    const { oauth } = this.#run.deps;
    return (consent && oauth.claim(consent)) || oauth.token(this.#subject, provider, scopes);
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
    return this.#span(own ?? this.trace.parentId ?? 'root', own ?? 'root', kind, name, options);
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

  #span(parentId: string, functionId: string, kind: SpanKind, name: string, options: SpanOptions): Span {
    const isFunction = kind === 'FUNCTION';
    const trace = (
      id: string,
      event: string,
      more: { input?: unknown; output?: unknown; chunk?: string },
    ): TraceStep => {
      const step = toJsonOrNull({ id, parentId, functionId, event, name, ...more }) as unknown as TraceStep | null;
      const shown = step ?? { id, parentId, functionId, event, name };
      return this.#run.note({ type: 'trace.emitted', call: 0, after: 0, step: shown }).step;
    };
    const { input } = options;
    const { id } = trace(options.id ?? randomUUID(), `${kind}_START`, { input });
    return {
      id,
      chunk: (chunk) => void trace(id, kind === 'LLM' ? 'LLM_NEW_TOKEN' : 'SPAN_CHUNK', { chunk }),
      end: (output) => void trace(id, `${kind}_END`, isFunction ? { input, output } : { output }),
      span: (innerKind, innerName, more = {}) =>
        this.#span(id, isFunction ? id : functionId, innerKind, innerName, more),
    };
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
type ConsentFact = Extract<PauseFact, { type: 'oauth.requested' }>;
type SleepFact = Extract<PauseFact, { type: 'sleep.started' }>;

/** A prompt that its author cannot change any more. The prompt functions return such prompts. */
const frozen = (prompt: Prompt): Prompt =>
  Object.isFrozen(prompt) ? prompt : (toJson(prompt, 'The prompt') as Prompt);

const placeOf = ({ call, after, branch, loose, fork }: CallPlace): CallPlace => ({
  call,
  ...(after !== undefined && { after }),
  ...(branch !== undefined && { branch }),
  ...(loose !== undefined && { loose }),
  ...(fork !== undefined && { fork }),
});

const answered = <A extends Answer>({ prompt, fallback }: PromptFact, closed: JournalEntry): A => {
  if (closed.type === 'interaction.answered') return copyJson(closed.answer) as A;
  if (closed.type === 'interaction.withdrawn') throw new WithdrawnError('The prompt was withdrawn.');
  if (fallback !== undefined) return copyJson(fallback) as A;
  throw new TimeoutError(`HITL prompt timed out after ${prompt.timeout}s waiting for human response`);
};

const acknowledged = (): NotificationAnswer => ({ kind: 'notification', text: 'Notification acknowledgement.' });

const slept = (_: SleepFact, closed: JournalEntry): void => {
  if (closed.type === 'sleep.withdrawn') throw new WithdrawnError('The sleep was withdrawn.');
};

/** The length of a sleep until there was a place. Milliseconds. */
const waited = ({ dueAt, ...asked }: SleepFact, closed: JournalEntry): number => {
  slept({ dueAt, ...asked }, closed);
  return dueAt - (asked as unknown as JournalEntry).at;
};

/** The consent that was given. */
const granted = ({ id, dueAt, ...asked }: ConsentFact, closed: JournalEntry): string => {
  if (closed.type === 'oauth.granted') return id;
  if (closed.type === 'oauth.withdrawn') throw new WithdrawnError('The consent was withdrawn.');
  if (closed.type === 'oauth.refused') throw new AuthorizationError(`${CALLBACK_FAILED}: ${closed.reason}`);
  const seconds = (dueAt! - (asked as unknown as JournalEntry).at) / 1000;
  throw new AuthorizationError(
    `${CALLBACK_FAILED}: Authentication flow timed out after ${seconds.toFixed(1)} seconds.`,
  );
};

/** The token was granted, and could not be stored. */
const lost = (provider: string): never => {
  throw new AuthorizationError(`${CALLBACK_FAILED}: the token of ${provider} is no longer there; ask again.`);
};

const valueIn = (_: undefined, entry: JournalEntry): unknown => ('value' in entry ? entry.value : undefined);

const throwIfRefused = (recorded: unknown): void => {
  const { refused } = (recorded ?? {}) as { refused?: string };
  if (refused !== undefined) throw new AuthorizationError(refused);
};
