/** From a request to the start of an execution: the common part of all routes of a workflow. */
import {
  type Caller,
  jsonSchemaOf,
  RunTrace,
  type StartRequest,
  traceFromHeaders,
  type Workflow,
} from '../../runtime/index.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import { HttpRequestInfo } from '../http/request-info.ts';
import type { Call } from '../http/route.ts';
import { readJsonBody } from './json-body.ts';
import { createReader, type Reading } from './pydantic/reader.ts';

/** How a result is shown that is not sent unchanged; the wire reads it from the execution. */
export type ResultForm = 'chat';

/** The start options besides those of the request. */
export interface Started {
  readonly workflow: Workflow;
  readonly input: Pick<Input, 'raw' | 'value'>;
  readonly interactive: boolean;
  readonly streaming: boolean;
  readonly functionName?: string | undefined;
  readonly form?: ResultForm | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly jobId?: string | undefined;
  readonly retentionMs?: number | undefined;
}

export interface Input {
  /** The data of the request. */
  readonly body: unknown;
  /** The input of the schema: the body, or a value made from a chat. */
  readonly raw: unknown;
  /** The output of the schema. */
  readonly value: unknown;
}

/**
 * Reads the input of a workflow from a request. A GET has none. Returns a promise only for an asynchronous schema.
 * Throws the reply to an invalid input.
 */
export const inputReader = ({ input }: Workflow, method: 'GET' | 'POST'): ((call: Call) => Input | Promise<Input>) => {
  const read = input === undefined ? asItIs : createReader(input, jsonSchemaOf(input));
  return ({ headers, body: bytes }) => {
    const body = method === 'GET' ? undefined : readJsonBody(headers['content-type'], bytes);
    const reading = read(body);
    return reading instanceof Promise ? reading.then((late) => inputOf(body, late)) : inputOf(body, reading);
  };
};

const inputOf = (body: unknown, reading: Reading): Input => {
  if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
  return { body, raw: body, value: reading.value };
};

const asItIs = (value: unknown): Reading => ({ value });

/** The request for a run; `body` as received, before the schema. */
export const startRequest = (call: Call, body: unknown, by: Caller, started: Started): StartRequest => ({
  workflow: started.workflow.name,
  input: started.input.raw,
  read: started.input,
  by,
  idempotencyKey: started.idempotencyKey,
  jobId: started.jobId,
  retentionMs: started.retentionMs,
  interactive: started.interactive,
  streaming: started.streaming,
  functionName: started.functionName,
  form: started.form,
  conversationId: call.headers['conversation-id'] || undefined,
  userMessageId: call.headers['user-message-id'] || undefined,
  request: new HttpRequestInfo(call, body),
  trace: new RunTrace(traceFromHeaders(call.headers)),
});
