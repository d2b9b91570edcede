/** A client for browsers and Node: starts executions, follows them to their end, and answers their prompts. */
import { ExecutionFailedError, RequestError } from './errors.ts';
import { Http, type HttpOptions, jsonOf } from './http.ts';
import { changesOf, type FollowOptions, journalOf, type StreamOptions, streamOf } from './stream.ts';
import type {
  BuilderBody,
  BuilderListBody,
  ChangesBody,
  ExecutionBody,
  ExecutionListBody,
  InboxBody,
  InboxItem,
  JournalBody,
  JournalEvent,
  OpenConsent,
  OpenInteraction,
  OpenPause,
  StreamEvent,
  WorkflowBody,
  WorkflowListBody,
} from './wire.ts';

export { ExecutionFailedError, RequestError } from './errors.ts';
export type { HttpOptions } from './http.ts';
export type { FollowOptions, StreamOptions } from './stream.ts';
export type * from './wire.ts';

/** The status of an execution, and the number of its last fact. */
export type ExecutionState = ExecutionBody & { readonly seq: number };

/** An answer: a text; the id of an option; for a checkbox a list of ids. */
export type AnswerValue = string | readonly string[];

export interface StartOptions {
  /** Path of the workflow. Default `/v1/workflow`. */
  readonly path?: string;
  /**
   * Two starts with the same key and input are one execution. Default: a new key, which all retries of this call share.
   */
  readonly idempotencyKey?: string;
  readonly conversationId?: string;
  /** Headers for this request only. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface RunOptions extends StartOptions {
  /** Called once for each prompt, returns the answer. Undefined leaves the prompt open for others. */
  onPrompt?(prompt: OpenInteraction['prompt'], interaction: OpenInteraction): MaybeAsync<AnswerValue | undefined>;
  /** Called once for each consent: open `auth_url` in a browser. */
  onConsent?(consent: OpenConsent): unknown;
}
export interface ListQuery {
  readonly status?: string;
  readonly workflow?: string;
  readonly owner?: string;
  /** The beginning of the id. */
  readonly id?: string;
  /** `next` of the last page. */
  readonly before?: string;
  readonly limit?: number;
}
type MaybeAsync<T> = T | Promise<T>;

/** Seconds of one long poll. */
const POLL_S = 25;

export const createClient = (options: HttpOptions = {}): Client => new Client(new Http(options));

export class Client {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Starts an execution and does not wait for its result. Rejects with a `RequestError` if it is refused. */
  async start(input: unknown, options: StartOptions = {}): Promise<{ executionId: string }> {
    const { path = '/v1/workflow', idempotencyKey = newKey(), conversationId, signal } = options;
    const headers = {
      'idempotency-key': idempotencyKey,
      ...(conversationId !== undefined && { 'conversation-id': conversationId }),
      prefer: 'respond-async',
      ...options.headers,
    };
    const request = { method: 'POST', headers, body: input, signal } as const;
    return this.#http.ask(path, request, (response) => ({ executionId: headerOf(response, 'execution-id') }));
  }

  /** Starts an execution and follows it to its result. Rejects with an `ExecutionFailedError` if it fails. */
  async run(input: unknown, options: RunOptions = {}): Promise<unknown> {
    const { executionId } = await this.start(input, options);
    return this.follow(executionId, options);
  }

  /**
   * Follows an execution, also one of another client, to its result. Rejects with an `ExecutionFailedError` if it
   * fails.
   */
  async follow(executionId: string, options: Omit<RunOptions, keyof StartOptions> & { signal?: AbortSignal } = {}) {
    const seen = new Set<string>();
    for (let state = await this.get(executionId, options); ; ) {
      if (state.status === 'completed') return state.result;
      if (state.status === 'failed') throw new ExecutionFailedError(state.error, executionId);
      for (const pause of pausesOf(state)) await this.#meet(pause, seen, options);
      state = await this.get(executionId, { ...options, waitS: POLL_S, after: state.seq });
    }
  }

