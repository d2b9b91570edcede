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
const invalidQuery = refusedWithProblem('A parameter cannot be used.');
const limit = inQuery('limit', 'How many at most; 50 unless told.', count(1, 200));
const nobody = refusal('The request does not say who is asking.');
const noContent: Answer = { description: 'Done.' };

export const aboutExecution: About = {
  tag: 'executions',
  summary: 'How an execution stands',
  parameters: [
    inQuery('wait', 'Seconds to wait for news.', count(0, MAX_WAIT_S)),
    inQuery('after', 'Number of the last fact that is known; news are those after it.', count(0)),
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
  summary: 'Lets a blocked execution try again',
  description:
    'With the newest version of its workflow, if its own is not served any more. If the code still does not do what the journal ' +
    'has, the execution is blocked again.',
  answers: {
    204: noContent,
    404: unknown,
    409: refusedWithProblem('It is not blocked, or it is over.'),
  },
};

export const aboutExecutionStream: About = {
  tag: 'executions',
  summary: 'An execution as events, live or ended',
  parameters: [
    inQuery('after', 'Number of the last event that is known.', count(0)),
    inHeader('Last-Event-ID', 'The same, as an EventSource sends it.'),
  ],
  answers: {
    200: { description: 'Its events, until it is over.', content: { 'text/event-stream': text } },
    204: { description: 'There is nothing more to come.' },
    404: unknown,
    422: invalidQuery,
  },
};

export const aboutExecutionList: About = {
  tag: 'executions',
  summary: 'Your executions, newest first',
  parameters: [
    inQuery('status', 'Only those that stand like this.', { enum: [...STANDS] }),
    inQuery('workflow', 'Only those of this workflow.'),
    inQuery('owner', 'Only those of this user.'),
    inQuery('id', 'Only those whose id begins like this.'),
    inQuery('before', 'What `next` of the last page said.'),
    limit,
  ],
  answers: {
    200: {
      description: 'A page of them; it is shorter than `limit` where they are large.',
      content: json(ref('ExecutionList')),
    },
    404: nobody,
    422: invalidQuery,
  },
};

export const aboutInbox: About = {
  tag: 'executions',
  summary: 'All that waits for you',
  parameters: [limit],
  answers: {
    200: {
      description: 'What is open, oldest first; large prompts may leave out the newest.',
      content: json(ref('Inbox')),
    },
    404: nobody,
    422: invalidQuery,
  },
};
