/** A client for browsers and Node: starts executions, follows them to their end, and answers what they ask. */
import type {
  BuilderBody,
  BuilderListBody,
  ChangesBody,
  ExecutionBody,
  ExecutionListBody,
  InboxBody,
  InboxItem,
  JournalEvent,
  OpenConsent,
  OpenInteraction,
  OpenPause,
  StreamEvent,
  WorkflowBody,
  WorkflowListBody,
} from '../server/protocol.ts';
import { ExecutionFailedError, RequestError } from './errors.ts';
import { Http, type HttpOptions } from './http.ts';
import { changesOf, type FollowOptions, journalOf, type StreamOptions, streamOf } from './stream.ts';

export type * from '../server/protocol.ts';
export { ExecutionFailedError, RequestError } from './errors.ts';
export type { HttpOptions } from './http.ts';
export type { FollowOptions, StreamOptions } from './stream.ts';

/** How an execution stands, and the number of its last fact. */
export type ExecutionState = ExecutionBody & { readonly seq: number };

/** What a person says: a text; the id of an option; for a checkbox the ids of any number of them. */
export type AnswerValue = string | readonly string[];

export interface StartOptions {
  /** Where the workflow is served. Default `/v1/workflow`. */
  readonly path?: string;
  /** The same key with the same input is the same execution. Default: a fresh one, so that a retry starts nothing twice. */
  readonly idempotencyKey?: string;
  readonly conversationId?: string;
  /** Sent with this request alone. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface RunOptions extends StartOptions {
  /** Asked once for each prompt. Undefined leaves it to somebody else. */
  onPrompt?(prompt: OpenInteraction['prompt'], interaction: OpenInteraction): MaybeAsync<AnswerValue | undefined>;
  /** Told once for each consent: open `auth_url` in a browser. */
  onConsent?(consent: OpenConsent): unknown;
}
export interface ListQuery {
  readonly status?: string;
  readonly workflow?: string;
  readonly owner?: string;
  /** How the id begins. */
  readonly id?: string;
  /** What `next` of the last page said. */
  readonly before?: string;
  readonly limit?: number;
}
type MaybeAsync<T> = T | Promise<T>;

/** Seconds that one long poll waits for news. */
const POLL_S = 25;

export const createClient = (options: HttpOptions = {}): Client => new Client(new Http(options));

export class Client {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Starts an execution without waiting for anything. Rejects with a `RequestError` if it is refused. */
  async start(input: unknown, options: StartOptions = {}): Promise<{ executionId: string }> {
    const response = await this.#post(input, options, { prefer: 'respond-async' });
    return { executionId: executionIdOf(response) };
  }

  /** Starts an execution and follows it to its result. Rejects with an `ExecutionFailedError` if it fails. */
  async run(input: unknown, options: RunOptions = {}): Promise<unknown> {
    const { executionId } = await this.start(input, options);
    return this.follow(executionId, options);
  }

  /** Follows an execution, whoever has started it, to its result. Rejects with an `ExecutionFailedError` if it fails. */
  async follow(executionId: string, options: Omit<RunOptions, keyof StartOptions> & { signal?: AbortSignal } = {}) {
    const seen = new Set<string>();
    for (let state = await this.get(executionId, options); ; ) {
      if (state.status === 'completed') return state.result;
      if (state.status === 'failed') throw new ExecutionFailedError(state.error, executionId);
      for (const pause of pausesOf(state)) await this.#meet(pause, seen, options);
      state = await this.get(executionId, { ...options, waitS: POLL_S, after: state.seq });
    }
  }

  /** How an execution stands; with `waitS`, as soon as there is a fact after number `after`, or that many seconds later. */
  async get(
    executionId: string,
    { waitS, after, signal }: { waitS?: number; after?: number; signal?: AbortSignal } = {},
  ): Promise<ExecutionState> {
    const query = queryOf({ wait: waitS, after });
    const response = await this.#http.send(`/executions/${encodeURIComponent(executionId)}${query}`, { signal });
    const body = (await response.json()) as ExecutionBody;
    return { ...body, seq: Number(response.headers.get('execution-seq')) };
  }

  /**
   * Answers a prompt. Rejects with a `RequestError`: 422 for an answer that does not fit, 400 and 404 if the prompt is no
   * longer open.
   */
  async answer(interaction: Pick<OpenInteraction, 'prompt' | 'response_url'>, value: AnswerValue): Promise<void> {
    const body = { response: responseTo(interaction.prompt, value) };
    await this.#http.send(interaction.response_url, { method: 'POST', body });
  }

