/** From a request to the start of an execution: what all routes of a workflow have in common. */
import {
  type Caller,
  Failure,
  jsonSchemaOf,
  RunTrace,
  type StartRequest,
  traceFromHeaders,
  type Workflow,
} from '../../runtime/index.ts';
import { ValidationFailure } from '../http/mistakes.ts';
import { HttpRequestInfo } from '../http/request-info.ts';
import type { Call } from '../http/route.ts';
import { readJsonBody } from '../wire/json-body.ts';
import { createReader, type Reading } from '../wire/pydantic/reader.ts';

/** How a result is shown that is not sent as it is; the wire reads it from the execution. */
export type ResultForm = 'chat';

/** What a run is started with, beside what its request says. */
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
  /** Of the request. */
  readonly body: unknown;
  /** What the schema was given: the body, or what a chat was made of. */
  readonly raw: unknown;
  /** What the schema made of it. */
  readonly value: unknown;
}

/**
 * Reads the input of a workflow from a request. A GET has none. A promise only for a schema that gives one. Throws what the
 * reply to a bad input says.
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

/** What a run may know of its request; `body` as it came, before the schema has had its say. */
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

/**
 * NAT resolves identities inside the run: to clients of its interactive routes a bad credential is a failed workflow, not
 * a refused request. Gives the message of that failure; throws what was thrown if it is something else.
 */
export const asFailedRun = (thrown: unknown): string => {
  const { code, message } = Failure.from(thrown);
  if (code === 'identity_required') return IDENTITY_REQUIRED;
  if (code === 'credential_invalid') return message;
  throw thrown;
};

export const IDENTITY_REQUIRED =
  'user_id is required for per-user workflow but could not be determined. Include a standard Bearer JWT token in the ' +
  "Authorization header (e.g. 'Authorization: Bearer <token>'), or construct a UserInfo instance and pass " +
  'UserInfo.get_user_id() as the user_id parameter.';
