/** Starting executions: the routes of a workflow. One is interactive and may answer 202; NAT's legacy ones never pause. */
import {
  type Caller,
  Failure,
  jsonSchemaOf,
  RunTrace,
  type Runtime,
  type StartRequest,
  traceFromHeaders,
  type Workflow,
} from '../../runtime/index.ts';
import { readJsonBody } from '../json-body.ts';
import type { RoutePaths } from '../options.ts';
import { readIdempotencyKey, readPreference } from '../preferences.ts';
import { json } from '../problems.ts';
import { HttpRequestInfo } from '../request-info.ts';
import type { Call, Reply, Route } from '../route.ts';
import { createReader, type Reading, ValidationFailure } from '../validation.ts';
import type { Who } from '../who.ts';
import { errorText, hasOutcome, type Wire } from '../wire.ts';

export interface WorkflowRouteDeps {
  readonly runtime: Runtime;
  readonly who: Who;
  readonly wire: Wire;
}

export const workflowRoutes = (deps: WorkflowRouteDeps, workflow: Workflow, paths: RoutePaths): Route[] => {
  const { method, path, legacyPath } = paths;
  const interactive = method === 'POST';
  const routes: Route[] = [];
  if (path !== null) routes.push({ method, path, handle: starter(deps, workflow, method, interactive) });
  if (legacyPath !== null) routes.push({ method, path: legacyPath, handle: starter(deps, workflow, method, false) });
  return routes;
};

type Read = (body: unknown) => Reading | Promise<Reading>;

const inputReader = ({ input }: Workflow): Read =>
  input === undefined ? (value) => ({ value }) : createReader(input, jsonSchemaOf(input));

/** A GET takes no body: the workflow runs without input. */
const bodyOf = ({ headers, body }: Call, method: 'GET' | 'POST'): unknown =>
  method === 'GET' ? undefined : readJsonBody(headers['content-type'], body);

const starter = (
  { runtime, who, wire }: WorkflowRouteDeps,
  workflow: Workflow,
  method: 'GET' | 'POST',
  interactive: boolean,
): Route['handle'] => {
  const read = inputReader(workflow);

  return async (call) => {
    const body = bodyOf(call, method);
    const reading = await read(body);
    if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
    const preference = interactive ? readPreference(call.headers.prefer) : {};
    const idempotencyKey = readIdempotencyKey(call.headers['idempotency-key']);
    const run = { workflow, input: reading.value, interactive, idempotencyKey };
    let started: Awaited<ReturnType<Runtime['start']>>;
    try {
      started = await runtime.start(requestOf(call, body, await who(call), run));
    } catch (thrown) {
      return refusedStart(thrown, interactive);
    }

    const { execution, isNew } = started;
    const { isAsync, waitMs: timeoutMs } = preference;
    if (!isAsync) await runtime.waitUntil(execution, hasOutcome, { timeoutMs, client: call });
    const headers: Record<string, string> = { 'execution-id': execution.id };
    if (preference.applied !== undefined) headers['preference-applied'] = preference.applied;
    if (!isNew) headers['idempotent-replayed'] = 'true';
    const { traceId, error } = execution.context;
    if (!execution.isSettled) {
      const body = wire.accepted(execution) as { status_url: string };
      headers.location = body.status_url;
      return json(202, body, headers);
    }
    if (traceId !== null) headers['observability-trace-id'] = traceId;
    if (error === null) return json(200, wire.result(execution), headers);
    return workflowError(error.message, interactive ? 'ExecutionFailed' : error.name, headers);
  };
};

/** What a run may know of its request; `body` as it came, before the schema has had its say. */
const requestOf = (
  call: Call,
  body: unknown,
  by: Caller,
  run: { workflow: Workflow; input: unknown; interactive: boolean; idempotencyKey: string | undefined },
): StartRequest => ({
  workflow: run.workflow.name,
  input: run.input,
  by,
  idempotencyKey: run.idempotencyKey,
  interactive: run.interactive,
  streaming: false,
  conversationId: call.headers['conversation-id'] || undefined,
  userMessageId: call.headers['user-message-id'] || undefined,
  request: new HttpRequestInfo(call, body),
  trace: new RunTrace(traceFromHeaders(call.headers)),
});

/** NAT resolves identities inside the run: to its clients a bad credential is a failed workflow, not a refused request. */
const refusedStart = (thrown: unknown, interactive: boolean): Reply => {
  const { code, message } = Failure.from(thrown);
  if (!interactive || (code !== 'credential_invalid' && code !== 'identity_required')) throw thrown;
  return workflowError(code === 'identity_required' ? IDENTITY_REQUIRED : message, 'ExecutionFailed');
};

const IDENTITY_REQUIRED =
  'user_id is required for per-user workflow but could not be determined. Include a standard Bearer JWT token in the ' +
  "Authorization header (e.g. 'Authorization: Bearer <token>'), or construct a UserInfo instance and pass " +
  'UserInfo.get_user_id() as the user_id parameter.';

const workflowError = (message: string, details: string, headers?: Record<string, string>): Reply =>
  json(422, { code: 'workflow_error', message: errorText(message), details }, headers);
