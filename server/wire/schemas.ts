/** JSON Schemas of the bodies in `client/wire.ts`, and of refusals. */
import { type JsonSchema, PROMPT_KINDS, PROMPTS, type Taking } from '../../runtime/index.ts';
import { ref } from '../http/about.ts';

const text: JsonSchema = { type: 'string' };
const whole: JsonSchema = { type: 'integer' };
const orNull = (type: string): JsonSchema => ({ type: [type, 'null'] });
const time: JsonSchema = { type: 'string', format: 'date-time' };
const timeOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' };
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const anything: JsonSchema = {};

/** All members are required, except those of `more`. Other members are allowed, because bodies grow. */
const object = (members: Record<string, JsonSchema>, more: Record<string, JsonSchema> = {}): JsonSchema => ({
  type: 'object',
  properties: { ...members, ...more },
  required: Object.keys(members),
});

const status = (value: string): JsonSchema => ({ const: value });
const both = (...parts: readonly JsonSchema[]): JsonSchema => ({ allOf: parts });
const either = (...choices: readonly JsonSchema[]): JsonSchema => ({ oneOf: choices });

const prompt = (kind: JsonSchema, more: Record<string, JsonSchema>): JsonSchema =>
  object({ input_type: kind, text, timeout: orNull('integer'), error: orNull('string'), ...more });

const kindsThatTake = (what: Taking): JsonSchema => ({
  enum: PROMPT_KINDS.filter((kind) => PROMPTS[kind].takes === what),
});

const execution = object({ execution_id: text });
const pauses = object({}, { pending: listOf(either(ref('OpenInteraction'), ref('OpenConsent'))) });

export const wireSchemas: Readonly<Record<string, JsonSchema>> = {
  Prompt: either(...PROMPT_KINDS.map((kind) => prompt(status(kind), PROMPTS[kind].members))),
  OpenInteraction: object({
    status: status('interaction_required'),
    interaction_id: text,
    prompt: ref('Prompt'),
    response_url: text,
  }),
  OpenConsent: object({ status: status('oauth_required'), auth_url: text, oauth_state: text }),
  Blocked: object({ expected: text, came: text, version: text, since: time }),
  Execution: both(
    execution,
    object({}, { blocked: ref('Blocked') }),
    either(
      object({ status: status('running') }),
      both(ref('OpenInteraction'), pauses),
      both(ref('OpenConsent'), pauses),
      object({ status: status('completed'), result: anything }),
      object({ status: status('failed'), error: text }),
    ),
  ),
  Accepted: both(
    object({ execution_id: text, status_url: text }),
    either(object({ status: status('running') }), ref('OpenInteraction'), ref('OpenConsent')),
  ),
  ExecutionList: object({
    executions: listOf(
      both(
        object({
          workflow: text,
          owner: orNull('string'),
          phase: { enum: ['queued', 'executing', 'waiting', 'settled'] },
          code: orNull('string'),
          started_at: time,
          settled_at: timeOrNull,
          due_at: timeOrNull,
        }),
        { anyOf: [ref('Execution'), both(execution, object({ status: status('completed') }))] },
      ),
    ),
    next: orNull('string'),
  }),
  Inbox: object({
    interactions: listOf(
      both(
        object({
          execution_id: text,
          workflow: text,
          opened_at: time,
          due_at: timeOrNull,
        }),
        either(ref('OpenInteraction'), ref('OpenConsent')),
      ),
    ),
  }),
  Model: object({ id: text, object: status('model'), created: whole, owned_by: text }),
  ModelList: object({ object: status('list'), data: listOf(ref('Model')) }),
  Journal: object({
    entries: listOf(object({ seq: whole, type: text, at: { type: 'number' } })),
    truncated_through: orNull('integer'),
  }),
  WorkflowList: object({
    workflows: listOf(
      object({
        name: text,
        is_per_user: { type: 'boolean' },
        method: { enum: ['GET', 'POST'] },
        path: orNull('string'),
        input: orNull('object'),
      }),
    ),
  }),
  BuilderList: object({
    builders: listOf(
      object({
        builder_id: text,
        workflow: text,
        version: text,
        user: orNull('string'),
        state: text,
        created_at: time,
        last_activity: time,
        executions: whole,
        slots: object({ limit: orNull('integer'), held: whole, queued: whole, max_queued: orNull('integer') }),
        requests: object({ total: whole, failed: whole, avg_latency_ms: orNull('number') }),
      }),
    ),
  }),
  InteractionAnswer: object({
    response: {
      oneOf: [
        object({ type: kindsThatTake('text'), text }),
        object({ type: kindsThatTake('acknowledgement') }, { text }),
        object({ type: kindsThatTake('one'), selected_option: ref('PickedOption') }),
        object({ type: kindsThatTake('many'), selected_option: ref('PickedOption') }),
        object({ type: kindsThatTake('many'), selected_options: listOf(ref('PickedOption')) }),
      ],
      description: '`input_type` is accepted instead of `type`.',
    },
  }),
  PickedOption: {
    ...object({}, { id: text, value: anything }),
    description: 'By its id, or by its value.',
  },
  Job: object({
    job_id: text,
    status: { enum: ['submitted', 'running', 'success', 'failure', 'interrupted'] },
    error: orNull('string'),
    created_at: text,
    updated_at: text,
    expires_at: orNull('string'),
    output: anything,
  }),
  JobStatus: object({ job_id: text, status: { enum: ['submitted', 'running', 'success', 'failure', 'interrupted'] } }),
  ChatCompletion: object(
    {
      object: status('chat.completion'),
      choices: listOf(
        object({}, { index: whole, finish_reason: orNull('string'), message: { type: ['object', 'null'] } }),
      ),
    },
    { id: text, model: text, created: whole, usage: { type: ['object', 'null'] } },
  ),
  Health: object({ status: status('healthy') }),
  ActiveUsers: object({
    timestamp: text,
    total_active_users: whole,
    users: listOf(
      object({
        user_id: text,
        session: object({ created_at: text, last_activity: text, ref_count: whole, is_active: { type: 'boolean' } }),
        requests: object({
          total_requests: whole,
          active_requests: whole,
          avg_latency_ms: { type: 'number' },
          error_count: whole,
        }),
        memory: object({
          per_user_functions_count: whole,
          per_user_function_groups_count: whole,
          exit_stack_size: whole,
        }),
      }),
    ),
  }),
  StoredFile: object({ filename: text }),
  FileUpload: object({ file: { type: 'string', contentMediaType: 'application/octet-stream' } }),
  Refusal: object({ detail: text }),
  Problem: {
    ...object({ type: text, title: text, status: whole, detail: text }, { code: text }),
    description: 'RFC 9457. `code` names the failure where there is one.',
  },
  ValidationRefusal: object({
    detail: listOf(
      object(
        { type: text, loc: listOf({ type: ['string', 'integer'] }), msg: text, input: anything },
        { ctx: { type: 'object' } },
      ),
    ),
  }),
  WorkflowError: {
    ...object({ code: status('workflow_error'), message: text, details: text }),
    description: 'The workflow ran, and failed.',
  },
};
