/** Descriptions of the routes for lists, journals and workflows. */
import { events, refusedWithProblem } from '../http/about.ts';
import type { AboutRoute } from '../wire/route.ts';
import { invalidQuery, position, unknown } from './about.ts';

export const aboutChanges: AboutRoute = {
  tag: 'executions',
  summary: 'Changes of your executions, as events',
  description:
    'Each event, `changed`, has the ids of changed executions, and of builders for operators; `null` means ' +
    'all, as in the first event. Changes are collected for a quarter of a second.',
  answers: {
    200: { description: 'Events, until you disconnect.', content: events },
    401: refusedWithProblem('The request does not identify its caller.'),
  },
};

export const aboutJournal: AboutRoute = {
  tag: 'executions',
  summary: 'The journal of an execution',
  description:
    'Every stored fact, with the input and the answers; times are epoch milliseconds. A client that accepts ' +
    '`text/event-stream` gets a live stream of events, with the number of the fact as `id`.',
  parameters: position,
  answers: {
    200: { description: 'The facts.', content: events },
    204: 'There are no more events.',
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutPlaces: AboutRoute = {
  tag: 'server',
  credential: 'none',
  summary: 'Name and version of the server, and its most important paths',
  answers: { 200: 'The paths that are served.' },
};

export const aboutWorkflows: AboutRoute = {
  tag: 'workflows',
  credential: 'none',
  summary: 'The workflows and their inputs',
  answers: { 200: 'The served workflows.' },
};

export const aboutBuilders: AboutRoute = {
  tag: 'server',
  credential: 'operator',
  summary: 'The builders, with their slots and queues',
  answers: { 200: 'Those that are open.', 403: refusedWithProblem('For operators only.') },
};
