/** Descriptions of the routes for operators. */

import { type About, inQuery, json, ref, refusal, refusedWithProblem, text } from '../http/about.ts';
import { KINDS } from './inspector/watch.ts';

const forOperators = refusedWithProblem('For operators only.');

export const aboutSignIn = {
  tag: 'server',
  summary: 'Signs a browser in as operator',
  answers: { 204: { description: 'Done, by a cookie.' }, 403: refusedWithProblem('This is not the operator key.') },
  credential: 'none',
} as const;

export const aboutSignOut: About = {
  tag: 'server',
  summary: 'Signs it out',
  answers: { 204: { description: 'Done.' } },
  credential: 'none',
};

export const aboutInspector: About = {
  tag: 'server',
  summary: 'The Stately inspector, connected to this server',
  description: 'The WebSocket at `/inspect/socket` sends the same messages, with the same query.',
  parameters: [
    inQuery('kind', 'Only actors of this kind; may be given several times.', { enum: [...KINDS] }),
    inQuery('execution', 'Only this one.'),
    inQuery('user', 'Only what is theirs.'),
    inQuery('payloads', '1 shows inputs, results, prompts and answers too.', { enum: ['0', '1'] }),
  ],
  answers: {
    200: { description: 'A page.', content: { 'text/html': text } },
    403: forOperators,
    422: refusedWithProblem('A parameter is invalid.'),
  },
  credential: 'operator',
};

export const aboutConsole: About = {
  tag: 'server',
  summary: 'The console, a page for operators',
  answers: {
    200: { description: 'The page.', content: { 'text/html': text } },
    304: { description: 'As it was.' },
    404: refusal('It has not been built.'),
  },
  credential: 'none',
};

export const aboutConsoleFile: About = {
  tag: 'server',
  summary: 'The files of the page',
  answers: {
    200: { description: 'A file.', content: { '*/*': {} } },
    304: { description: 'As it was.' },
    404: refusal('There is no such file.'),
  },
  credential: 'none',
};

export const aboutHealth: About = {
  tag: 'server',
  summary: '200 while it serves',
  answers: { 200: { description: 'It serves.', content: json(ref('Health')) } },
  credential: 'none',
};

export const aboutMonitor: About = {
  tag: 'server',
  summary: 'Users with open resources',
  parameters: [inQuery('user_id', 'Only this one.')],
  answers: {
    200: { description: 'Those users.', content: json(ref('ActiveUsers')) },
    403: refusedWithProblem('For operators only.'),
  },
  credential: 'operator',
};
