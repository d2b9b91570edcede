/** `ctx`, as the author of a workflow sees it: each call becomes a fact of the run's execution. */
import { randomUUID } from 'node:crypto';
import type { JournalEntry, TraceStep } from '../machines/facts.ts';
import type { AuthorizeOptions, Context, Log, RequestInfo, Span, SpanKind, SpanOptions, Trace } from './context.ts';
import { Failure } from './errors.ts';
import { newId } from './ids.ts';
import { silentLog } from './log.ts';
import type { AccessToken } from './oauth/oauth.ts';
import { type Answer, type NotificationAnswer, notification, type Question } from './prompts.ts';
import type { PauseFact, Run } from './run.ts';
import { AuthorizationError, EndedError, InteractionUnavailableError, TimeoutError, wordsOf } from './run-errors.ts';
import { toJson } from './to-json.ts';

const UNAVAILABLE = 'No human prompt callback was registered. Unable to handle requested prompt.';
const CALLBACK_FAILED = 'Authentication callback failed';
const NOBODY_TO_CONSENT = `${CALLBACK_FAILED}: this route can send nobody to a consent page; use a versioned route.`;

export class RunContext implements Context {
  readonly #run: Run;

  constructor(run: Run) {
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
    return this.#run.execution.id;
  }
  get signal(): AbortSignal {
    return this.#run.signal;
  }
  get log(): Log {
    if (this.#run.isReplaying) return silentLog; // it has said that already
    const { log } = this.#run.deps;
    const { executionId } = this;
    return {
      debug: (fields, message) => log.debug({ executionId, ...fields }, message),
      info: (fields, message) => log.info({ executionId, ...fields }, message),
      warn: (fields, message) => log.warn({ executionId, ...fields }, message),
      error: (fields, message) => log.error({ executionId, ...fields }, message),
    };
  }

  /** Not `async`: a parked execution would keep the frame of the function for as long as the person takes. */
  prompt<A extends Answer>(question: Question<A>): Promise<A> {
    const { prompt, fallback } = question;
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (prompt.input_type === 'notification') {
      return this.notify(question as Question<NotificationAnswer>) as Promise<A>;
    }
    const { promptGraceMs, now } = this.#run.deps;
    const dueAt = prompt.timeout === null ? null : now() + prompt.timeout * 1000 + promptGraceMs;
    const call = this.#run.nextCall();
    const asked: PromptFact = { type: 'interaction.requested', call, id: newId(), prompt, dueAt };
    return this.#run.pause(fallback === undefined ? asked : { ...asked, fallback }, answered<A>);
  }

  notify(given: string | Question<NotificationAnswer>): Promise<NotificationAnswer> {
    return handled(this.#notify(given));
  }

  authorize(provider: string, options: AuthorizeOptions = {}): Promise<AccessToken> {
    return handled(this.#authorize(provider, options));
  }

  revoke(provider: string): Promise<boolean> {
    return this.step(`revoke ${provider}`, () => this.#run.deps.oauth.disconnect(this.#subject, provider));
  }

  step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return handled(this.#step(name, work));
  }

  async #notify(given: string | Question<NotificationAnswer>): Promise<NotificationAnswer> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    const { prompt } = typeof given === 'string' ? notification({ text: given }) : given;
    await this.#run.record({ type: 'notification.sent', call: this.#run.nextCall(), prompt });
    return { kind: 'notification', text: 'Notification acknowledgement.' };
  }

  /**
   * One call may ask more than once: the token of a consent may be gone when the run is executed again. So it first goes
   * through what it has led to before, and then sees what it has.
   */
  async #authorize(provider: string, { scopes, rejected }: AuthorizeOptions): Promise<AccessToken> {
    const run = this.#run;
    const call = run.nextCall();
    let isNew = true;
    let consent: string | undefined;
    for (let before = run.before(call); before !== undefined; before = run.before(call)) {
      isNew = false;
      if (before.type === 'oauth.requested') consent = await run.resume(before, granted);
      else if (before.type === 'value.recorded' && before.name === 'authorize') {
        await run.passed(before);
        throwIfRefused(before.value);
      } else run.changed(`call ${call}, ${before.type}`, `call ${call}, authorize ${JSON.stringify(provider)}`);
    }
    try {
      if (isNew && rejected) run.deps.oauth.reject(this.#subject, provider, rejected);
      const token = await this.#token(consent, provider, scopes);
      if (token !== undefined) {
        if (consent === undefined) run.note({ type: 'value.recorded', call, name: 'authorize', value: null });
        return token;
      }
      if (!run.asked.interactive) throw new InteractionUnavailableError(NOBODY_TO_CONSENT);
      const { state: id, authUrl, expiresInMs } = run.deps.oauth.ask({ provider, scopes, ...this.#subject });
      const dueAt = run.deps.now() + expiresInMs;
      consent = await run.pause({ type: 'oauth.requested', call, id, provider, authUrl, dueAt }, granted);
      return (await this.#token(consent, provider, scopes)) ?? lost(provider);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const refused = `${CALLBACK_FAILED}: ${error.message}`;
      run.note({ type: 'value.recorded', call, name: 'authorize', value: { refused } });
      throw new AuthorizationError(refused);
    }
  }

  get #subject(): { user: string | undefined; executionId: string } {
    return { user: this.user, executionId: this.executionId };
  }

  /** Of the consent that was just given, else the one that is kept. */
  async #token(consent: string | undefined, provider: string, scopes: readonly string[] | undefined) {
    const { oauth } = this.#run.deps;
    return (consent && oauth.claim(consent)) || oauth.token(this.#subject, provider, scopes);
  }

  emit(value: unknown): void {
    this.#run.note({ type: 'output.emitted', call: this.#run.nextCall(), value: toJson(value, 'Output') });
  }

  async #step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const run = this.#run;
    const call = run.nextCall();
    const before = run.isReplaying ? await run.stepBefore(call, name) : undefined;
    if (before?.type === 'step.failed') throw Object.assign(new Error(before.message), { name: before.name });
    if (before !== undefined) return before.value as T;
    await run.record({ type: 'step.started', call, name });
    await run.slotted();
    let value: unknown;
    try {
      value = await work();
      if (value !== undefined) value = toJson(value, `The value of step ${name}`);
    } catch (error) {
      await run.record({ type: 'step.failed', call, ...wordsOf(error) }).catch(() => {}); // it may have ended meanwhile
      throw error;
    }
    await run.record(value === undefined ? { type: 'step.completed', call } : { type: 'step.completed', call, value });
    return value as T;
  }

  sleep(ms: number): Promise<void> {
    if (!Number.isFinite(ms)) return handled(Promise.reject(new RangeError(`sleep takes milliseconds, got ${ms}`)));
    const dueAt = this.#run.deps.now() + Math.max(0, ms);
    return this.#run.pause({ type: 'sleep.started', call: this.#run.nextCall(), id: newId(), dueAt }, () => {});
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
    this.#run.note({ type: 'trace.identified', call: this.#run.nextCall(), traceId });
  }

  /** Why nobody can be asked. */
  #refusal(): Error | undefined {
    if (this.#run.execution.hasEnded) return new EndedError('The execution has ended.');
    return this.#run.asked.interactive ? undefined : new InteractionUnavailableError(UNAVAILABLE);
  }

  #recorded(name: string, value: number): number {
    return this.#run.note({ type: 'value.recorded', call: this.#run.nextCall(), name, value }).value as number;
  }

  #span(parentId: string, functionId: string, kind: SpanKind, name: string, options: SpanOptions): Span {
    const isFunction = kind === 'FUNCTION';
    const trace = (
      id: string,
      event: string,
      more: { input?: unknown; output?: unknown; chunk?: string },
    ): TraceStep => {
      const step = toJson({ id, parentId, functionId, event, name, ...more }, `Span ${name}`) as unknown as TraceStep;
      return this.#run.note({ type: 'trace.emitted', call: this.#run.nextCall(), step }).step;
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
 * Whoever starts several things at once may look at one only after the execution has ended and all have failed. Node
 * would end the process for it, and with it everybody else's executions.
 */
const handled = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {});
  return promise;
};

type PromptFact = Extract<PauseFact, { type: 'interaction.requested' }>;
type ConsentFact = Extract<PauseFact, { type: 'oauth.requested' }>;

const answered = <A extends Answer>({ prompt, fallback }: PromptFact, closed: JournalEntry): A => {
  if (closed.type === 'interaction.answered') return closed.answer as A;
  if (fallback !== undefined) return fallback as A;
  throw new TimeoutError(`HITL prompt timed out after ${prompt.timeout}s waiting for human response`);
};

/** The consent that was given. */
const granted = ({ id, dueAt, ...asked }: ConsentFact, closed: JournalEntry): string => {
  if (closed.type === 'oauth.granted') return id;
  if (closed.type === 'oauth.refused') throw new AuthorizationError(`${CALLBACK_FAILED}: ${closed.reason}`);
  const seconds = (dueAt! - (asked as unknown as JournalEntry).at) / 1000;
  throw new AuthorizationError(
    `${CALLBACK_FAILED}: Authentication flow timed out after ${seconds.toFixed(1)} seconds.`,
  );
};

/** The token had been given, and could not be kept. */
const lost = (provider: string): never => {
  throw new AuthorizationError(`${CALLBACK_FAILED}: the token of ${provider} is no longer there; ask again.`);
};

const throwIfRefused = (recorded: unknown): void => {
  const { refused } = (recorded ?? {}) as { refused?: string };
  if (refused !== undefined) throw new AuthorizationError(refused);
};
