/**
 * The run of a workflow: the driver that does an execution's work, and the `ctx` that its author sees.
 *
 * R1  A run works only while its execution executes, that is, while it holds a slot: it starts when the first slot is
 *     granted, and what an answer wakes waits until the next one is.
 * R2  Once the execution has settled, however that came, nothing it does has any effect, and whatever it still waits
 *     for rejects, so that its own `finally` blocks run.
 */

import { randomUUID } from 'node:crypto';
import type { JournalEntry } from '../machines/execution.ts';
import type { Lease } from './builder.ts';
import type { Caller } from './caller.ts';
import type { Context, Log, RequestInfo, Span, SpanKind, SpanOptions, Trace } from './context.ts';
import { Failure } from './errors.ts';
import type { Driver, Execution, NewFact, Phase } from './execution.ts';
import { newId } from './ids.ts';
import type { AccessToken, OAuth } from './oauth/oauth.ts';
import { type Answer, type NotificationAnswer, notification, type Question } from './prompts.ts';
import { AuthorizationError, EndedError, InteractionUnavailableError, TimeoutError } from './run-errors.ts';
import { type SlotHolder, SlotRequest } from './slots.ts';
import type { Returned, Workflow } from './workflow.ts';

/** What a run was started with, beside its input. */
export interface RunRequest {
  readonly input: unknown;
  readonly by: Caller;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether people can be asked: false on routes whose caller could never learn of a prompt. */
  readonly interactive: boolean;
  readonly streaming: boolean;
}

export interface RunDeps {
  readonly oauth: OAuth;
  readonly promptGraceMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

type Waiting = { readonly id: string; resume(entry: JournalEntry): void; end(error: EndedError): void };

export class RunContext implements Context, Driver, SlotHolder {
  readonly #execution: Execution;
  readonly #asked: RunRequest;
  readonly #workflow: Workflow;
  readonly #lease: Lease;
  readonly #deps: RunDeps;
  #slot: SlotRequest | undefined;
  #isStarted = false;
  #calls = 0;
  #waiting: Waiting[] = [];
  /** Woken, and going on as soon as there is a slot. */
  #ready: (() => void)[] = [];
  #abort: AbortController | undefined;
  #generator: AsyncGenerator<unknown, unknown, undefined> | undefined;

  constructor(execution: Execution, asked: RunRequest, workflow: Workflow, lease: Lease, deps: RunDeps) {
    this.#execution = execution;
    this.#asked = asked;
    this.#workflow = workflow;
    this.#lease = lease;
    this.#deps = deps;
  }

  // --- the driver ------------------------------------------------------------------------------------------------

  told(entry: JournalEntry, phase: Phase): void {
    if ('id' in entry) this.#wake(entry);
    if (phase === 'queued') this.#requestSlot();
    else if (phase === 'executing') this.#goOn();
    else this.#giveSlotBack();
    if (phase === 'settled') this.#end(entry.type === 'execution.completed');
  }

  #requestSlot(): void {
    if (this.#slot !== undefined) return;
    const slot = new SlotRequest(this);
    this.#slot = slot;
    this.#lease.builder.slots.request(slot);
  }

  slotGranted(): void {
    this.#execution.offer({ type: 'slot.granted' });
  }

  #giveSlotBack(): void {
    if (this.#slot === undefined) return;
    const slot = this.#slot;
    this.#slot = undefined;
    this.#lease.builder.slots.release(slot);
  }

