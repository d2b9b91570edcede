/** `ctx`, as the author of a workflow sees it: each call becomes a fact of the run's execution. */
import { randomUUID } from 'node:crypto';
import type { JournalEntry, TraceStep } from '../machines/facts.ts';
import type { Context, Log, RequestInfo, Span, SpanKind, SpanOptions, Trace } from './context.ts';
import { Failure } from './errors.ts';
import { newId } from './ids.ts';
import type { AccessToken } from './oauth/oauth.ts';
import { type Answer, type NotificationAnswer, notification, type Question } from './prompts.ts';
import type { PauseFact, Run } from './run.ts';
import { AuthorizationError, EndedError, InteractionUnavailableError, TimeoutError } from './run-errors.ts';
import { toJson } from './to-json.ts';

const UNAVAILABLE = 'No human prompt callback was registered. Unable to handle requested prompt.';

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

  authorize(provider: string, options: { scopes?: readonly string[] } = {}): Promise<AccessToken> {
    return handled(this.#authorize(provider, options));
  }

  step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    return handled(this.#step(name, work));
  }

  async #notify(given: string | Question<NotificationAnswer>): Promise<NotificationAnswer> {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    const { prompt } = typeof given === 'string' ? notification({ text: given }) : given;
    await this.#run.record({ type: 'notification.sent', prompt });
    return { kind: 'notification', text: 'Notification acknowledgement.' };
  }

  async #authorize(provider: string, { scopes }: { scopes?: readonly string[] }): Promise<AccessToken> {
    try {
      const { oauth } = this.#run.deps;
      const { user } = this;
      const cached = user === undefined ? undefined : await oauth.token(user, provider, scopes);
      if (cached !== undefined) return cached;
      if (!this.#run.asked.interactive) {
        throw new InteractionUnavailableError(
          'Authentication callback failed: this route can send nobody to a consent page; use a versioned route.',
        );
      }
      const flow = oauth.begin({ provider, user, executionId: this.executionId, ...(scopes && { scopes }) });
      const { state: id, authUrl, expiresInMs } = flow;
      const dueAt = this.#run.deps.now() + expiresInMs;
      const call = this.#run.nextCall();
      const refused = await this.#run.pause({ type: 'oauth.requested', call, id, provider, authUrl, dueAt }, refusalOf);
      const token = refused === undefined ? oauth.claim(id) : undefined;
      if (token !== undefined) return token;
      const late = `Authentication flow timed out after ${(expiresInMs / 1000).toFixed(1)} seconds.`;
      throw new AuthorizationError(`Authentication callback failed: ${refused ?? late}`);
    } catch (error) {
      if (error instanceof Failure) throw new AuthorizationError(`Authentication callback failed: ${error.message}`);
      throw error;
    }
  }

  emit(value: unknown): void {
    this.#run.note({ type: 'output.emitted', value: toJson(value, 'Output') });
  }

  async #step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const run = this.#run;
    const call = run.nextCall();
    await run.record({ type: 'step.started', call, name });
    await run.slotted();
    try {
      const value = await work();
      await run.record({ type: 'step.completed', call, value: toJson(value, `The value of step ${name}`) });
      return value;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await run.execution.offer({ type: 'step.failed', call, message });
      throw error;
    }
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
    this.#run.note({ type: 'trace.identified', traceId });
  }

  /** Why nobody can be asked. */
  #refusal(): Error | undefined {
    if (this.#run.execution.isSettled) return new EndedError('The execution has ended.');
    return this.#run.asked.interactive ? undefined : new InteractionUnavailableError(UNAVAILABLE);
  }

  #recorded(name: string, value: number): number {
    this.#run.note({ type: 'value.recorded', call: this.#run.nextCall(), name, value });
    return value;
  }

  #span(parentId: string, functionId: string, kind: SpanKind, name: string, options: SpanOptions): Span {
    const { id = randomUUID(), input } = options;
    const isFunction = kind === 'FUNCTION';
    const trace = (event: string, more: { input?: unknown; output?: unknown; chunk?: string }): void =>
      this.#run.note({
        type: 'trace.emitted',
        step: toJson({ id, parentId, functionId, event, name, ...more }, `Span ${name}`) as unknown as TraceStep,
      });
    trace(`${kind}_START`, { input });
    return {
      id,
      chunk: (chunk) => trace(kind === 'LLM' ? 'LLM_NEW_TOKEN' : 'SPAN_CHUNK', { chunk }),
      end: (output) => trace(`${kind}_END`, isFunction ? { input, output } : { output }),
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

/** Why a consent was closed without a token; undefined if it was granted, `null` if it only took too long. */
const refusalOf = (_asked: ConsentFact, closed: JournalEntry): string | null | undefined => {
  if (closed.type === 'oauth.granted') return undefined;
  return closed.type === 'oauth.refused' ? closed.reason : null;
};
