/** What an execution was started with, beside its input: to run it, and to run it again in another process. */

import type { RequestInfo, Trace } from '../authoring/context.ts';
import type { Caller } from './caller.ts';

/** What a run was started with. */
export interface RunRequest {
  /** As it came: its schema is asked once in every life of the execution. */
  readonly input: unknown;
  readonly by: Caller;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether people can be asked: false on routes whose caller could never learn of a prompt. */
  readonly interactive: boolean;
  readonly streaming: boolean;
  /** What a stream calls the function that is run. Default `<workflow>`. */
  readonly functionName?: string | undefined;
  /** Whether the steps of that function are recorded. Default: as `streaming`. */
  readonly recordsSteps?: boolean | undefined;
}

export interface StartRequest extends RunRequest {
  /** What the workflow's schema has made of the input, where the caller has asked it already. Default: it is asked. */
  readonly read?: { readonly value: unknown } | undefined;
  /** Name of a served workflow. */
  readonly workflow: string;
  /** Of the caller's choice. The same key with the same request gives the execution that there is already. */
  readonly idempotencyKey?: string | undefined;
  /** A name of the caller's choice, by which it asks `Runtime.job`. The same one gives the execution that there is already. */
  readonly jobId?: string | undefined;
  /** A conversation of the caller's, of which this is the last turn from now on: `Runtime.conversation` finds it. */
  readonly conversation?: string | undefined;
  /** How long its record is kept once it has settled. Default: the runtime's `retentionMs`. */
  readonly retentionMs?: number | undefined;
  /** How callers are shown the result: a word for whoever shows it. Default: the result as it is. */
  readonly form?: string | undefined;
}

export interface Origin {
  /** Undefined if the work is done outside, as that of an `ExecutionStore` is. */
  readonly request: RunRequest | undefined;
  /** Whether it can be executed again when who did it is gone. */
  readonly recover: 'replay' | 'fail';
  /** Of the workflow, when it was started. */
  readonly version: string;
  /** How long its record is kept once it has settled. Milliseconds. */
  readonly retentionMs: number;
  /** Names by which its starter finds it again. */
  readonly names: readonly Name[];
}

/** A name of the caller's choice that stands for an execution, as long as that is kept. */
export interface Name {
  readonly name: string;
  /** What was asked for under it; the same name may not stand for something else. Empty: whatever it is. */
  readonly fingerprint: string;
}
