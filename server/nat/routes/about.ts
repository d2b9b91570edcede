/** Descriptions of NAT's routes. */
import type { JsonSchema, Workflow } from '../../../runtime/index.ts';
import {
  type About,
  type Answer,
  busy,
  type Content,
  inHeader,
  inQuery,
  json,
  type Parameter,
  problem,
  ref,
  refusal,
  text,
} from '../../http/about.ts';
import { MAX_WAIT_S } from '../../http/preferences.ts';
import { schemaName } from '../../wire/workflow-schemas.ts';

type Method = 'GET' | 'POST';

const idempotencyKey = inHeader('Idempotency-Key', 'Two requests with the same key start one execution.', {
  ...text,
  maxLength: 257,
});
const prefer = inHeader('Prefer', `RFC 7240: \`respond-async\`, or \`wait=10\`; ${MAX_WAIT_S} seconds at most.`);
const conversation = inHeader('Conversation-Id', 'Passed to the workflow.');
const trace = inHeader('Traceparent', 'W3C Trace Context: the run belongs to this trace.');
const starting: readonly Parameter[] = [idempotencyKey, conversation, trace];

const onDisconnect = inQuery('on_disconnect', '`cancel`: the run is cancelled when its client disconnects.', {
  enum: ['cancel'],
});
const filterSteps = inQuery('filter_steps', 'Step types to show, with commas, or `none`.');

const refusedBody: Content = {
  'application/json': { oneOf: [ref('ValidationRefusal'), ref('WorkflowError')] },
  ...problem,
};

/** For routes that start an execution. */
const refusals: Readonly<Record<number, Answer>> = {
  422: { description: 'The request is invalid, or the workflow failed.', content: refusedBody },
  429: busy,
};

const accepted: Answer = {
  description: 'It waits for a person or a consent, or is still running.',
  content: json(ref('Accepted')),
  headers: ['Execution-Id', 'Location', 'Preference-Applied', 'Idempotent-Replayed'],
};

const inputOf = (workflow: Workflow, method: Method): Pick<About, 'body'> =>
  method === 'GET' ? {} : { body: json(ref(schemaName(workflow, 'input'))) };

const resulting = (schema: JsonSchema): Answer => ({
  description: 'It has ended; the result.',
  content: json(schema),
  headers: ['Execution-Id', 'Observability-Trace-Id', 'Preference-Applied', 'Idempotent-Replayed'],
});

const streaming: Answer = {
  description: 'Events: outputs, steps, prompts and errors, until the run ends.',
  content: { 'text/event-stream': text },
  headers: ['Execution-Id', 'Idempotent-Replayed'],
};

export const aboutStart = (workflow: Workflow, method: Method, interactive: boolean): About => ({
  tag: 'workflows',
  summary: `Runs ${workflow.name}${interactive ? '' : ', without prompts'}`,
  ...(workflow.description !== undefined && { description: workflow.description }),
  parameters: interactive ? [prefer, ...starting] : starting,
  ...inputOf(workflow, method),
  answers: {
    200: resulting(ref(schemaName(workflow, 'output'))),
    ...(interactive && { 202: accepted }),
    ...refusals,
  },
});

export const aboutStream = (workflow: Workflow, method: Method, isRaw: boolean): About => ({
  tag: 'workflows',
  summary: `Runs ${workflow.name}, and streams it${isRaw ? ' with unfiltered steps' : ''}`,
  parameters: isRaw ? [filterSteps, onDisconnect, ...starting] : [onDisconnect, ...starting],
  ...inputOf(workflow, method),
  answers: { 200: streaming, ...refusals },
});

/** `streams`: whether it streams; undefined if the request decides. */
export const aboutChat = (workflow: Workflow, interactive: boolean, streams: boolean | 'as asked'): About => ({
  tag: 'chat',
  summary: `Asks ${workflow.name} for a chat completion${streams === true ? ', in chunks' : ''}`,
  parameters: interactive && streams !== true ? [prefer, ...starting] : starting,
  body: json(ref('ChatRequest')),
  answers: {
    200: {
      ...resulting(ref('ChatCompletion')),
      content: {
        ...(streams !== true && json(ref('ChatCompletion'))),
        ...(streams !== false && { 'text/event-stream': text }),
      },
    },
    ...(interactive && streams !== true && { 202: accepted }),
    ...refusals,
  },
});

export const aboutJobStart = (workflow: Workflow): About => ({
  tag: 'jobs',
  summary: `Starts ${workflow.name} as a job, without prompts`,
  parameters: starting,
  body: json(ref(schemaName(workflow, 'job'))),
  answers: {
    200: {
      description: 'It has ended, or a job with this id exists.',
      content: json({ anyOf: [ref('Job'), ref('JobStatus')] }),
      headers: ['Execution-Id'],
    },
    202: { description: 'It has been started.', content: json(ref('JobStatus')), headers: ['Execution-Id'] },
    ...refusals,
  },
});

export const aboutJob: About = {
  tag: 'jobs',
  summary: 'How a job stands',
  answers: {
    200: { description: 'The job.', content: json(ref('Job')), headers: ['Execution-Id'] },
    404: refusal('There is no such job, or it is not yours.'),
  },
};

export const aboutAnswer: About = {
  tag: 'executions',
  summary: 'Answers a prompt',
  parameters: [inHeader('Idempotency-Key', 'A repetition with the same key is accepted like the first.')],
  body: json(ref('InteractionAnswer')),
  answers: {
    204: { description: 'Done.' },
    400: refusal('It has been answered already.'),
    404: refusal('There is no such prompt, or it is not yours.'),
    422: {
      description: 'The answer does not fit the prompt.',
      content: { ...json(ref('ValidationRefusal')), ...problem },
    },
  },
};

const page = (description: string): Answer => ({ description, content: { 'text/html': text } });

export const aboutCallback: About = {
  tag: 'server',
  summary: 'The callback of a consent',
  parameters: [inQuery('state', 'The state of the consent.'), inQuery('code', 'The code of the provider.')],
  answers: {
    200: page('Granted.'),
    400: page('The state is unknown.'),
    403: page('Refused.'),
    500: page('The reply of the provider is invalid.'),
    502: page('The provider cannot be reached, or rejected the code.'),
  },
  credential: 'none',
};

const callbackForm = { type: 'object', properties: { state: text, code: text } } as const;

export const aboutPostedCallback: About = {
  ...aboutCallback,
  summary: 'The same, for providers that post it (`response_mode=form_post`)',
  parameters: [],
  body: { 'application/x-www-form-urlencoded': callbackForm },
};

export const aboutModels: About = {
  tag: 'chat',
  summary: 'The workflows with chat completions, in the form of OpenAI models',
  answers: { 200: { description: 'The served workflows.', content: json(ref('ModelList')) } },
  credential: 'none',
};

export const aboutModel: About = {
  tag: 'chat',
  summary: 'One of these workflows',
  answers: {
    200: { description: 'It is served.', content: json(ref('Model')) },
    404: refusal('There is no such workflow.'),
  },
  credential: 'none',
};
