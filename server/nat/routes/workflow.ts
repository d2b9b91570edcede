/**
 * Starts executions: the routes of a workflow. One is interactive and may reply 202; NAT's legacy routes never pause.
 */
import type { Caller, ExecutionView, Runtime, Workflow } from '../../../runtime/index.ts';
import { readIdempotencyKey, readPreference } from '../../http/preferences.ts';
import { json } from '../../http/problems.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import { errorText, hasOutcome } from '../../wire/bodies.ts';
import { route } from '../../wire/route.ts';
import { type Input, inputBody, type ResultForm, startRequest } from '../../wire/start.ts';
import { outputSchema } from '../../wire/workflow-schemas.ts';
import { asFailedRun } from '../failed-run.ts';
import type { NatApp, Placed } from '../placed.ts';
import { aboutStart } from './about.ts';

export type StartApp = Pick<NatApp, 'runtime' | 'who' | 'wire'>;

export const workflowRoutes = (app: StartApp, { workflow, method, path, isLegacy }: Placed): Route[] => {
  const interactive = !isLegacy && method === 'POST';
  return [
    route({
      method,
      path,
      isUnsafe: true,
      body: inputBody(workflow, method),
      reply: outputSchema(workflow),
      about: aboutStart(workflow, interactive),
      handle: answerer(app, { workflow, interactive }),
    }),
  ];
};

export interface Served {
  readonly workflow: Workflow;
  readonly interactive: boolean;
  readonly form?: ResultForm;
}

/** Starts an execution, and replies with its outcome: its result, its failure, or the first open prompt or consent. */
export const answerer = (
  { runtime, who, wire }: StartApp,
  { workflow, interactive, form }: Served,
): ((call: Call, input: Input) => Promise<Reply>) => {
  return async (call, input) => {
    const preference = interactive ? readPreference(call.headers.prefer) : {};
    const idempotencyKey = readIdempotencyKey(call.headers['idempotency-key']);
    const run = { workflow, input, interactive, streaming: false, form, idempotencyKey };
    let by: Caller;
    let started: Awaited<ReturnType<Runtime['start']>>;
    try {
      const caller = who(call);
      by = caller instanceof Promise ? await caller : caller; // superfluous promises are measurable here
      const starting = runtime.start(startRequest(call, input.body, by, run));
      started = starting instanceof Promise ? await starting : starting;
    } catch (thrown) {
      if (!interactive) throw thrown;
      return workflowError(asFailedRun(thrown), 'ExecutionFailed');
    }

    const { execution, isNew } = started;
    // NAT's older routes return no id for a reconnect.
    if (!interactive && idempotencyKey === undefined) cancelWithClient(runtime, execution, by, call);
    const { isAsync, waitMs: timeoutMs } = preference;
    const waiting = isAsync || runtime.waitUntil(execution, hasOutcome, { timeoutMs, client: call });
    if (waiting instanceof Promise) await waiting;
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
    if (interactive) return workflowError(errorText(error.message), 'ExecutionFailed', headers);
    return workflowError(error.message, error.name, headers);
  };
};

export const workflowError = (message: string, details: string, headers?: Record<string, string>): Reply =>
  json(422, { code: 'workflow_error', message, details }, headers);

/** A run that its client cannot find again is cancelled when the client disconnects. */
const cancelWithClient = (runtime: Runtime, execution: ExecutionView, by: Caller, call: Call): void =>
  call.onGone(() => {
    if (execution.isSettled || !runtime.isAccepting) return; // not at a shutdown, only at a disconnect
    runtime.cancel(execution.id, by).catch(() => {}); // it may have settled meanwhile
  });
