/** What a workflow may do beside computing: `ctx`. Every call that waits is a fact in the journal of its execution. */
import type { AccessToken } from './oauth/oauth.ts';
import type { Answer, Json, NotificationAnswer, Question } from './prompts.ts';

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

export interface AuthorizeOptions {
  /** A token with these scopes or more will do. Default: those of the provider's configuration. */
  readonly scopes?: readonly string[];
  /** A token that the API of the provider has refused. It is not given again, but refreshed, or consented to anew. */
  readonly rejected?: AccessToken;
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
  /** The same for every attempt of this execution, and for no other: for effects that must happen once. */
  readonly idempotencyKey: string;

  /**
   * Asks a person and waits. The run gives its slot back meanwhile.
   * Rejects with a `TimeoutError` when the prompt expires without a default, and with `PromptUnavailableError` where
   * the caller's route can ask nobody.
   */
  prompt<A extends Answer>(question: Question<A>): Promise<A>;
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
  /** Streams a value: a text, or any JSON. */
  emit(value: unknown): void;
  /** Does something once: its result is journaled. What runs outside of steps while a prompt is open holds no run slot. */
  step<T>(name: string, work: () => Promise<T> | T): Promise<T>;
  /** Waits without holding a run slot. Milliseconds. */
  sleep(ms: number): Promise<void>;
  /** Epoch milliseconds, journaled. */
  now(): number;
  /** At least 0 and less than 1, journaled. */
  random(): number;
  /** Begins an intermediate step for whoever follows the run. */
  span(kind: SpanKind, name: string, options?: SpanOptions): Span;
  /** Tells the caller under which id an exporter knows this run. */
  observe(traceId: string): void;
  /** Log lines that carry the execution id. */
  readonly log: Log;
}