  /** R1 */
  #goOn(): void {
    if (!this.#isStarted) return this.#start();
    if (this.#execution.context.pauses.length > 0) setImmediate(park, this.#execution);
    for (const next of this.#ready.splice(0)) next();
  }

  #wake(entry: JournalEntry & { readonly id: string }): void {
    if (entry.type.endsWith('.requested') || entry.type === 'sleep.started') return;
    const waiting = this.#waiting.find(({ id }) => id === entry.id);
    if (waiting !== undefined) this.#whenExecuting(waiting, () => waiting.resume(entry));
  }

  /** Until then it still waits, and ends if the execution does. */
  #whenExecuting(waiting: Waiting, goOn: () => void): void {
    this.#ready.push(() => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      goOn();
    });
  }

  #start(): void {
    this.#isStarted = true;
    const { builder } = this.#lease;
    if (this.#workflow.streamOnly && !this.#asked.streaming) {
      return void this.#fail(new Error('Cannot get a single output value for streaming workflows'));
    }
    try {
      const returned: Returned<unknown> = this.#workflow.run(this.#asked.input, this, builder.resources);
      const result = isGenerator(returned) ? this.#drain((this.#generator = returned)) : Promise.resolve(returned);
      result.then(
        (value) => this.#complete(value),
        (error) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  async #drain(generator: AsyncGenerator<unknown, unknown, undefined>): Promise<unknown> {
    for (;;) {
      const { done, value } = await generator.next();
      if (done) return value;
      this.emit(value);
    }
  }

  #complete(result: unknown): void {
    this.#execution.offer({ type: 'execution.completed', result: result ?? null });
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#execution.fail('workflow_error', error.message, error.name);
  }

  /** R2 */
  #end(success: boolean): void {
    this.#lease.end(success);
    this.#ready = [];
    for (const waiting of this.#waiting.splice(0)) {
      this.#deps.oauth.abandon(waiting.id);
      waiting.end(new EndedError('The execution has ended.'));
    }
    this.#abort?.abort(new EndedError('The execution has ended.'));
    this.#generator?.return(undefined).catch(() => {});
  }

  #live(): void {
    if (this.#execution.isSettled) throw new EndedError('The execution has ended.');
  }

  /** Records a fact nobody waits for. If it cannot be kept, the run cannot go on. */
  #note(fact: NewFact): void {
    this.#live();
    const kept = this.#execution.offer(fact);
    if (kept instanceof Promise) kept.catch((error) => this.#fail(error));
  }

  /** Records a fact that only this run reports. */
  async #record(fact: NewFact): Promise<void> {
    if (!(await this.#execution.offer(fact))) throw new EndedError('The execution has ended.');
  }

  /** Opens a pause and waits until it is closed, whatever closes it. */
  #pause(fact: Extract<NewFact, { id: string; call: number }>): Promise<JournalEntry> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id: fact.id, resume: resolve, end: reject });
      this.#record(fact).catch(reject);
    });
  }

  // --- what the author sees --------------------------------------------------------------------------------------

  get executionId(): string {
    return this.#execution.id;
  }
  get user(): string | undefined {
    return this.#asked.by.userId;
  }
  get conversationId(): string | undefined {
    return this.#asked.conversationId;
  }
  get userMessageId(): string | undefined {
    return this.#asked.userMessageId;
  }
  get request(): RequestInfo {
    return this.#asked.request;
  }
  get trace(): Trace {
    return this.#asked.trace;
  }
  get streaming(): boolean {
    return this.#asked.streaming;
  }
  get idempotencyKey(): string {
    return this.#execution.id;
  }
  get log(): Log {
    return this.#deps.log;
  }
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#execution.isSettled) this.#abort.abort(new EndedError('The execution has ended.'));
    }
    return this.#abort.signal;
  }

  async prompt<A extends Answer>(question: Question<A>): Promise<A> {
    this.#live();
    if (!this.#asked.interactive) {
      throw new InteractionUnavailableError(
        'No human prompt callback was registered. Unable to handle requested prompt.',
      );
    }
    const { prompt, fallback } = question;
    if (prompt.input_type === 'notification') return (await this.notify(question as Question<NotificationAnswer>)) as A;
    const { timeout } = prompt;
    const dueAt = timeout === null ? null : this.#deps.now() + timeout * 1000 + this.#deps.promptGraceMs;
    const asked = { type: 'interaction.requested', call: this.#calls++, id: newId(), prompt, dueAt } as const;
    const closed = await this.#pause(fallback === undefined ? asked : { ...asked, fallback });
    if (closed.type === 'interaction.answered') return closed.answer as A;
    if (fallback !== undefined) return fallback;
    throw new TimeoutError(`HITL prompt timed out after ${timeout}s waiting for human response`);
  }

  async notify(given: string | Question<NotificationAnswer>): Promise<NotificationAnswer> {
    this.#live();
    if (!this.#asked.interactive) {
      throw new InteractionUnavailableError(
        'No human prompt callback was registered. Unable to handle requested prompt.',
      );
    }
    const { prompt } = typeof given === 'string' ? notification({ text: given }) : given;
    await this.#record({ type: 'notification.sent', prompt });
    return { kind: 'notification', text: 'Notification acknowledgement.' };
  }

  async authorize(provider: string, { scopes }: { scopes?: readonly string[] } = {}): Promise<AccessToken> {
    this.#live();
    const { oauth } = this.#deps;
    const { interactive } = this.#asked;
    const { user } = this;
    try {
      const cached = user === undefined ? undefined : await oauth.token(user, provider, scopes);
      if (cached !== undefined) return cached;
      if (!interactive) {
        throw new InteractionUnavailableError(
          'Authentication callback failed: this route can send nobody to a consent page; use a versioned route.',
        );
      }
      const flow = oauth.begin({ provider, user, executionId: this.executionId, ...(scopes && { scopes }) });
      const closed = await this.#pause({
        type: 'oauth.requested',
        call: this.#calls++,
        id: flow.state,
        provider,
        authUrl: flow.authUrl,
        dueAt: this.#deps.now() + flow.expiresInMs,
      });
      const token = closed.type === 'oauth.granted' ? oauth.claim(flow.state) : undefined;
      if (token !== undefined) return token;
      const seconds = (flow.expiresInMs / 1000).toFixed(1);
      const reason =
        closed.type === 'oauth.refused' ? closed.reason : `Authentication flow timed out after ${seconds} seconds.`;
      throw new AuthorizationError(`Authentication callback failed: ${reason}`);
    } catch (error) {
      if (error instanceof Failure) throw new AuthorizationError(`Authentication callback failed: ${error.message}`);
      throw error;
    }
  }

  emit(value: unknown): void {
    this.#note({ type: 'output.emitted', value });
  }

  async step<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    this.#live();
    const call = this.#calls++;
    await this.#record({ type: 'step.started', call, name });
    await this.#slotted();
    try {
      const value = await work();
      await this.#record({ type: 'step.completed', call, value: value ?? null });
      return value;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await this.#execution.offer({ type: 'step.failed', call, message });
      throw error;
    }
  }

  /** A step that begins while every other branch waits brings the run back into the queue for a slot. */
  async #slotted(): Promise<void> {
    this.#live();
    if (this.#execution.phase === 'executing') return;
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { id: newId(), resume: () => {}, end: reject };
      this.#waiting.push(waiting);
      this.#whenExecuting(waiting, resolve);
    });
  }

  async sleep(ms: number): Promise<void> {
    this.#live();
    const dueAt = this.#deps.now() + Math.max(0, ms);
    await this.#pause({ type: 'sleep.started', call: this.#calls++, id: newId(), dueAt });
  }

  now(): number {
    return this.#recorded('now', this.#deps.now());
  }

  random(): number {
    return this.#recorded('random', this.#deps.random());
  }

  #recorded(name: string, value: number): number {
    this.#note({ type: 'value.recorded', call: this.#calls++, name, value });
    return value;
  }

  span(kind: SpanKind, name: string, options: SpanOptions = {}): Span {
    return this.#span(this.#asked.trace.parentId ?? 'root', kind, name, options);
  }

  observe(traceId: string): void {
    this.#note({ type: 'trace.identified', traceId });
  }

  #span(parentId: string, kind: SpanKind, name: string, { id = randomUUID(), input }: SpanOptions): Span {
    const trace = (event: string, more: { input?: unknown; output?: unknown; chunk?: string }): void =>
      this.#note({ type: 'trace.emitted', step: { id, parentId, event, name, ...more } });
    trace(`${kind}_START`, { input });
    return {
      id,
      chunk: (chunk) => trace(kind === 'LLM' ? 'LLM_NEW_TOKEN' : 'SPAN_CHUNK', { chunk }),
      end: (output) => trace(`${kind}_END`, { input, output }),
      span: (innerKind, innerName, options = {}) => this.#span(id, innerKind, innerName, options),
    };
  }
}

/** Some branches wait and another has just worked. If it has nothing more to do, the run is parked again. */
const park = (execution: Execution): void => {
  execution.offer({ type: 'execution.parked' });
};

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown, undefined> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value;
