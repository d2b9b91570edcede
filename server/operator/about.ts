/** Descriptions of the routes for operators. */

import { bytes, inQuery, page, refusal, refusedWithProblem } from '../http/about.ts';
import type { AboutRoute } from '../wire/route.ts';
import { KINDS } from './inspector/watch.ts';

const forOperators = refusedWithProblem('For operators only.');

export const aboutSignIn: AboutRoute = {
  tag: 'server',
  summary: 'Signs a browser in as operator',
  answers: {
    204: 'Done, by a cookie.',
    403: refusedWithProblem('This is not the operator key.'),
    422: refusedWithProblem('The body does not fit.'),
  },
  credential: 'none',
};

export const aboutSignOut: AboutRoute = {
  tag: 'server',
  summary: 'Signs it out',
  answers: { 204: 'Done.' },
  credential: 'none',
};

export const aboutInspector: AboutRoute = {
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
    200: { description: 'A page.', content: page },
    403: forOperators,
    422: refusedWithProblem('A parameter is invalid.'),
  },
  credential: 'operator',
};

export const aboutConsole: AboutRoute = {
  tag: 'server',
  summary: 'The console, a page for operators',
  answers: {
    200: { description: 'The page.', content: page },
    304: 'As it was.',
    404: refusal('It has not been built.'),
  },
  credential: 'none',
};

export const aboutConsoleFile: AboutRoute = {
  tag: 'server',
  summary: 'The files of the page',
  answers: {
    200: { description: 'A file.', content: bytes },
    304: 'As it was.',
    404: refusal('There is no such file.'),
  },
  credential: 'none',
};

export const aboutHealth: AboutRoute = {
  tag: 'server',
  summary: '200 while it serves',
  answers: { 200: 'It serves.' },
  credential: 'none',
};

export const aboutMonitor: AboutRoute = {
  tag: 'server',
  summary: 'Users with open resources',
  parameters: [inQuery('user_id', 'Only this one.')],
  answers: { 200: 'Those users.', 403: forOperators },
  credential: 'operator',
};