  /** Returns the status. With `waitS`, waits for a fact after number `after`, for at most that many seconds. */
  async get(
    executionId: string,
    { waitS, after, signal }: { waitS?: number; after?: number; signal?: AbortSignal } = {},
  ): Promise<ExecutionState> {
    const path = `/executions/${encodeURIComponent(executionId)}${queryOf({ wait: waitS, after })}`;
    return this.#http.ask(path, { signal, waitMs: (waitS ?? 0) * 1_000 }, async (response) => {
      const seq = Number(headerOf(response, 'execution-seq'));
      return { ...(await jsonOf<ExecutionBody>(response)), seq };
    });
  }

  /**
   * Answers a prompt. Rejects with a `RequestError`: 422 for an invalid answer, 400 and 404 if the prompt is closed.
   */
  async answer(interaction: Pick<OpenInteraction, 'prompt' | 'response_url'>, value: AnswerValue): Promise<void> {
    const body = { response: responseTo(interaction.prompt, value) };
    const headers = { 'idempotency-key': newKey() };
    await this.#http.ask(interaction.response_url, { method: 'POST', headers, body }, () => {});
  }

  /**
   * Cancels. Rejects with a `RequestError`: 404 if the execution is unknown or has another owner, 409 if it has ended.
   */
  async cancel(executionId: string): Promise<void> {
    const path = `/executions/${encodeURIComponent(executionId)}`;
    const isOver = await this.#onlyOnce(path, 'DELETE');
    if (isOver && (await this.get(executionId)).status !== 'failed') throw isOver;
  }

  /**
   * Retries a blocked execution. Rejects with a `RequestError`: 404 if it is unknown or has another owner, 409 if it is
   * not blocked or has ended.
   */
  async retry(executionId: string): Promise<void> {
    await this.#onlyOnce(`/executions/${encodeURIComponent(executionId)}/retry`, 'POST');
  }

  /** The caller's executions, newest first, a page at a time. */
  async list(filter: ListQuery = {}): Promise<ExecutionListBody> {
    return this.#json<ExecutionListBody>(`/executions${queryOf({ ...filter })}`);
  }

  /** The prompts and consents that wait for the caller, in all executions, the longest waiting first. */
  async inbox(limit?: number): Promise<InboxItem[]> {
    return (await this.#json<InboxBody>(`/interactions${queryOf({ limit })}`)).interactions;
  }

  /** The events of an execution until it has settled. Reconnects by itself. */
  stream(executionId: string, options: StreamOptions = {}): AsyncGenerator<StreamEvent, void> {
    return streamOf(this.#http, executionId, options);
  }

  /** A page of the journal of an execution: facts with numbers above `after`; empty if there are none. */
  async facts(
    executionId: string,
    { after, signal }: { after?: number; signal?: AbortSignal } = {},
  ): Promise<JournalBody> {
    const path = `/executions/${encodeURIComponent(executionId)}/journal${queryOf({ after })}`;
    return this.#http.ask(path, { signal }, (response) => jsonOf<JournalBody>(response));
  }

  /** The journal of an execution, every stored fact, until it has settled. Reconnects by itself. */
  journal(executionId: string, options: StreamOptions = {}): AsyncGenerator<JournalEvent, void> {
    return journalOf(this.#http, executionId, options);
  }

  /** Changes of the caller's executions. The first event of each connection says that all may have changed. */
  changes(options: FollowOptions = {}): AsyncGenerator<ChangesBody, void> {
    return changesOf(this.#http, options);
  }

  /** Lists the workflows. */
  async workflows(): Promise<WorkflowBody[]> {
    return (await this.#json<WorkflowListBody>('/workflows')).workflows;
  }

  /** Lists the builders, for operators. Rejects with a `RequestError`: 403 for other callers. */
  async builders(): Promise<BuilderBody[]> {
    return (await this.#json<BuilderListBody>('/builders')).builders;
  }

  /**
   * Sends a request that is refused with 409 the second time. Returns that refusal if the reply to an earlier attempt
   * may have been lost.
   */
  async #onlyOnce(path: string, method: 'DELETE' | 'POST'): Promise<RequestError | undefined> {
    let isRepeated = false;
    const onRetry = () => {
      isRepeated = true;
    };
    try {
      await this.#http.ask(path, { method, onRetry }, () => {});
      return undefined;
    } catch (error) {
      if (isRepeated && error instanceof RequestError && error.status === 409) return error;
      throw error;
    }
  }

  #json<T>(path: string): Promise<T> {
    return this.#http.ask(path, {}, (response) => jsonOf<T>(response));
  }

  async #meet(pause: OpenPause, seen: Set<string>, options: RunOptions): Promise<void> {
    // several calls may wait for one consent
    const id = pause.status === 'oauth_required' ? pause.auth_url : pause.interaction_id;
    if (seen.has(id)) return;
    seen.add(id);
    if (pause.status === 'oauth_required') {
      await options.onConsent?.(pause);
      return;
    }
    const value = await options.onPrompt?.(pause.prompt, pause);
    if (value !== undefined) await this.answer(pause, value).catch(unlessLate);
  }
}

/** another client may have answered, or the execution may have ended: the next status shows it */
const unlessLate = (error: unknown): void => {
  if (!(error instanceof RequestError && (error.status === 400 || error.status === 404))) throw error;
};

/** The header is missing if a proxy replied, or if CORS does not allow the page to read it. */
const headerOf = (response: Response, name: 'execution-id' | 'execution-seq'): string => {
  const value = response.headers.get(name) ?? '';
  if (/^\S+$/.test(value) && (name !== 'execution-seq' || /^\d+$/.test(value))) return value;
  const message = `The reply has no ${name}. A proxy has removed it, or CORS hides it: add it to expose_headers.`;
  throw new RequestError(response.status, { message });
};

/** `crypto.randomUUID` is missing on pages served by plain http. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

const pausesOf = (state: ExecutionState): readonly OpenPause[] => {
  if (state.status !== 'interaction_required' && state.status !== 'oauth_required') return [];
  return state.pending ?? [state];
};

const responseTo = (prompt: OpenInteraction['prompt'], value: AnswerValue): unknown => {
  const { input_type: type } = prompt;
  const ids = [value].flat();
  if (!('options' in prompt)) return { type, text: ids.join('\n') };
  const options = ids.map((id) => ({ id }));
  return options.length === 1 ? { type, selected_option: options[0] } : { type, selected_options: options };
};

const queryOf = (members: Readonly<Record<string, string | number | undefined>>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
};
