/** From a request to the start of an execution: the common part of all routes of a workflow. */
import { type Caller, RunTrace, type StartRequest, traceFromHeaders, type Workflow } from '../../runtime/index.ts';
import { inJson } from '../http/about.ts';
import { HttpRequestInfo } from '../http/request-info.ts';
import type { Call } from '../http/route.ts';
import { readJsonBody } from './json-body.ts';
import { createReader, type Reading } from './pydantic/reader.ts';
import { bodyOf, type RequestBody } from './route.ts';
import { inputSchema } from './workflow-schemas.ts';

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

/** The input of a workflow. A GET has none. */
export const inputBody = (workflow: Workflow, method: 'GET' | 'POST'): RequestBody<Input> => {
  const { input } = workflow;
  const read = input === undefined ? asItIs : createReader(input);
  return {
    ...(method === 'POST' && { content: inJson(inputSchema(workflow)) }),
    read: ({ headers, body: bytes }) => {
      const body = method === 'GET' ? undefined : readJsonBody(headers['content-type'], bytes);
      const reading = read(body);
      return reading instanceof Promise ? reading.then((late) => inputOf(body, late)) : inputOf(body, reading);
    },
  };
};

const inputOf = (body: unknown, reading: Reading): Input => ({ body, raw: body, value: bodyOf(reading) });

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
