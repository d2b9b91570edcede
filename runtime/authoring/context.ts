/** `ctx`, the API of a running workflow. Every call that waits is a fact in the journal of its execution. */

import type { AccessToken } from '../oauth/oauth.ts';
import type { Jsonify } from './jsonify.ts';
import type { Answer, Json, NotificationAnswer, Question } from './prompts.ts';

export interface PromptOptions {
  /**
   * A name for the prompt, by which a replay finds it. With a name, the wording may change while the prompt is open.
   * Without one, a prompt with another wording is another prompt. Two prompts that are open at the same time need
   * different names.
   */
  readonly key?: string;
  /** Withdraws the prompt when aborted: the call rejects with a `WithdrawnError`. */
  readonly signal?: AbortSignal;
}

/** The request that started the execution, as plain data; null where the transport has no such value. */
export interface RequestInfo {
  readonly method: string | null;
  readonly path: string | null;
  readonly scheme: string | null;
  readonly port: number | null;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly pathParams: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
  /** The client's address. Reading it is expensive, so it is null unless it was read before the reply. */
  readonly client: { readonly host: string; readonly port: number } | null;
  /** The parsed body. */
  readonly payload: Json | undefined;
}

export interface Trace {
  /** 128 bits as 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly runId: string;
  readonly parentId: string | null;
  readonly parentName: string | null;
}

/** An open intermediate step. */
export interface Span {
  readonly id: string;
  /** A part of the output, such as a token of a language model. */
  chunk(text: string): void;
  end(output?: unknown): void;
  /** A step inside this one. */
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
}
export type SpanKind = 'LLM' | 'TOOL' | 'FUNCTION' | 'TASK' | 'CUSTOM' | 'SPAN';
export type SpanOptions = { readonly id?: string; readonly input?: unknown };

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A running step. Its output belongs to it, and a replay does not emit it again after the step has finished. */
export interface Step {
  /**
   * Streams a value at once. If the step is interrupted and runs again, subscribers are notified that its output
   * restarts.
   */
  emit(value: unknown): void;
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
  readonly log: Log;
  /** Aborted when the execution ends, or when the branch of the step is withdrawn. */
  readonly signal: AbortSignal;
  /** The same for every attempt of this step, in every replay. Each step has its own. */
  readonly idempotencyKey: string;
  /** 1, and one more for each interruption of the step, for example by the end of the process. */
  readonly attempt: number;
}

/** Functions by the names of their branches. The signal is aborted when the branch is withdrawn. */
export type Branches = Readonly<Record<string, (signal: AbortSignal) => unknown>>;
type Results<T extends Branches> = { readonly [Name in keyof T]: Awaited<ReturnType<T[Name]>> };
type Winner<T extends Branches> = {
  [Name in keyof T]: { readonly winner: Name; readonly value: Awaited<ReturnType<T[Name]>> };
}[keyof T];

export interface AuthorizeOptions {
  /** A token with at least these scopes is sufficient. Default: the scopes of the provider's configuration. */
  readonly scopes?: readonly string[];
  /** A token that the provider's API has rejected. It is refreshed, or the user is asked for consent again. */
  readonly rejected?: AccessToken;
  /** Withdraws the consent when aborted: the call rejects with a `WithdrawnError`. */
  readonly signal?: AbortSignal;
}

export interface Context {
  readonly executionId: string;
  /** User id of the caller; undefined without identity. */
  readonly user: string | undefined;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether the caller reads a stream. False: the caller waits for one result. */
  readonly streaming: boolean;
  /** Aborted when the execution ends before `run` does: cancelled, abandoned, interrupted. */
  readonly signal: AbortSignal;
  /**
   * A key for effects that must happen once. Inside a step: the key of that step, the same in all its attempts.
   * Outside: one key for the whole execution, so a second effect would look like a repetition of the first.
   */
  readonly idempotencyKey: string;

  /**
   * Asks a person and waits. A waiting run holds no slot. Rejects with a `TimeoutError` when the prompt expires without
   * a default, and with an `InteractionUnavailableError` where the caller's route cannot show prompts.
   */
  prompt<A extends Answer>(question: Question<A>, options?: PromptOptions): Promise<A>;
  /** Sends a message to a person, and does not wait. */
  notify(notification: string | Question<NotificationAnswer>): Promise<NotificationAnswer>;
  /**
   * Returns an access token of the user for a configured provider: the stored token, or a new one after consent in the
   * browser. All runs of the user share a consent. Rejects with an `AuthorizationError` if the consent is refused,
   * fails or expires.
   */
  authorize(provider: string, options?: AuthorizeOptions): Promise<AccessToken>;
  /**
   * Deletes the user's tokens for a provider and revokes them there, once, as a step. Resolves to whether the provider
   * has confirmed; false if it has no revocation URL.
   */
  revoke(provider: string): Promise<boolean>;
  /**
   * Streams a value: a text, or any JSON. It does not wait for subscribers. When the journal is full
   * (`maxJournalFacts`, `maxJournalBytes`), output that a subscriber has not read is dropped, and the subscriber gets
   * an error. A function that emits thousands of values in a row should `yield` them instead: a generator gives
   * subscribers time to read.
   */
  emit(value: unknown): void;
  /**
   * Runs `work` once. The result is journaled as JSON, and the call returns a copy. An error of `work` keeps its name,
   * its message and its members that are JSON. Inside `work`, calls of `ctx` that wait reject with a
   * `StepContextError`. Code outside of steps holds no run slot while a prompt is open.
   */
  step<T>(name: string, work: (step: Step) => Promise<T> | T): Promise<Jsonify<T>>;
  /** Waits without holding a run slot. Milliseconds. Rejects with a `WithdrawnError` when the signal is aborted. */
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Runs a branch with its own numbering of calls, so other branches may overtake it, and in another order in a replay.
   * Names must be unique within the branch or run that begins them.
   */
  branch<T>(name: string, work: (signal: AbortSignal) => Promise<T> | T): Promise<T>;
  /**
   * Runs branches in parallel and resolves to their values by name. When one rejects, the others are withdrawn: their
   * prompts leave the inbox, and their waits reject with a `WithdrawnError`.
   *
   * @example const { price, stock } = await ctx.all({ price: () => ask('price'), stock: () => ask('stock') });
   */
  all<T extends Branches>(branches: T): Promise<Results<T>>;
  /**
   * Runs branches in parallel and resolves to the first that ends, or rejects with it. The others are withdrawn.
   *
   * @example const first = await ctx.race({ answer: () => ctx.prompt(question), late: () => ctx.sleep(60_000) });
   */
  race<T extends Branches>(branches: T): Promise<Winner<T>>;
  /**
   * Restarts the function with another input, under the same id, for runs that would outgrow their journal. Everything
   * before is over, including open prompts. Never resolves: `return ctx.continueAs(next)`.
   */
  continueAs(input: unknown): Promise<never>;
  /** Epoch milliseconds, journaled. Inside a step: the current time. */
  now(): number;
  /** At least 0 and less than 1, journaled. Inside a step: a new number each time. */
  random(): number;
  /** Begins an intermediate step for subscribers. */
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
  /** Publishes the id that an exporter of traces has given to this run. */
  observe(traceId: string): void;
  /** Log lines that carry the execution id. */
  readonly log: Log;
}
