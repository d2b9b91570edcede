/** How the routes of executions, files and the server describe themselves. */

import { STANDS } from '../../runtime/index.ts';
import {
  type About,
  type Answer,
  count,
  inHeader,
  inQuery,
  json,
  problem,
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

export const aboutAnswer: About = {
  tag: 'executions',
  summary: 'Answers a prompt',
  parameters: [inHeader('Idempotency-Key', 'Sent twice, the second answer is accepted like the first.')],
  body: json(ref('InteractionAnswer')),
  answers: {
    204: noContent,
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
  summary: 'Where browsers come back to after a consent',
  parameters: [inQuery('state', 'Which consent it was.'), inQuery('code', 'What the provider gave.')],
  answers: {
    200: page('Granted.'),
    400: page('The state is not known.'),
    403: page('Refused.'),
    500: page('The provider gave something that cannot be used.'),
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

export const aboutHealth: About = {
  tag: 'server',
  summary: '200 while it serves',
  answers: { 200: { description: 'It serves.', content: json(ref('Health')) } },
  credential: 'none',
};

export const aboutMonitor: About = {
  tag: 'server',
  summary: 'Users whose resources are open',
  parameters: [inQuery('user_id', 'Only this one.')],
  answers: {
    200: { description: 'Those users.', content: json(ref('ActiveUsers')) },
    403: refusedWithProblem('For operators only.'),
  },
  credential: 'operator',
};

export const aboutDocument: About = {
  tag: 'server',
  summary: 'This document',
  answers: {
    200: { description: 'OpenAPI 3.1.', content: json({ type: 'object' }) },
    304: { description: 'As it was.' },
  },
  credential: 'none',
};

export const aboutPage: About = {
  tag: 'server',
  summary: 'The same for people, as a page',
  answers: { 200: page('The page.'), 304: { description: 'As it was.' } },
  credential: 'none',
};

const noFile = refusal('There is no such file.');
const foreign = refusal('Pages of this origin may not write files.');
const anyFile = { '*/*': {} };

export const aboutFile: About = {
  tag: 'files',
  summary: 'A file',
  answers: { 200: { description: 'Its bytes.', content: anyFile }, 404: noFile },
  credential: 'none',
};

export const aboutUpload = (creates: boolean): About => ({
  tag: 'files',
  summary: creates ? 'Creates a file' : 'Creates or replaces a file',
  body: { 'multipart/form-data': ref('FileUpload') },
  answers: {
    200: { description: 'It is stored.', content: json(ref('StoredFile')) },
    400: refusal('The path or the form cannot be used.'),
    403: foreign,
    ...(creates && { 409: refusal('There is such a file.') }),
    413: refusedWithProblem('The file is too large.'),
    422: { description: 'The form has no file.', content: json(ref('ValidationRefusal')) },
    507: refusedWithProblem('The store is full.'),
  },
});

export const aboutDelete: About = {
  tag: 'files',
  summary: 'Deletes a file',
  answers: { 204: noContent, 403: foreign, 404: noFile },
};
