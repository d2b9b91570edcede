/** The data of a start besides the input: to run the execution, and to replay it in another process. */

import type { RequestInfo, Trace } from '../authoring/context.ts';
import type { Caller } from './caller.ts';

/** The data of a start. */
export interface RunRequest {
  /** The input as it arrived. Each replay parses it once. */
  readonly input: unknown;
  readonly by: Caller;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether prompts are possible: false on routes whose caller would never see a prompt. */
  readonly interactive: boolean;
  readonly streaming: boolean;
  /** The name of the function in streams. Default `<workflow>`. */
  readonly functionName?: string | undefined;
  /** Whether the steps of that function are recorded. Default: the value of `streaming`. */
  readonly recordsSteps?: boolean | undefined;
}

export interface StartRequest extends RunRequest {
  /** The parsed input, if the caller has parsed it already. */
  readonly read?: { readonly value: unknown } | undefined;
  /** Name of a served workflow. */
  readonly workflow: string;
  /** The caller's key. The same key with the same request returns the existing execution. */
  readonly idempotencyKey?: string | undefined;
  /** The caller's name for the job, for `Runtime.job`. The same name returns the existing execution. */
  readonly jobId?: string | undefined;
  /** The caller's conversation. This execution becomes its last turn: `Runtime.conversation` finds it. */
  readonly conversation?: string | undefined;
  /** Retention after the end of the execution. Default: the runtime's `retentionMs`. */
  readonly retentionMs?: number | undefined;
  /** How the result is shown to callers: a word for the server. Default: the result unchanged. */
  readonly form?: string | undefined;
}

export interface Origin {
  /** Undefined if the work happens outside of the runtime, as with `ExecutionStore`. */
  readonly request: RunRequest | undefined;
  /** Whether it can be replayed after the loss of its process. */
  readonly recover: 'replay' | 'fail';
  /** Version of the workflow at the start. */
  readonly version: string;
  /** Retention after the end of the execution. Milliseconds. */
  readonly retentionMs: number;
  /** Names by which the caller finds it again. */
  readonly names: readonly Name[];
}

/** A run without a request. */
export const noRequest: RequestInfo = Object.freeze({
  method: null,
  path: null,
  scheme: null,
  port: null,
  headers: {},
  query: {},
  pathParams: {},
  cookies: {},
  client: null,
  payload: undefined,
});

/**
 * The part of a request that is of use after the end of its run: to find the conversation, and the page that asked. Ended
 * executions are most of what is in memory, and a request holds its body and all its headers.
 */
export const afterItsEnd = ({ conversationId, userMessageId, streaming, request }: RunRequest): RunRequest => {
  const { origin } = request.headers;
  if (conversationId === undefined && userMessageId === undefined && origin === undefined) {
    return streaming ? ENDED_STREAM : ENDED;
  }
  const info = origin === undefined ? noRequest : { ...noRequest, headers: { origin } };
  return { ...ENDED, conversationId, userMessageId, streaming, request: info };
};

const ENDED: RunRequest = Object.freeze({
  input: undefined,
  by: { userId: undefined },
  conversationId: undefined,
  userMessageId: undefined,
  request: noRequest,
  trace: { traceId: '', runId: '', parentId: null, parentName: null },
  interactive: false,
  streaming: false,
});
const ENDED_STREAM: RunRequest = Object.freeze({ ...ENDED, streaming: true });

/** A caller's name for an execution, valid until the execution is deleted. */
export interface Name {
  readonly name: string;
  /** A fingerprint of the request. The same name cannot stand for another request. Empty: any request. */
  readonly fingerprint: string;
  /** A second start with this name is refused. Otherwise the name goes over to the last execution that is started with it. */
  readonly isUnique?: true;
}
