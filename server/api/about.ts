/** Descriptions of the routes for executions. */

import { STANDS } from '../../runtime/index.ts';
import {
  type About,
  type Answer,
  count,
  inHeader,
  inQuery,
  json,
  ref,
  refusal,
  refusedWithProblem,
  text,
} from '../http/about.ts';
import { MAX_WAIT_S } from '../http/preferences.ts';

const unknown = refusal('There is no such execution, or it is not yours.');
const invalidQuery = refusedWithProblem('A parameter is invalid.');
const limit = inQuery('limit', 'Maximum number; 50 by default.', count(1, 200));
const anonymous = refusal('The request does not identify its caller.');
const noContent: Answer = { description: 'Done.' };

export const aboutExecution: About = {
  tag: 'executions',
  summary: 'The status of an execution',
  parameters: [
    inQuery('wait', 'Seconds to wait for a change.', count(0, MAX_WAIT_S)),
    inQuery('after', 'Number of the last fact that you have; the wait is for a later one.', count(0)),
  ],
  answers: {
    200: { description: 'Its state.', content: json(ref('Execution')), headers: ['Execution-Seq'] },
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutCancel: About = {
  tag: 'executions',
  summary: 'Cancels an execution',
  answers: { 204: noContent, 404: unknown, 409: refusedWithProblem('It is over.') },
};

export const aboutRetry: About = {
  tag: 'executions',
  summary: 'Retries a blocked execution',
  description:
    'With the newest version of its workflow, if its own is no longer served. If the code still does not match the ' +
    'journal, the execution is blocked again.',
  answers: {
    204: noContent,
    404: unknown,
    409: refusedWithProblem('It is not blocked, or has ended.'),
  },
};

export const aboutExecutionStream: About = {
  tag: 'executions',
  summary: 'An execution as events, running or ended',
  parameters: [
    inQuery('after', 'Number of the last event that you have.', count(0)),
    inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
  ],
  answers: {
    200: { description: 'Its events, until it ends.', content: { 'text/event-stream': text } },
    204: { description: 'There are no more events.' },
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutExecutionList: About = {
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
    200: {
      description:
        'A page; shorter than `limit` if the prompts are large. A large result is left out: read the execution itself.',
      content: json(ref('ExecutionList')),
    },
    404: anonymous,
    422: invalidQuery,
  },
};

export const aboutInbox: About = {
  tag: 'executions',
  summary: 'The prompts and consents that wait for you',
  parameters: [limit],
  answers: {
    200: {
      description: 'Open prompts and consents, oldest first; with large prompts the newest may be left out.',
      content: json(ref('Inbox')),
    },
    404: anonymous,
    422: invalidQuery,
  },
};
