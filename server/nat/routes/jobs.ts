/**
 * Jobs: executions with NAT's job API. A job is started like any other execution, but has no prompts. Its caller may
 * name it and set its retention. It is available on both paths of a workflow, and in the list of executions.
 */
import { z } from 'zod';
import {
  andThen,
  type Caller,
  type ExecutionView,
  isUnguessable,
  type JsonSchema,
  jsonSchemaOf,
  type Workflow,
} from '../../../runtime/index.ts';
import { inJson, refused } from '../../http/about.ts';
import { ValidationFailure } from '../../http/mistakes.ts';
import { MAX_WAIT_S, readIdempotencyKey } from '../../http/preferences.ts';
import { refusal } from '../../http/problem.ts';
import { json } from '../../http/problems.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import { isName } from '../../http/router.ts';
import { withCaller } from '../../identity/caller.ts';
import { guestHeaders, newGuest } from '../../identity/guest.ts';
import { errorText, type Wire } from '../../wire/bodies.ts';
import { readJsonBody } from '../../wire/json-body.ts';
import { isRecord } from '../../wire/pydantic/containers.ts';
import { createReader } from '../../wire/pydantic/reader.ts';
import { type RequestBody, route } from '../../wire/route.ts';
import { type Input, startRequest } from '../../wire/start.ts';
import { named } from '../../wire/workflow-schemas.ts';
import { jobBody, jobStatusBody } from '../bodies.ts';
import type { NatApp, Placed } from '../placed.ts';
import { aboutJobStart } from './about.ts';

type JobApp = Pick<NatApp, 'runtime' | 'who' | 'wire'>;

/** Undefined for a workflow whose input is not an object: there would be no place for the settings of the job. */
export const jobRoutes = (app: JobApp, { workflow, method, path }: Placed): Route[] => {
  const { input } = workflow;
  if (method !== 'POST' || input === undefined || jsonSchemaOf(input).type !== 'object') return [];
  return [
    route({
      method,
      path: `${path}/async`,
      body: startBody(workflow, input),
      reply: z.union([jobBody, jobStatusBody]),
      about: aboutJobStart(workflow),
      handle: starter(app, workflow),
    }),
    route({
      method: 'GET',
      path: `${path}/async/job/:jobId`,
      reply: jobBody,
      about: {
        tag: 'jobs',
        summary: 'How a job stands',
        answers: {
          200: { description: 'The job.', headers: ['Execution-Id'] },
          404: refused('There is no such job, or it is not yours.'),
        },
      },
      handle: viewer(app),
    }),
  ];
};

/** Members besides the input, in the same object. */
const jobFields = z.object({
  job_id: z
    .string()
    .min(1)
    .max(200)
    .refine((id) => isName(id) && !/\p{Cs}/u.test(id), 'a job id must be usable as one segment of a path')
    .nullish(),
  sync_timeout: z.int().min(0).max(MAX_WAIT_S).default(0),
  expiry_seconds: z.int().min(600).max(86_400).default(3_600),
});

const readFields = createReader(jobFields);

interface JobStart {
  readonly input: Input;
  readonly fields: JobFields;
}

/** The input and the fields of the job, in one object. */
const startBody = (workflow: Workflow, input: NonNullable<Workflow['input']>): RequestBody<JobStart> => {
  const readInput = createReader(input);
  return {
    content: inJson(named(workflow, 'job', () => withFields(jsonSchemaOf(input)))),
    read: async (call) => {
      const body = readJsonBody(call.headers['content-type'], call.body);
      const raw = isRecord(body) ? withoutFields(body) : body;
      const own = await readInput(raw);
      const fields = isRecord(body) ? await readFields(body) : { value: undefined };
      const issues = [...(own.issues ?? []), ...(fields.issues ?? [])];
      if (own.issues !== undefined || fields.issues !== undefined) throw new ValidationFailure(issues);
      return { input: { body, raw, value: own.value }, fields: fields.value as JobFields };
    },
  };
};

const withFields = (input: JsonSchema): JsonSchema => {
  const { properties } = jsonSchemaOf(jobFields) as { readonly properties: object };
  return { ...input, properties: { ...(input.properties as object), ...properties } };
};

const withoutFields = (body: object): object =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !Object.hasOwn(jobFields.shape, name)));

type JobFields = z.infer<typeof jobFields>;

const starter =
  ({ runtime, who, wire }: JobApp, workflow: Workflow) =>
  async (call: Call, { input, fields }: JobStart): Promise<Reply<Job | z.infer<typeof jobStatusBody>>> => {
    const jobId = fields.job_id ?? undefined;
    const caller = await who(call);
    const isNewGuest = needsToken(caller, jobId);
    const by = isNewGuest ? { ...caller, guest: newGuest() } : caller;
    const { execution, isNew } = await runtime.start(
      startRequest(call, input.body, by, {
        workflow,
        input,
        interactive: false,
        streaming: false,
        idempotencyKey: readIdempotencyKey(call.headers['idempotency-key']),
        jobId,
        retentionMs: fields.expiry_seconds * 1_000,
      }),
    );

    const id = jobId ?? execution.id;
    const headers = { 'execution-id': execution.id, ...(isNewGuest && guestHeaders(by.guest!)) };
    if (!isNew) return json(200, { job_id: id, status: jobStatus(execution) }, headers);
    const timeoutMs = fields.sync_timeout * 1_000;
    const isOver = timeoutMs > 0 && (await runtime.waitUntil(execution, hasSettled, { timeoutMs, client: call }));
    return isOver
      ? json(200, jobOf(id, execution, wire), headers)
      : json(202, { job_id: id, status: 'submitted' }, headers);
  };

/**
 * A short id of a caller without identity could be guessed. It belongs to a token that the caller gets with the reply.
 */
const needsToken = ({ userId, guest }: Caller, jobId: string | undefined): boolean =>
  jobId !== undefined && userId === undefined && guest === undefined && !isUnguessable(jobId);

const viewer =
  ({ runtime, who, wire }: JobApp) =>
  (call: Call) =>
    withCaller(who(call), (by) => {
      const { jobId = '' } = call.params;
      return andThen(runtime.job(jobId, by), (execution) => {
        if (execution === undefined) return refusal(404, `Job ${jobId} not found`);
        return json(200, jobOf(jobId, execution, wire), { 'execution-id': execution.id });
      });
    });

const hasSettled = ({ isSettled }: ExecutionView): boolean => isSettled;

type Job = z.infer<typeof jobBody>;

const jobStatus = ({ context: { settledAt, error, seq } }: ExecutionView): Job['status'] => {
  // The first fact has the time of the start, the second that of the first slot.
  if (settledAt === null) return seq === 1 ? 'submitted' : 'running';
  if (error === null) return 'success';
  return error.code === 'cancelled' || error.code === 'interrupted' ? 'interrupted' : 'failure';
};

const jobOf = (id: string, execution: ExecutionView, wire: Wire): Job => {
  const { startedAt, settledAt, error } = execution.context;
  const status = jobStatus(execution);
  return {
    job_id: id,
    status,
    error: error === null ? null : status === 'interrupted' ? 'cancelled' : errorText(error.message),
    created_at: utc(startedAt),
    updated_at: utc(settledAt ?? startedAt),
    expires_at: settledAt === null ? null : `${utc(settledAt + execution.retentionMs)}Z`,
    output: status === 'success' ? wire.result(execution) : null,
  };
};

/** NAT's form: microseconds, and no zone. */
const utc = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000`;