  /** Rejects with a `RequestError`: 404 for one that is unknown or somebody else's, 409 for one that is over. */
  async cancel(executionId: string): Promise<void> {
    await this.#http.send(`/executions/${encodeURIComponent(executionId)}`, { method: 'DELETE' });
  }

  /**
   * Lets a blocked execution try again. Rejects with a `RequestError`: 404 for one that is unknown or somebody else's, 409 for
   * one that is not blocked or is over.
   */
  async retry(executionId: string): Promise<void> {
    await this.#http.send(`/executions/${encodeURIComponent(executionId)}/retry`, { method: 'POST' });
  }

  /** The caller's executions, newest first, a page at a time. */
  async list(filter: ListQuery = {}): Promise<ExecutionListBody> {
    const response = await this.#http.send(`/executions${queryOf({ ...filter })}`);
    return (await response.json()) as ExecutionListBody;
  }

  /** What waits for the caller in all executions, the longest waiting first. */
  async inbox(limit?: number): Promise<InboxItem[]> {
    const response = await this.#http.send(`/interactions${queryOf({ limit })}`);
    return ((await response.json()) as InboxBody).interactions;
  }

  /** What happens to an execution, fact by fact, until it has settled; comes back by itself when a connection breaks. */
  stream(executionId: string, options: StreamOptions = {}): AsyncGenerator<StreamEvent, void> {
    return streamOf(this.#http, executionId, options);
  }

  /** The journal of an execution, every fact as it was kept, until it has settled; comes back likewise. */
  journal(executionId: string, options: StreamOptions = {}): AsyncGenerator<JournalEvent, void> {
    return journalOf(this.#http, executionId, options);
  }

  /** That something has happened to the caller's executions; after each connection the first says to look at everything. */
  changes(options: FollowOptions = {}): AsyncGenerator<ChangesBody, void> {
    return changesOf(this.#http, options);
  }

  /** The workflows there are. */
  async workflows(): Promise<WorkflowBody[]> {
    const response = await this.#http.send('/workflows');
    return ((await response.json()) as WorkflowListBody).workflows;
  }

  /** The builders there are, for operators. Rejects with a `RequestError`: 403 for everybody else. */
  async builders(): Promise<BuilderBody[]> {
    const response = await this.#http.send('/builders');
    return ((await response.json()) as BuilderListBody).builders;
  }

  #post(input: unknown, options: StartOptions, headers: Record<string, string>): Promise<Response> {
    const { path = '/v1/workflow', idempotencyKey = crypto.randomUUID(), conversationId, signal } = options;
    const { headers: own = {} } = options;
    const more = conversationId === undefined ? {} : { 'conversation-id': conversationId };
    const all = { 'idempotency-key': idempotencyKey, ...more, ...headers, ...own };
    return this.#http.send(path, { method: 'POST', headers: all, body: input, signal });
  }

  async #meet(pause: OpenPause, seen: Set<string>, options: RunOptions): Promise<void> {
    const id = pause.status === 'oauth_required' ? pause.oauth_state : pause.interaction_id;
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

/** Somebody else may have answered meanwhile, or the execution may be over: following it tells. */
const unlessLate = (error: unknown): void => {
  if (!(error instanceof RequestError && (error.status === 400 || error.status === 404))) throw error;
};

const executionIdOf = (response: Response): string => {
  const id = response.headers.get('execution-id');
  if (id === null) throw new RequestError(response.status, { message: 'The server told no execution-id.' });
  return id;
};

const pausesOf = (state: ExecutionState): readonly OpenPause[] => {
  if (state.status !== 'interaction_required' && state.status !== 'oauth_required') return [];
  return state.pending ?? [state];
};

const responseTo = ({ input_type: type }: OpenInteraction['prompt'], value: AnswerValue): unknown => {
  const ids = [value].flat();
  if (type === 'text' || type === 'notification') return { type, text: ids.join('\n') };
  const options = ids.map((id) => ({ id }));
  return type === 'checkbox' ? { type, selected_options: options } : { type, selected_option: options[0] ?? {} };
};

const queryOf = (members: Readonly<Record<string, string | number | undefined>>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
};
