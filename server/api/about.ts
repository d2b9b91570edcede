/** Descriptions of the routes for executions. */

import { STANDS } from '../../runtime/index.ts';
import { count, events, inHeader, inQuery, type Parameter, refusal, refusedWithProblem } from '../http/about.ts';
import { MAX_WAIT_S } from '../http/preferences.ts';
import type { AboutRoute } from '../wire/route.ts';

export const unknown = refusal('There is no such execution, or it is not yours.');
export const invalidQuery = refusedWithProblem('A parameter is invalid.');
const limit = inQuery('limit', 'Maximum number; 50 by default.', count(1, 200));
/** Where a stream continues. */
export const position: readonly Parameter[] = [
  inQuery('after', 'Number of the last event that you have.', count(0)),
  inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
];
const anonymous = refusal('The request does not identify its caller.');

export const aboutExecution: AboutRoute = {
  tag: 'executions',
  summary: 'The status of an execution',
  parameters: [
    inQuery('wait', 'Seconds to wait for a change.', count(0, MAX_WAIT_S)),
    inQuery('after', 'Number of the last fact that you have; the wait is for a later one.', count(0)),
  ],
  answers: {
    200: { description: 'Its state.', headers: ['Execution-Seq'] },
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutCancel: AboutRoute = {
  tag: 'executions',
  summary: 'Cancels an execution',
  answers: { 204: 'Done.', 404: unknown, 409: refusedWithProblem('It is over.') },
};

export const aboutRetry: AboutRoute = {
  tag: 'executions',
  summary: 'Retries a blocked execution',
  description:
    'With the newest version of its workflow, if its own is no longer served. If the code still does not match the ' +
    'journal, the execution is blocked again.',
  answers: {
    204: 'Done.',
    404: unknown,
    409: refusedWithProblem('It is not blocked, or has ended.'),
  },
};

export const aboutExecutionStream: AboutRoute = {
  tag: 'executions',
  summary: 'An execution as events, running or ended',
  parameters: position,
  answers: {
    200: { description: 'Its events, until it ends.', content: events },
    204: 'There are no more events.',
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutExecutionList: AboutRoute = {
  tag: 'executions',
  summary: 'Your executions, newest first',
  parameters: [
    inQuery('status', 'Only executions with this status.', { enum: [...STANDS] }),
    inQuery('workflow', 'Only executions of this workflow.'),
    inQuery('owner', 'Only executions of this user.'),
    inQuery('id', 'Only executions whose id begins like this.'),
    inQuery('before', '`next` of the last page.'),
    limit,
  ],
  answers: {
    200: 'A page; shorter than `limit` if the prompts are large. A large result is left out: read the execution itself.',
    404: anonymous,
    422: invalidQuery,
  },
};

export const aboutInbox: AboutRoute = {
  tag: 'executions',
  summary: 'The prompts and consents that wait for you',
  parameters: [limit],
  answers: {
    200: 'Open prompts and consents, oldest first; with large prompts the newest may be left out.',
    404: anonymous,
    422: invalidQuery,
  },
};
