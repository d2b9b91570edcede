/** Descriptions of NAT's routes. */
import { z } from 'zod';
import type { Workflow } from '../../../runtime/index.ts';
import {
  type Answer,
  busy,
  events,
  inHeader,
  inJson,
  inQuery,
  type Parameter,
  problem,
  text,
} from '../../http/about.ts';
import { validationRefusal } from '../../http/mistakes.ts';
import { MAX_WAIT_S } from '../../http/preferences.ts';
import type { AboutRoute } from '../../wire/route.ts';
import { acceptedBody } from '../../wire/schemas.ts';
import { jobStatusBody, workflowErrorBody } from '../bodies.ts';

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

/** For routes that start an execution. */
const refusals: Readonly<Record<number, Answer>> = {
  422: {
    description: 'The request is invalid, or the workflow failed.',
    content: { ...inJson(z.union([validationRefusal, workflowErrorBody])), ...problem },
  },
  429: busy,
};

const accepted: Answer = {
  description: 'It waits for a person or a consent, or is still running.',
  content: inJson(acceptedBody),
  headers: ['Execution-Id', 'Location', 'Preference-Applied', 'Idempotent-Replayed'],
};

const ended: Answer = {
  description: 'It has ended; the result.',
  headers: ['Execution-Id', 'Observability-Trace-Id', 'Preference-Applied', 'Idempotent-Replayed'],
};

const streaming: Answer = {
  description: 'Events: outputs, steps, prompts and errors, until the run ends.',
  content: events,
  headers: ['Execution-Id', 'Idempotent-Replayed'],
};

export const aboutStart = (workflow: Workflow, interactive: boolean): AboutRoute => ({
  tag: 'workflows',
  summary: `Runs ${workflow.name}${interactive ? '' : ', without prompts'}`,
  ...(workflow.description !== undefined && { description: workflow.description }),
  parameters: interactive ? [prefer, ...starting] : starting,
  answers: { 200: ended, ...(interactive && { 202: accepted }), ...refusals },
});

export const aboutStream = (workflow: Workflow, isRaw: boolean): AboutRoute => ({
  tag: 'workflows',
  summary: `Runs ${workflow.name}, and streams it${isRaw ? ' with unfiltered steps' : ''}`,
  parameters: isRaw ? [filterSteps, onDisconnect, ...starting] : [onDisconnect, ...starting],
  answers: { 200: streaming, ...refusals },
});

/** `streams`: whether it streams; `as asked` if the request decides. */
export const aboutChat = (workflow: Workflow, interactive: boolean, streams: boolean | 'as asked'): AboutRoute => ({
  tag: 'chat',
  summary: `Asks ${workflow.name} for a chat completion${streams === true ? ', in chunks' : ''}`,
  parameters: interactive && streams !== true ? [prefer, ...starting] : starting,
  answers: {
    200: { ...ended, ...(streams !== false && { content: events }) },
    ...(interactive && streams !== true && { 202: accepted }),
    ...refusals,
  },
});

export const aboutJobStart = (workflow: Workflow): AboutRoute => ({
  tag: 'jobs',
  summary: `Starts ${workflow.name} as a job, without prompts`,
  parameters: starting,
  answers: {
    200: { description: 'It has ended, or a job with this id exists.', headers: ['Execution-Id'] },
    202: { description: 'It has been started.', content: inJson(jobStatusBody), headers: ['Execution-Id'] },
    ...refusals,
  },
});
