/** Descriptions of the routes for lists, journals and workflows. */
import { type About, count, inHeader, inQuery, json, ref, refusal, refusedWithProblem, text } from '../http/about.ts';

const stream = { 'text/event-stream': text };

export const aboutChanges: About = {
  tag: 'executions',
  summary: 'That something has happened to your executions, as events',
  description:
    'Each event, `changed`, has the ids of what to look at again, builders among them for operators; `null` means ' +
    'everything, which the first event says too. Changes are gathered for a quarter of a second.',
  answers: {
    200: { description: 'Events, until you leave.', content: stream },
    401: refusedWithProblem('The request does not say who is asking.'),
  },
};

export const aboutJournal: About = {
  tag: 'executions',
  summary: 'All that has happened to an execution',
  description:
    'Every fact as it was kept, its input and the answers included; times are epoch milliseconds. Who accepts ' +
    '`text/event-stream` gets them as events while they happen, with the number of the fact as `id`.',
  parameters: [
    inQuery('after', 'Number of the last fact that is known.', count(0)),
    inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
  ],
  answers: {
    200: { description: 'The facts.', content: { ...json(ref('Journal')), ...stream } },
    204: { description: 'There is nothing more to come.' },
    404: refusal('There is no such execution, or it is not yours.'),
    422: refusedWithProblem('A parameter cannot be used.'),
  },
};

export const aboutWorkflows: About = {
  tag: 'workflows',
  summary: 'The workflows there are, and what they take',
  answers: { 200: { description: 'Those that are served.', content: json(ref('WorkflowList')) } },
  credential: 'none',
};

export const aboutBuilders: About = {
  tag: 'server',
  summary: 'The builders there are, with their slots and queues',
  answers: {
    200: { description: 'Those that are open.', content: json(ref('BuilderList')) },
    403: refusedWithProblem('For operators only.'),
  },
  credential: 'operator',
};
