/** Descriptions of the routes for lists, journals and workflows. */
import { type About, count, inHeader, inQuery, json, ref, refusal, refusedWithProblem, text } from '../http/about.ts';

const stream = { 'text/event-stream': text };

export const aboutChanges: About = {
  tag: 'executions',
  summary: 'Changes of your executions, as events',
  description:
    'Each event, `changed`, has the ids of changed executions, and of builders for operators; `null` means ' +
    'all, as in the first event. Changes are collected for a quarter of a second.',
  answers: {
    200: { description: 'Events, until you disconnect.', content: stream },
    401: refusedWithProblem('The request does not identify its caller.'),
  },
};

export const aboutJournal: About = {
  tag: 'executions',
  summary: 'The journal of an execution',
  description:
    'Every stored fact, with the input and the answers; times are epoch milliseconds. A client that accepts ' +
    '`text/event-stream` gets a live stream of events, with the number of the fact as `id`.',
  parameters: [
    inQuery('after', 'Number of the last fact that you have.', count(0)),
    inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
  ],
  answers: {
    200: { description: 'The facts.', content: { ...json(ref('Journal')), ...stream } },
    204: { description: 'There are no more events.' },
    404: refusal('There is no such execution, or it is not yours.'),
    422: refusedWithProblem('A parameter is invalid.'),
  },
};

export const aboutWorkflows: About = {
  tag: 'workflows',
  summary: 'The workflows and their inputs',
  answers: { 200: { description: 'The served workflows.', content: json(ref('WorkflowList')) } },
  credential: 'none',
};

export const aboutBuilders: About = {
  tag: 'server',
  summary: 'The builders, with their slots and queues',
  answers: {
    200: { description: 'Those that are open.', content: json(ref('BuilderList')) },
    403: refusedWithProblem('For operators only.'),
  },
  credential: 'operator',
};
