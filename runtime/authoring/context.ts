/** What a workflow may do beside computing: `ctx`. Every call that waits is a fact in the journal of its execution. */

import type { AccessToken } from '../oauth/oauth.ts';
import type { Jsonify } from './jsonify.ts';
import type { Answer, Json, NotificationAnswer, Question } from './prompts.ts';

export interface PromptOptions {
  /**
   * A name for the prompt, by which it is found again when the run is executed again. With it you may change its wording while it
   * is open; without it a prompt with other words is another prompt. No two prompts that are open side by side may share it.
   */
  readonly key?: string;
  /** Withdraws the prompt when it is aborted: the call rejects with a `WithdrawnError`. */
  readonly signal?: AbortSignal;
}

/** The request that started the execution, as plain data; null where the transport has no such thing. */
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
  /** Asking the socket costs more than all the rest: null if nobody asked before the request was answered. */
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

/** An intermediate step under way. */
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

/** A step at work. What it emits belongs to it, and is not emitted again once the step has ended. */
export interface Step {
  /** Streams a value at once. If the step is cut off and runs again, readers are told that its output begins anew. */
  emit(value: unknown): void;
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
  readonly log: Log;
  /** Aborted when the execution ends, or the branch of the step is withdrawn. */
  readonly signal: AbortSignal;
  /** The same for every attempt of this step in every life of the execution, and for no other step. */
  readonly idempotencyKey: string;
  /** 1, and one more for each time that the step was cut off, by the end of the process for example. */
  readonly attempt: number;
}

/** Functions by the names of their branches. The signal is aborted when the branch is withdrawn. */
export type Branches = Readonly<Record<string, (signal: AbortSignal) => unknown>>;
type Results<T extends Branches> = { readonly [Name in keyof T]: Awaited<ReturnType<T[Name]>> };
type Winner<T extends Branches> = {
  [Name in keyof T]: { readonly winner: Name; readonly value: Awaited<ReturnType<T[Name]>> };
}[keyof T];

export interface AuthorizeOptions {
  /** A token with these scopes or more will do. Default: those of the provider's configuration. */
  readonly scopes?: readonly string[];
  /** A token that the API of the provider has refused. It is not given again, but refreshed, or consented to anew. */
  readonly rejected?: AccessToken;
  /** Withdraws the consent when it is aborted: the call rejects with a `WithdrawnError`. */
  readonly signal?: AbortSignal;
}

export interface Context {
  readonly executionId: string;
  /** User id of the caller; undefined if the request named nobody. */
  readonly user: string | undefined;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether the caller reads a stream, or wants one result. */
  readonly streaming: boolean;
  /** Aborted when the execution ends before `run` does: cancelled, abandoned, interrupted. */
  readonly signal: AbortSignal;
  /**
   * For effects that must happen once. Inside of a step: the key of that step, which is the same in all its attempts. Outside: one
   * for the whole execution, so that a second effect would look like a repetition of the first.
   */
  readonly idempotencyKey: string;

  /**
   * Asks a person and waits. The run gives its slot back meanwhile.
   * Rejects with a `TimeoutError` when the prompt expires without a default, and with `PromptUnavailableError` where
   * the caller's route can ask nobody.
   */
  prompt<A extends Answer>(question: Question<A>, options?: PromptOptions): Promise<A>;
  /** Tells a person something; does not wait for them. */
  notify(notification: string | Question<NotificationAnswer>): Promise<NotificationAnswer>;
  /**
   * An access token of the user for a configured provider: the cached one, or through consent in the browser, which all
   * runs of the user share. Rejects with an `AuthorizationError` if consent is refused, fails or expires.
   */
  authorize(provider: string, options?: AuthorizeOptions): Promise<AccessToken>;
  /**
   * Forgets the user's tokens for a provider and revokes them there, once, as a step. Resolves to whether the provider
   * says that it has; false also if it has no address for that.
   */
  revoke(provider: string): Promise<boolean>;
  /**
   * Streams a value: a text, or any JSON. It does not wait for readers: what a reader has not read when the journal is full
   * (`maxJournalFacts`, `maxJournalBytes`) is dropped, and readers are told so by an error. A function that emits thousands of values
   * in a row should `yield` them instead, since a generator lets readers have their turn.
   */
  emit(value: unknown): void;
  /**
   * Does something once: its result is journaled as JSON, and is a copy of that. An error that `work` throws is given on with its
   * name, its message and those members that are JSON. Inside of `work`, calls of `ctx` that wait reject with a
   * `StepContextError`. What runs outside of steps while a prompt is open holds no run slot.
   */
  step<T>(name: string, work: (step: Step) => Promise<T> | T): Promise<Jsonify<T>>;
  /** Waits without holding a run slot. Milliseconds. Rejects with a `WithdrawnError` when the signal is aborted. */
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
  /**
   * Runs a branch whose calls are numbered by themselves: another branch may overtake it, and do so differently when the run is
   * executed again. Names are told apart within the branch, or the run, that begins them.
   */
  branch<T>(name: string, work: (signal: AbortSignal) => Promise<T> | T): Promise<T>;
  /**
   * Runs branches side by side and resolves to their values by name. When one rejects the others are withdrawn: their prompts
   * leave the inbox, and what they wait for rejects with a `WithdrawnError`.
   *
   * @example const { price, stock } = await ctx.all({ price: () => ask('price'), stock: () => ask('stock') });
   */
  all<T extends Branches>(branches: T): Promise<Results<T>>;
  /**
   * Runs branches side by side and resolves to the first that ends, or rejects with it. The others are withdrawn.
   *
   * @example const first = await ctx.race({ answer: () => ctx.prompt(question), late: () => ctx.sleep(60_000) });
   */
  race<T extends Branches>(branches: T): Promise<Winner<T>>;
  /**
   * Begins the function anew with another input, under the same id: for runs that would outgrow their journal. What happened
   * before is over, open prompts included. Never resolves: `return ctx.continueAs(next)`.
   */
  continueAs(input: unknown): Promise<never>;
  /** Epoch milliseconds, journaled. Inside of a step: the time, as it is. */
  now(): number;
  /** At least 0 and less than 1, journaled. Inside of a step: another one each time. */
  random(): number;
  /** Begins an intermediate step for whoever follows the run. */
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
  /** Tells the caller under which id an exporter knows this run. */
  observe(traceId: string): void;
  /** Log lines that carry the execution id. */
  readonly log: Log;
}
